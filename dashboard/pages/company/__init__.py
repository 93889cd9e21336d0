"""One company: how it stands and why, what happened to it, and what people do about it."""

from dashboard.pages.company import (
    deliveries,
    fields,
    flags,
    notes,
    overview,
    timeline,
    users,
)
from dashboard.pages.company.frame import blueprint

__all__ = [
    "blueprint",
    "deliveries",
    "fields",
    "flags",
    "notes",
    "overview",
    "timeline",
    "users",
]
