"""What the audit log shows of an entry: the page of its subject, and its details in words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import url_for

from dashboard.web.addresses import company_address
from models.companies.external_ids import find_row_ids
from models.organizations.audit_log import AuditEntry

_VERSION = re.compile(r"version (\d{1,9})")

_INTERNAL = {"id", "items", "note"}
"""Details that only programs need."""

_IN_DAYS = {"days": "period", "within": "warning within"}
"""Details that are a number of days, in words."""


def subject_addresses(organization_id: int, entries: Sequence[AuditEntry]) -> dict[int, str]:
    """Return the addresses of the subjects that have a page, by the ids of the entries.

    They are versions of the rules, and companies, which an entry names as `Acme (acme)`.
    """
    named = {entry.id: list(_ids_in(entry.subject)) for entry in entries}
    known = find_row_ids(
        "companies", organization_id, {id_ for ids in named.values() for id_ in ids}
    )
    addresses = {}
    for entry in entries:
        version = _VERSION.fullmatch(entry.subject)
        if version:
            addresses[entry.id] = url_for("rules.version", number=int(version[1]))
        for company in named[entry.id]:
            if company in known:
                addresses[entry.id] = company_address(company)
    return addresses


def _ids_in(subject: str) -> Iterator[str]:
    """Yield what may be the id in `Acme (acme)`: names and ids may have parentheses, too."""
    if subject.endswith(")"):
        for match in re.finditer(r" \(", subject):
            yield subject[match.end() : -1]


def in_words(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the details of an entry that people read, in their order."""
    return [
        (_IN_DAYS.get(name, name), f"{value} days" if name in _IN_DAYS else _text(value))
        for name, value in detail.items()
        if name not in _INTERNAL
    ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
