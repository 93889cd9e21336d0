"""Says in sentences how a file was understood, and which ids its companies or users get."""

from services.imports.customers.comparison import Comparison
from services.imports.customers.file import CustomerFile
from services.imports.customers.mapping import candidates_for_id
from services.imports.customers.targets import (
    COMPANY_PROVIDER_ID,
    LEFT_OUT,
    PROVIDER_ID,
    TIME,
    USERS,
)


def describe_target(file: CustomerFile, target: str) -> str:
    """Return what a column sets as people read it."""
    preset = file.mapping.preset
    if target == PROVIDER_ID and preset:
        name = preset.provider_fields[1]
        return f"id, {name}" if file.mapping.takes_provider_id else name
    if target == COMPANY_PROVIDER_ID and preset:
        return f"company_id, by {preset.provider_fields[1]}"
    return {LEFT_OUT: "left out", TIME: "the time of a row"}.get(target, target)


def notes_on(file: CustomerFile, comparison: Comparison) -> list[str]:
    """Return what is worth knowing about how a file was read."""
    notes = list(file.table.notes)
    if file.own_ids:
        notes.append(
            f"`{file.own_ids}` was taken for the ids: most of its values are ids of"
            f" {file.subject.many} that you have."
        )
    for column in file.mapping.columns:
        found = file.columns.types.get(column.number)
        if found and found.note and column.target != LEFT_OUT:
            notes.append(f"`{column.header}`: {found.note}.")
    if file.repeated:
        rows = "1 row repeats" if file.repeated == 1 else f"{file.repeated:,} rows repeat"
        notes.append(f"{rows} another one and changes nothing.")
    if number := len(comparison.new_companies):
        first = ", ".join(f"`{name}`" for name in sorted(comparison.new_companies)[:5])
        companies = "1 company does" if number == 1 else f"{number:,} companies do"
        notes.append(
            f"{companies} not exist yet and would be created with an id only: {first}"
            f"{' and others' if number > 5 else ''}."
        )
    return notes


def advice_on_ids(file: CustomerFile) -> list[str]:
    """Return where the ids come from if no column has the customer's own, and how to name one."""
    preset, subject = file.mapping.preset, file.subject
    if preset is None or not file.mapping.takes_provider_id:
        return []
    found, taken = file.matched.found, file.matched.taken
    product = preset.title.rpartition(" of ")[2]
    by = " or email" if subject is USERS else ""
    advice = []
    if found:
        verb = "is" if found == 1 else "are"
        advice.append(
            f"{subject.count(found)} of the file {verb} known by the id of {product}{by}."
        )
    if taken:
        advice.append(
            f"{subject.count(taken)} would get the id of {product} as"
            f" {'its' if taken == 1 else 'their'} id. If your application sends other ids with its"
            " events, map the column that has them to `id`."
        )
    return advice


def likely_id_columns(file: CustomerFile) -> list[str]:
    """Return the columns that may have the customer's own ids, where the advice applies."""
    needed = file.mapping.takes_provider_id and file.matched.taken
    return candidates_for_id(file.mapping) if needed else []
