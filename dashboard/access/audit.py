"""Records changes by members of an organization in its audit log."""

from collections.abc import Mapping
from typing import Any

from dashboard.access.members import Member
from dashboard.web.context import now
from models.organizations import audit_log
from services.accounts.audit import Maker, change_by


def record(
    member: Member, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Write down a change by a member, in the transaction that makes it.

    `action` is a short phrase such as `Key created`, the same for every such change; `subject`
    names what was changed.
    """
    change = change_by(Maker.of(member.person), now(), action, subject, detail)
    audit_log.add(member.organization.id, change)
