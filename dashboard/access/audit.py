"""Records changes that members of an organization make in its audit log."""

from collections.abc import Mapping
from typing import Any

from dashboard.access.permissions import Member
from dashboard.web.context import now
from models.organizations import audit_log
from services.accounts.audit import Maker, change_by


def record(
    member: Member, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Record a change by a member, in the transaction that makes the change.

    `action` is a short phrase such as `Key created`, the same for every such change; `subject`
    names the changed object.
    """
    change = change_by(Maker.of(member.person), now(), action, subject, detail)
    audit_log.add(member.organization.id, change)
