"""Notifications: the destinations that rules can name, messages to people, and tests."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, SelectField, StringField

from dashboard.access import Member, administrator, viewer
from dashboard.web.context import app_context, now
from dashboard.web.forms import choice, email_field, required, trimmed
from models.database import transaction
from models.notifications import destinations, message_log, messages
from models.notifications.messages import State
from rules.file.source import LONGEST_NAME
from rules.notify.entries import Service
from services.accounts.audit import Maker
from services.notifications import destinations as changes
from services.notifications.composing import compose_now
from services.notifications.content import Content
from services.notifications.destinations import DestinationRefused, NewDestination
from services.webhooks.addresses import LONGEST_URL
from services.webhooks.subscriptions import InvalidSubscription, check_url

blueprint = Blueprint(
    "notifications", __name__, url_prefix="/o/<name:organization>/settings/notifications"
)

SHOWN_MESSAGES = 50

LATE = timedelta(minutes=1)
"""How long a test may wait before the page advises to look at the processes."""

TONES = {
    "active": "good",
    "failing": "poor",
    "disabled": "bad",
    "sent": "good",
    "failed": "bad",
    "waiting": "poor",
}

TEMPLATE_VALUES = {
    "tones": TONES,
    "words_for": {"open": "collecting"},
    "title_of": lambda service: Service(service).title,
}


def url_field(label: str) -> StringField:
    """A field for the URL of a destination."""
    return StringField(
        label,
        [required("a URL")],
        filters=[trimmed],
        description="Of an incoming webhook in Slack, or of a workflow in Teams. It is stored"
        " encrypted, and not shown again.",
        render_kw={"type": "url", "autocomplete": "off", "maxlength": LONGEST_URL},
    )


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
    url = url_field("URL")


class _TestForm(Form):
    email = email_field("Send a test to")


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


@blueprint.post("/test-email")
@administrator
def test_email(member: Member) -> ResponseReturnValue:
    """Send a test to an email address."""
    form = _TestForm(request.form)
    if not form.validate():
        return _page(member, _AddForm(), form), 422
    with transaction():
        message_id = changes.send_test(
            member.organization, Service.EMAIL, str(form.email.data), now()
        )
    return redirect(url_for("notifications.page", test=message_id), 303)


@blueprint.get("/tests/<uuid:message_id>")
@viewer
def test_result(member: Member, message_id: UUID) -> ResponseReturnValue:
    """Return the result of a test, for the page to poll."""
    return render_template("notifications/test.html", is_polled=True, **_test(member, message_id))


@blueprint.get("/messages/<uuid:message_id>")
@viewer
def message(member: Member, message_id: UUID) -> ResponseReturnValue:
    """Show what a message says, or would say if it was sent now."""
    organization = member.organization
    with transaction():
        found = messages.find(organization.id, message_id) or abort(404)
        if found.content is not None:
            content = Content.from_json(found.content)
        else:
            zone = found.zone or "UTC"
            content, _ = compose_now(found, organization, app_context().rulebooks, zone)
    return render_template(
        "notifications/message.html", message=found, content=content, **TEMPLATE_VALUES
    )


def _test(member: Member, message_id: UUID) -> dict[str, object]:
    """Return the values of the template with the result of a test; none if it is no test."""
    with transaction():
        found = messages.find(member.organization.id, message_id)
    if found is None or not found.is_test:
        abort(404)
    waits = found.state is State.WAITING
    return {"test": found, "expected": waits, "late": waits and found.opened_at < now() - LATE}


def _page(member: Member, form: _AddForm, test_form: _TestForm | None = None) -> str:
    organization_id = member.organization.id
    test_id, before = (request.args.get(name, type=UUID) for name in ("test", "before"))
    with transaction():
        listed = destinations.list_for_organization(organization_id)
        newest = message_log.list_newest(organization_id, limit=SHOWN_MESSAGES + 1, before=before)
        newest, more = newest[:SHOWN_MESSAGES], len(newest) > SHOWN_MESSAGES
        numbers = message_log.count_changes(organization_id, [m.id for m in newest])
        waiting = message_log.count_waiting_changes(organization_id)
        failing_emails = message_log.find_failing_emails(organization_id)
    return render_template(
        "notifications/page.html",
        destinations=listed,
        state_of=changes.describe_state,
        messages=newest,
        numbers=numbers,
        waiting=waiting,
        failing_emails=failing_emails,
        smtp=app_context().settings.smtp,
        form=form,
        test_form=test_form or _TestForm(email=member.person.email),
        first=url_for("notifications.page") if before else None,
        next=url_for("notifications.page", before=newest[-1].id) if more else None,
        may_change=member.may("administrator"),
        is_polled=False,
        **(_test(member, test_id) if test_id else {"test": None}),
        **TEMPLATE_VALUES,
    )
