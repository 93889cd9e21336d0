"""What the columns of a file of outcomes are: as given, or by their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from models.outcomes.outcomes import OutcomeKind
from services.imports.csv_files.field_names import field_name
from services.imports.csv_files.table import CsvTable
from services.imports.customers.mapping import REFUSED_COLUMNS
from services.imports.customers.targets import LEFT_OUT

COMPANY, KIND, DAY, AMOUNT, NOTE = TARGETS = ("company", "kind", "day", "amount", "note")

_NAMES = {
    COMPANY: (
        *(
            f"{what}_id"
            for what in ("company", "account", "customer", "organization", "org", "workspace")
        ),
        "id", "external_id", "company", "account", "customer",
    ),
    KIND: ("kind", "outcome", "type", "result", "status", "event"),
    DAY: (
        "day", "date", "outcome_date", "churn_date", "churned_at", "churned_on", "left_on",
        "canceled_at", "cancelled_at", "close_date", "closed_at", "renewed_at", "renewed_on",
    ),
    AMOUNT: ("amount", "value", "arr", "mrr", "revenue", "arr_lost", "lost_arr", "amount_lost"),
    NOTE: ("note", "notes", "reason", "comment", "comments", "description"),
}  # fmt: skip
"""Names of columns that probably have each part of an outcome, the likeliest first."""

_WORDS = {
    OutcomeKind.LEFT: (
        "left", "lost", "loss", "churn", "churned", "cancelled", "canceled", "cancellation",
        "closed_lost", "terminated",
    ),
    OutcomeKind.RENEWED: ("renewed", "renewal", "renew", "retained"),
    OutcomeKind.GREW: (
        "grew", "growth", "expansion", "expanded", "upsell", "upgrade", "upgraded", "cross_sell",
    ),
    OutcomeKind.SHRANK: (
        "shrank", "contraction", "contracted", "downgrade", "downgraded", "downsell", "reduction",
    ),
}  # fmt: skip
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words}


def read_kind(text: str) -> OutcomeKind | None:
    """Return the kind that a word of a file means: `Churned` and `closed lost` are `left`."""
    return _KINDS.get(field_name(text))


@dataclass(frozen=True)
class OutcomeColumn:
    """A column with a name, by its number from 0 on, and what it has; `LEFT_OUT` for nothing."""

    number: int
    header: str
    target: str


@dataclass(frozen=True)
class OutcomeColumns:
    """The columns of a file, and why they cannot be used, one sentence for each reason."""

    columns: tuple[OutcomeColumn, ...]
    faults: tuple[str, ...]

    def find(self, target: str) -> OutcomeColumn | None:
        """Return the column that has a part of the outcomes."""
        return next((column for column in self.columns if column.target == target), None)


def map_columns(
    table: CsvTable, given: Mapping[str, str], kind_of_all: OutcomeKind | None
) -> OutcomeColumns:
    """Map the columns of a file; `given` has the targets of headers, and goes before their names.

    `kind_of_all` is the kind of all rows, if no column has it.
    """
    headers = {table.header[number]: number for number in table.used}
    targets: dict[int, str] = {}
    faults = []
    for header, target in given.items():
        if header not in headers:
            close = get_close_matches(header, headers, n=1)
            meant = f" Did you mean `{close[0]}`?" if close else ""
            faults.append(f"The file has no column `{header[:100]}`.{meant}")
        elif target not in (LEFT_OUT, *TARGETS):
            faults.append(f"`{header}` is mapped to `{target[:50]}`; there are {_listed(TARGETS)}.")
        elif target != LEFT_OUT and target in targets.values():
            faults.append(f"Two columns are mapped to `{target}`; leave one of them out.")
        else:
            targets[headers[header]] = target
    for target, names in _NAMES.items():
        free = {
            field_name(header): number
            for header, number in reversed(headers.items())
            if number not in targets and header not in REFUSED_COLUMNS
        }
        found = next((free[name] for name in names if name in free), None)
        needed = target != KIND or kind_of_all is None
        if found is not None and needed and target not in targets.values():
            targets[found] = target
    if not faults:
        faults += _missing(list(headers), targets, kind_of_all)
    columns = (
        OutcomeColumn(number, table.header[number], targets.get(number, LEFT_OUT))
        for number in table.used
    )
    return OutcomeColumns(tuple(columns), tuple(faults))


def _missing(
    headers: list[str], targets: Mapping[int, str], kind_of_all: OutcomeKind | None
) -> list[str]:
    needed = {COMPANY: "the ids of the companies", DAY: "the days"}
    if kind_of_all is None:
        needed[KIND] = "the kind of outcome; or choose one for all rows"
    more = f" and {len(headers) - 20:,} more" if len(headers) > 20 else ""
    return [
        f"No column has {what}. There are {_listed(headers[:20])}{more}."
        for target, what in needed.items()
        if target not in targets.values()
    ]


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
