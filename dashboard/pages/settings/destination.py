"""One destination of notifications: tests, a new URL, pauses, and its removal."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from dashboard.access import Member, administrator
from dashboard.pages.settings.notifications import url_field
from dashboard.web.context import app_context, now
from models.database import transaction
from models.notifications import destinations
from models.notifications.destinations import Destination
from rules.notify.entries import Service
from services.accounts.audit import Maker
from services.notifications import destinations as changes
from services.notifications.destinations import NoSuchDestination
from services.webhooks.subscriptions import InvalidSubscription, check_url

blueprint = Blueprint(
    "destination",
    __name__,
    url_prefix="/o/<name:organization>/settings/notifications/<uuid:destination_id>",
)


class _UrlForm(Form):
    url = url_field("New URL")


@blueprint.post("/test")
@administrator
def send_test(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Send a test message, whose result the page shows."""
    try:
        with transaction():
            destination = changes.lock(member.organization.id, destination_id)
            message_id = changes.send_test(
                member.organization, Service(destination.service), destination.name, now()
            )
    except NoSuchDestination:
        abort(404)
    return redirect(url_for("notifications.page", test=message_id), 303)


@blueprint.get("/url")
@administrator
def ask_for_url(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Show the form for a new URL."""
    return _show(member, destination_id, "url.html", form=_UrlForm())


@blueprint.post("/url")
@administrator
def replace_url(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Replace the URL, and resume the destination with what was kept."""
    form, settings = _UrlForm(request.form), app_context().settings
    if form.validate():
        try:
            check_url(str(form.url.data), settings.webhook_allow_nets)
        except InvalidSubscription as error:
            form.url.errors = [str(error)]
    if form.errors:
        return _show(member, destination_id, "url.html", form=form), 422

    def change(destination: Destination) -> None:
        changes.replace_url(
            destination,
            str(form.url.data),
            secret_keys=settings.secret_keys,
            maker=Maker.of(member.person),
            at=now(),
        )

    return _change(member, destination_id, change, "The URL was replaced. Send a test.")


@blueprint.post("/enable")
@administrator
def enable(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Resume a destination, starting with what was kept."""

    def change(destination: Destination) -> None:
        changes.enable(destination, maker=Maker.of(member.person), at=now())

    return _change(member, destination_id, change, "The destination is enabled.")


@blueprint.post("/disable")
@administrator
def disable(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Pause a destination; what is recorded meanwhile is kept."""

    def change(destination: Destination) -> None:
        changes.disable(destination, maker=Maker.of(member.person), at=now())

    return _change(
        member, destination_id, change, "The destination is disabled. Its messages are kept."
    )


@blueprint.get("/remove")
@administrator
def ask_to_remove(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Ask before a destination is removed."""
    return _show(member, destination_id, "remove.html")


@blueprint.post("/remove")
@administrator
def remove(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Remove a destination and its URL."""

    def change(destination: Destination) -> None:
        changes.remove(destination, maker=Maker.of(member.person), at=now())

    return _change(member, destination_id, change, "The destination was removed.")


def _show(member: Member, destination_id: UUID, template: str, **values: object) -> str:
    with transaction():
        listed = destinations.list_for_organization(member.organization.id)
    destination = next((each for each in listed if each.id == destination_id), None)
    return render_template(
        f"notifications/{template}", destination=destination or abort(404), **values
    )


def _change(
    member: Member, destination_id: UUID, change: Callable[[Destination], None], outcome: str
) -> ResponseReturnValue:
    try:
        with transaction():
            change(changes.lock(member.organization.id, destination_id))
    except NoSuchDestination:
        abort(404)
    flash(outcome)
    return redirect(url_for("notifications.page"), 303)
