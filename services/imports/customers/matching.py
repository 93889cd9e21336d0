"""Finds which stored companies and users the rows of an export are about.

An export of a CRM or payment provider has its own ids. If a company that events have created has
that id among its core fields, the row is about this company. A user is also found by an email that
only one user has. Otherwise the product's id becomes that of the company or user.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from models.companies.fields import provider_ids
from models.companies.fields.provider_ids import KnownId
from services.imports.csv_files.table import RefusedRow
from services.imports.customers.presets import Preset
from services.imports.customers.rows import CustomerRow
from services.imports.customers.salesforce_ids import SHORT
from services.imports.customers.targets import COMPANIES, USERS, Subject


@dataclass(frozen=True)
class Matched:
    """The rows with the ids of what they are about, and those that are about several.

    `companies` are the ids of the companies of users. `found` is how many rows were found by the
    id of a product, and `taken` how many have that id as their own for want of another.
    """

    rows: list[CustomerRow] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    found: int = 0
    taken: int = 0


class _Known:
    """The client's own ids by those of a product."""

    def __init__(self, known: Iterable[KnownId], compared: int | None = None) -> None:
        self._compared = compared
        self._ids: dict[str, list[KnownId]] = defaultdict(list)
        for found in known:
            self._ids[found.provider_id[:compared]].append(found)

    def of(self, provider_id: str) -> Sequence[KnownId]:
        return self._ids.get(provider_id[: self._compared], ())


def match(
    organization_id: int, rows: Sequence[CustomerRow], subject: Subject, preset: Preset | None
) -> Matched:
    """Find what rows are about, in the current transaction."""
    known, known_companies = _read_known(organization_id, rows, subject, preset)
    emails = (
        _read_emails(organization_id, rows, known) if subject is USERS and preset else _Known(())
    )
    ids: list[str] = []
    matched: list[CustomerRow] = []
    refused: list[RefusedRow] = []
    found_by_id = taken = 0
    for original in rows:
        row = _with_company(original, known_companies)
        provider_id = row.provider_id or ""
        found = known.of(provider_id) if provider_id else ()
        if row.id is None and not found and subject is USERS:
            found = emails.of(str(row.fields.get("email", "")).lower())
            found = found if len(found) == 1 else ()
        if row.id is None and len(found) > 1:
            several = ", ".join(f"`{each.external_id}`" for each in found[:5])
            reason = f"is about several {subject.many}, which all have this id: {several}"
            refused.append(RefusedRow(row.line, row.cells, reason))
            continue
        found_by_id += row.id is None and bool(found)
        taken += row.id is None and not found
        ids.append(row.id or (found[0].external_id if found else provider_id))
        matched.append(_keeping_form(row, found, preset))
    return Matched(matched, ids, refused, found_by_id, taken)


def _read_known(
    organization_id: int, rows: Sequence[CustomerRow], subject: Subject, preset: Preset | None
) -> tuple[_Known, _Known]:
    """Return what is known by a product's ids of the rows, and of the companies of users."""
    if preset is None or preset.provider is None:
        return _Known(()), _Known(())
    own = {row.provider_id for row in rows if row.provider_id}
    of_companies = {row.company_provider_id for row in rows if row.company_provider_id}
    if subject is COMPANIES:
        return _companies(organization_id, own, preset), _Known(())
    users = provider_ids.find_users(organization_id, preset.provider, own) if own else ()
    return _Known(users), _companies(organization_id, of_companies, preset)


def _companies(organization_id: int, ids: Collection[str], preset: Preset) -> _Known:
    # Events may have either form of an id of Salesforce.
    compared = SHORT if preset.provider == "salesforce" else None
    if not ids or preset.provider is None:
        return _Known(())
    return _Known(
        provider_ids.find_companies(
            organization_id,
            preset.provider,
            ids,
            fields="payment" if preset.pays else "crm",
            compared=compared,
        ),
        compared,
    )


def _read_emails(organization_id: int, rows: Sequence[CustomerRow], known: _Known) -> _Known:
    emails = {
        str(row.fields["email"]).lower()
        for row in rows
        if row.id is None and "email" in row.fields and not known.of(row.provider_id or "")
    }
    return _Known(provider_ids.find_users_by_email(organization_id, emails) if emails else ())


def _with_company(row: CustomerRow, known: _Known) -> CustomerRow:
    """Return a user with the client's own id of their company."""
    if row.company_id or not row.company_provider_id:
        return row
    found = known.of(row.company_provider_id)
    company_id = found[0].external_id if len(found) == 1 else row.company_provider_id
    return replace(row, company_id=company_id)


def _keeping_form(row: CustomerRow, found: Sequence[KnownId], preset: Preset | None) -> CustomerRow:
    """Return a row with its product's id in the form that is stored, which events will repeat."""
    if len(found) != 1 or preset is None or row.provider_id is None:
        return row
    name = preset.provider_fields[1]
    if name not in row.fields or found[0].provider_id[:SHORT] != row.provider_id[:SHORT]:
        return row
    fields: Mapping[str, object] = {**row.fields, name: found[0].provider_id}
    return replace(row, fields=fields)
