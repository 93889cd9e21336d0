"""Loads companies and users from a file into an organization."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.companies import companies, pending_history
from models.database import transaction
from models.organizations import audit_log
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

    A row without a time of its own applies as of `now`. Loading a file again changes nothing, so an
    import that was interrupted is simply repeated. The first transaction has the audit entry.

    The health that a new company has when it is loaded is history: no webhook is sent for it.
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
            known = companies.find_ids(organization_id, named)
            to_evaluate = store_updates(organization_id, updates, rulebooks)
            new = companies.find_ids(organization_id, named - known.keys())
            pending_history.mark(organization_id, dict.fromkeys(new.values(), now))
        yield Loaded(len(chunk), to_evaluate)


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
