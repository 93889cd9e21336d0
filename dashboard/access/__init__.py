"""Access control: sign-in, sessions, roles, and the audit log."""

from dashboard.access.permissions import (
    Member,
    administrator,
    editor,
    public,
    signed_in,
    viewer,
)
from dashboard.access.visitors import Visitor
from services.accounts.roles import Role

__all__ = [
    "Member",
    "Role",
    "Visitor",
    "administrator",
    "editor",
    "public",
    "signed_in",
    "viewer",
]
