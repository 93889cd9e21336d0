"""Loads companies and users from a file into an organization."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.companies import companies, pending_history
from models.companies.companies import Company
from models.database import transaction
from models.organizations import audit_log, rule_versions
from rules.judging.crossings import RESOLUTION
from services.accounts.audit import Maker, change_by
from services.events.records import FieldUpdate
from services.events.updates import store_updates
from services.imports.customers.chunks import in_chunks
from services.imports.customers.comparison import Comparison
from services.imports.customers.rows import CustomerRow
from services.imports.customers.targets import COMPANIES, Subject
from services.rules.rule_books import RuleBooks


@dataclass(frozen=True)
class Source:
    """What the audit log says about an import: the file, and who imported it."""

    file: str
    digest: str
    preset: str | None
    maker: Maker


@dataclass(frozen=True)
class Loaded:
    """A chunk that was committed: how many companies or users, and the rows of those to judge."""

    number: int
    to_evaluate: Sequence[int]


def load(
    organization_id: int,
    subject: Subject,
    comparison: Comparison,
    rulebooks: RuleBooks,
    source: Source,
    now: datetime,
) -> Iterator[Loaded]:
    """Load the rows of a file, each chunk in a transaction of its own; yields what it loaded.

    A row without a time of its own applies as of `now`; a field that a company did not have applies
    from its first event on, since nothing else is known of it. Loading a file again changes
    nothing, so an import that was interrupted is simply repeated. The first transaction has the
    audit entry.

    What a new company or a new field means for health is history, for which no webhook is sent.
    """
    for number, chunk in enumerate(in_chunks(comparison.rows.items())):
        updates = [
            _update(organization_id, subject, row_id, row, now)
            for row_id, rows in chunk
            for row in rows
        ]
        with transaction():
            if number == 0:
                _record(organization_id, subject, comparison, source, now)
            named = {update.company_id for update in updates if update.company_id is not None}
            ids = companies.find_ids(organization_id, named)
            known = {c.external_id: c for c in companies.find_by_ids(organization_id, ids.values())}
            updates = [part for update in updates for part in _split(update, known)]
            to_evaluate = store_updates(organization_id, updates, rulebooks)
            past = _with_new_fields(organization_id, updates, known, rulebooks)
            new = companies.find_ids(organization_id, named - known.keys())
            pending_history.mark(
                organization_id,
                dict.fromkeys(past, now - RESOLUTION) | dict.fromkeys(new.values(), now),
            )
        yield Loaded(len(chunk), to_evaluate)


def _split(update: FieldUpdate, known: Mapping[str, Company]) -> Iterator[FieldUpdate]:
    """Yield the fields that a company did not have as of its first event, and the others."""
    company = known.get(update.company_id or "")
    if company is None or update.occurred_at < update.received_at:
        yield update  # with a time of its own
        return
    new = {k: value for k, value in update.company.items() if k not in company.traits.fields_at}
    if new:
        yield update._replace(company=new, occurred_at=company.first_seen_at)
    if len(new) < len(update.company) or update.user_id is not None:
        rest = {name: value for name, value in update.company.items() if name not in new}
        yield update._replace(company=rest)


def _with_new_fields(
    organization_id: int,
    updates: Iterable[FieldUpdate],
    known: Mapping[str, Company],
    rulebooks: RuleBooks,
) -> list[int]:
    """Return the companies that get a field which they did not have and which rules use."""
    version = rule_versions.read_current(organization_id)
    book = rulebooks.book_if_readable(organization_id, version)
    return [
        company.id
        for update in updates
        if (company := known.get(update.company_id or ""))
        and any(
            name not in company.traits.fields_at and (book is None or name in book.company_fields)
            for name in update.company
        )
    ]


def _record(
    organization_id: int,
    subject: Subject,
    comparison: Comparison,
    source: Source,
    at: datetime,
) -> None:
    detail: Mapping[str, Any] = {
        "sha256": source.digest,
        "preset": source.preset,
        "created": comparison.created,
        "changed": comparison.changed,
        "refused": len(comparison.refused),
    }
    action = f"{subject.many.capitalize()} imported"
    audit_log.add(organization_id, change_by(source.maker, at, action, source.file, detail))


def _update(
    organization_id: int,
    subject: Subject,
    row_id: str,
    row: CustomerRow,
    now: datetime,
) -> FieldUpdate:
    is_company = subject is COMPANIES
    return FieldUpdate(
        organization_id=organization_id,
        key_id=None,
        company_id=row_id if is_company else row.company_id,
        company=row.fields if is_company else {},
        user_id=None if is_company else row_id,
        user={} if is_company else row.fields,
        occurred_at=row.at or now,
        received_at=now,
    )
