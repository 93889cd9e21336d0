"""The webhook endpoints of an organization, and the form to add one."""

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from dashboard.access import Member, administrator, audit, viewer
from dashboard.pages.developers.frame import blueprint, show
from dashboard.pages.developers.subscription import AddForm, statuses_to_offer
from dashboard.web.context import app_context
from models.database import transaction
from models.webhooks import webhook_endpoints
from models.webhooks.webhook_endpoints import Subscription
from services.webhooks.subscriptions import InvalidSubscription, check_url


@blueprint.get("/webhooks")
@viewer
def webhooks(member: Member) -> ResponseReturnValue:
    """Show the endpoints with their state."""
    return _page(member, _form(member))


@blueprint.post("/webhooks")
@administrator
def add_webhook(member: Member) -> ResponseReturnValue:
    """Add an endpoint. The secret that signs its webhooks is shown only once."""
    form = _form(member, request.form)
    settings = app_context().settings
    note = None
    if form.validate():
        try:
            note = check_url(str(form.url.data), settings.webhook_allow_nets)
        except InvalidSubscription as error:
            form.url.errors = [_sentence(str(error))]
    if form.errors:
        return _page(member, form), 422
    url, subscription = str(form.url.data), form.subscription()
    with transaction():
        endpoint_id, secret = webhook_endpoints.add(
            member.organization.id, url, secret_keys=settings.secret_keys, subscription=subscription
        )
        audit.record(
            member, "Webhook added", url, {"id": str(endpoint_id), **audit_detail(subscription)}
        )
    return show(
        "secret.html",
        member,
        title="Webhook added",
        what=f"This secret signs the webhooks sent to {url}",
        secret=secret,
        back=url_for("developers.endpoint", endpoint_id=endpoint_id),
        back_text="View webhook",
        note=note and f"Note that {note}",
    )


def audit_detail(subscription: Subscription) -> dict[str, object]:
    """Return a subscription for the audit log, without empty filters."""
    filters = {
        "changes": subscription.event_types,
        "statuses": subscription.statuses,
        "companies": subscription.companies,
        "fields": subscription.company_fields,
    }
    return {name: value for name, value in filters.items() if value is not None}


def _form(member: Member, entered: "MultiDict[str, str] | None" = None) -> AddForm:
    form = AddForm(entered)
    with transaction():
        form.offer(statuses_to_offer(member.organization))
    return form


def _page(member: Member, form: AddForm) -> str:
    with transaction():
        endpoints = webhook_endpoints.list_for_organization(member.organization.id)
    return show("webhooks.html", member, endpoints=endpoints, form=form)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
