"""The pages about one company: its health and the reasons, its history, and notes about it."""

from dashboard.pages.company import (
    deliveries,
    fields,
    flags,
    notes,
    outcomes,
    timeline,
    users,
)
from dashboard.pages.company.frame import blueprint
from dashboard.pages.company.overview import page, report

__all__ = [
    "blueprint",
    "deliveries",
    "fields",
    "flags",
    "notes",
    "outcomes",
    "page",
    "report",
    "timeline",
    "users",
]
