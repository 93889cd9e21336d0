"""Who may see and change what: sign-in, sessions, roles, people, and the audit log."""

from dashboard.access.members import (
    Member,
    Visitor,
    administrator,
    editor,
    everybody,
    signed_in,
    viewer,
)
from services.accounts.roles import Role

__all__ = [
    "Member",
    "Role",
    "Visitor",
    "administrator",
    "editor",
    "everybody",
    "signed_in",
    "viewer",
]
