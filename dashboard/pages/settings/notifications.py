"""Notifications: the destinations that rules can name, and the newest messages to people."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, SelectField, StringField

from dashboard.access import Member, administrator, viewer
from dashboard.web.context import app_context, now
from dashboard.web.forms import choice, required, trimmed
from models.database import transaction
from models.notifications import destinations, message_log
from models.notifications.destinations import Destination
from rules.file.source import LONGEST_NAME
from rules.notify.entries import Service
from services.accounts.audit import Maker
from services.notifications import destinations as changes
from services.notifications.destinations import (
    DestinationRefused,
    NewDestination,
    NoSuchDestination,
)
from services.webhooks.addresses import LONGEST_URL
from services.webhooks.subscriptions import InvalidSubscription, check_url

blueprint = Blueprint(
    "notifications", __name__, url_prefix="/o/<name:organization>/settings/notifications"
)

SHOWN_MESSAGES = 50

TONES = {
    "active": "good",
    "failing": "poor",
    "disabled": "bad",
    "sent": "good",
    "failed": "bad",
    "waiting": "poor",
}


class _AddForm(Form):
    service = SelectField(
        "Service",
        choices=[choice(s.value, s.title) for s in (Service.SLACK, Service.TEAMS)],
    )
    name = StringField(
        "Name",
        [required("a name")],
        filters=[trimmed],
        description="As rules name it, such as the name of the channel.",
        render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME},
    )
    url = StringField(
        "URL",
        [required("a URL")],
        filters=[trimmed],
        description="Of an incoming webhook in Slack, or of a workflow in Teams. It is stored"
        " encrypted, and not shown again.",
        render_kw={"type": "url", "autocomplete": "off", "maxlength": LONGEST_URL},
    )


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the destinations and the newest messages."""
    return _page(member, _AddForm())


@blueprint.post("")
@administrator
def add(member: Member) -> ResponseReturnValue:
    """Add a destination; its URL is not shown again."""
    form, settings = _AddForm(request.form), app_context().settings
    if not form.validate():
        return _page(member, form), 422
    try:
        check_url(str(form.url.data), settings.webhook_allow_nets)
        new = NewDestination(
            Service(form.service.data), changes.read_name(str(form.name.data)), str(form.url.data)
        )
        with transaction():
            changes.add(
                member.organization.id,
                new,
                secret_keys=settings.secret_keys,
                maker=Maker.of(member.person),
                at=now(),
            )
    except InvalidSubscription as error:
        form.url.errors = [str(error)]
        return _page(member, form), 422
    except DestinationRefused as error:
        form.name.errors = [str(error)]
        return _page(member, form), 422
    flash(f"{new.name} was added. Send a test, then name it under notify in the rules.")
    return redirect(url_for("notifications.page"), 303)


@blueprint.post("/<uuid:destination_id>/test")
@administrator
def send_test(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Send a test message, which is listed below."""

    def test(destination: Destination) -> None:
        service = Service(destination.service)
        changes.send_test(member.organization, service, destination.name, now())

    return _change(member, destination_id, test, "A test is on its way; its state is below.")


@blueprint.post("/<uuid:destination_id>/enable")
@administrator
def enable(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Resume a destination, starting with what was kept."""

    def change(destination: Destination) -> None:
        changes.enable(destination, maker=Maker.of(member.person), at=now())

    return _change(member, destination_id, change, "The destination is enabled.")


@blueprint.post("/<uuid:destination_id>/disable")
@administrator
def disable(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Pause a destination; what is recorded meanwhile is kept."""

    def change(destination: Destination) -> None:
        changes.disable(destination, maker=Maker.of(member.person), at=now())

    return _change(member, destination_id, change, "The destination is disabled.")


@blueprint.get("/<uuid:destination_id>/remove")
@administrator
def ask_to_remove(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Ask before a destination is removed."""
    with transaction():
        listed = destinations.list_for_organization(member.organization.id)
    destination = next((each for each in listed if each.id == destination_id), None)
    return render_template("notifications/remove.html", destination=destination or abort(404))


@blueprint.post("/<uuid:destination_id>/remove")
@administrator
def remove(member: Member, destination_id: UUID) -> ResponseReturnValue:
    """Remove a destination and its URL."""

    def change(destination: Destination) -> None:
        changes.remove(destination, maker=Maker.of(member.person), at=now())

    return _change(member, destination_id, change, "The destination was removed.")


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


def _page(member: Member, form: _AddForm) -> str:
    organization_id = member.organization.id
    with transaction():
        listed = destinations.list_for_organization(organization_id)
        messages = message_log.list_newest(organization_id, limit=SHOWN_MESSAGES)
        numbers = message_log.count_changes(organization_id, [m.id for m in messages])
    return render_template(
        "notifications/page.html",
        destinations=listed,
        state_of=changes.describe_state,
        messages=messages,
        numbers=numbers,
        title_of=lambda service: Service(service).title,
        tones=TONES,
        smtp=app_context().settings.smtp,
        form=form,
        may_change=member.may("administrator"),
    )
