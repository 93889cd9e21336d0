"""What an export of companies begins with: which ones, in what order, and the fields they have."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.companies.company_filter import ALL_COMPANIES, CompanyFilter, filter_condition
from models.companies.company_list import Sorting, list_ids_in_order, order_of
from models.companies.fields.field_names import list_names
from models.database import query

CHUNK = 250
"""Companies that are read at a time."""

MOST_LOOKED_FOR = 50
"""The most frequent fields, each of which is looked for in the scan that lists the companies."""


@dataclass(frozen=True)
class Export:
    """The row ids of companies in order, and the names of their custom fields, in order too."""

    ids: list[int]
    fields: list[str]

    @property
    def chunks(self) -> Iterator[list[int]]:
        """The ids in chunks for `company_list.read`."""
        return (self.ids[first : first + CHUNK] for first in range(0, len(self.ids), CHUNK))


def find(
    organization_id: int, company_filter: CompanyFilter, sorting: Sorting, *, most_fields: int
) -> Export:
    """Return all companies that match a filter, and up to `most_fields` fields that they have.

    Those of the newest companies come first if there are too many fields. Nearly all companies have
    only fields that the newest also have. So with a filter, one scan lists the companies and which
    of these fields they have; other fields take another scan, which expands no known ones.
    """
    names = list_names(organization_id)
    if company_filter == ALL_COMPANIES:
        # Each is quicker alone: an index has the order of the usual list.
        ids = list_ids_in_order(organization_id, company_filter, sorting)
        fields = [*names, *_other_fields(organization_id, company_filter, names, most_fields)]
    else:
        names = names[:MOST_LOOKED_FOR]
        ids, fields, has_others = _scan(organization_id, company_filter, sorting, names)
        if has_others:
            fields += _other_fields(organization_id, company_filter, names, most_fields)
    return Export(ids, sorted(fields[:most_fields]))


def _scan(
    organization_id: int, company_filter: CompanyFilter, sorting: Sorting, names: list[str]
) -> tuple[list[int], list[str], bool]:
    """Return the ids of companies, which of some fields they have, and if they have any others."""
    where, parameters = filter_condition(organization_id, company_filter)
    looked_for = {f"name_{number}": name for number, name in enumerate(names)}
    [row] = query(  # ids as one value: one row for each company takes far longer to read
        f"select array_agg(id order by {order_of(sorting)}) as ids,"
        f" array[{', '.join(f'bool_or(traits ? %({name})s)' for name in looked_for)}]::boolean[]"
        " as has, bool_or(traits - %(names)s::text[] <> '{}') as has_others"
        f" from companies where {where}",
        parameters | sorting.parameters | looked_for | {"names": names},
    )
    fields = [name for name, has in zip(names, row["has"], strict=True) if has]
    return row["ids"] or [], fields, bool(row["has_others"])


def _other_fields(
    organization_id: int, company_filter: CompanyFilter, names: list[str], limit: int
) -> list[str]:
    where, parameters = filter_condition(organization_id, company_filter)
    rows = query(
        "select distinct field from ("
        f" select traits - %(names)s::text[] as others from companies where {where} offset 0"
        ") matching cross join lateral jsonb_object_keys(others) field where others <> '{}'"
        " limit %(limit)s",
        parameters | {"names": names, "limit": limit},
    )
    return sorted(row["field"] for row in rows)
