"""Compares a file with what is stored: which companies or users it would create or change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.companies import companies
from models.companies.fields import stored_fields
from models.companies.fields.field_merge import Traits
from models.companies.fields.stored_fields import StoredFields
from services.imports.csv_files.table import RefusedRow
from services.imports.customers.chunks import in_chunks
from services.imports.customers.file import CustomerFile
from services.imports.customers.rows import CustomerRow
from services.imports.customers.targets import COMPANIES, COMPANY_ID, USERS

MOST_EXAMPLES = 20


@dataclass(frozen=True)
class Example:
    """A company or user that would be created or changed, by its first row in the file.

    `changes` maps each field to its value before and after.
    """

    id: str
    name: str
    line: int
    changes: Mapping[str, tuple[Any, Any]]


@dataclass
class Comparison:
    """What loading a file would do, counted, with the first examples of each.

    `rows` are those to load: all that change something, or have a time of their own, which may
    change the history of fields. `fields` counts how many existing companies or users would get
    another value of each field, and `new_companies` are companies that only users name so far.
    """

    rows: dict[str, Sequence[CustomerRow]] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    created_examples: list[Example] = field(default_factory=list)
    changed_examples: list[Example] = field(default_factory=list)
    new_companies: set[str] = field(default_factory=set)


def compare(organization_id: int, file: CustomerFile, now: datetime) -> Comparison:
    """Compare a file with what is stored, in the current transaction; writes nothing.

    A row without a time of its own applies as of `now`.
    """
    comparison = Comparison(refused=list(file.refused))
    find = stored_fields.find_companies if file.subject is COMPANIES else stored_fields.find_users
    for chunk in in_chunks(file.rows.items()):
        stored = find(organization_id, [row_id for row_id, _ in chunk])
        for row_id, rows in chunk:
            known = stored.get(row_id)
            if file.subject is USERS and known is None and not any(r.company_id for r in rows):
                comparison.refused += (_without_company(row) for row in rows)
                continue
            if _count(comparison, row_id, rows, known, now) or any(row.at for row in rows):
                comparison.rows[row_id] = rows
    if file.subject is USERS:
        comparison.new_companies = _new_companies(organization_id, comparison)
    comparison.refused.sort(key=lambda row: row.line)
    return comparison


def _without_company(row: CustomerRow) -> RefusedRow:
    return RefusedRow(
        row.line,
        row.cells,
        "is about a new user and names no company: map the column with the ids of companies to"
        f" `{COMPANY_ID}`",
    )


def _count(
    comparison: Comparison,
    row_id: str,
    rows: Sequence[CustomerRow],
    known: StoredFields | None,
    now: datetime,
) -> bool:
    """Count a company or user, and return whether it would be created or changed."""
    changes = _changes(rows, known, now)
    name = changes.get("name", (None, None))[1] or (known and known.traits.core["name"]) or row_id
    example = Example(row_id, str(name), rows[0].line, changes)
    if known is None:
        comparison.created += 1
        examples = comparison.created_examples
    elif changes:
        comparison.changed += 1
        comparison.fields.update(changes.keys())
        examples = comparison.changed_examples
    else:
        comparison.unchanged += 1
        return False
    if len(examples) < MOST_EXAMPLES:
        examples.append(example)
    return True


def _changes(
    rows: Sequence[CustomerRow], known: StoredFields | None, now: datetime
) -> dict[str, tuple[Any, Any]]:
    """Return the values before and after of each field that gets another value."""
    traits = known.traits if known else Traits(core={"name": None})
    before = {**traits.core, **traits.custom}
    for row in rows:
        traits.merge(row.fields, row.at or now)
    after = {**traits.core, **traits.custom}
    changes = {
        name: (before.get(name), value)
        for name, value in after.items()
        if name not in before or not _same(before[name], value)
    }
    moved_from, moves_to = known.company_id if known else None, None
    for row in rows:
        newest = known.traits.newest_event_at if known else None
        if row.company_id and (newest is None or (row.at or now) >= newest):
            moves_to = row.company_id
    if moves_to and moves_to != moved_from:
        changes[COMPANY_ID] = moved_from, moves_to
    return changes


def _same(value: Any, other: Any) -> bool:
    """Whether two values are the same in JSON, in which 1 and 1.0 are, but 1 and true are not."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _new_companies(organization_id: int, comparison: Comparison) -> set[str]:
    named = {row.company_id for rows in comparison.rows.values() for row in rows if row.company_id}
    return named - companies.find_ids(organization_id, named).keys()
