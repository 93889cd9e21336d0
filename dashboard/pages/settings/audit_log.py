"""The audit log: who changed what, and when."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, administrator
from dashboard.pages.settings.audit_entries import in_words, subject_addresses
from dashboard.web.request_values import database_bigint
from models.database import transaction
from models.organizations import audit_log

blueprint = Blueprint("audit_log", __name__, url_prefix="/o/<name:organization>/settings/audit")

PAGE = 50


@blueprint.get("")
@administrator
def page(member: Member) -> ResponseReturnValue:
    """Show the changes, newest first, optionally of one person or one kind."""
    person = request.args.get("person") or None
    action = request.args.get("action") or None
    before_id = request.args.get("before", type=database_bigint)
    organization_id = member.organization.id
    with transaction():
        entries = audit_log.read_page(
            organization_id, made_by=person, action=action, before_id=before_id, limit=PAGE + 1
        )
        people = audit_log.list_makers(organization_id)
        actions = audit_log.list_actions(organization_id)
        addresses = subject_addresses(organization_id, entries[:PAGE])
    return render_template(
        "audit_log/page.html",
        entries=entries[:PAGE],
        addresses=addresses,
        in_words=in_words,
        next_before=entries[PAGE - 1].id if len(entries) > PAGE else None,
        before=before_id,
        person=person,
        action=action,
        people=people,
        actions=actions,
    )
