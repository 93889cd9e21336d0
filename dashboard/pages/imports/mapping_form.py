"""The form that says which field each column sets."""

from collections.abc import Mapping
from typing import cast

from dashboard.pages.imports.frame import KeptFile
from services.imports.csv_files.field_names import field_name
from services.imports.csv_files.table import read_table
from services.imports.customers import presets
from services.imports.customers.file import NO_PRESET, ImportOptions
from services.imports.customers.mapping import ColumnMapping, MappedColumn, map_columns
from services.imports.customers.targets import (
    COMPANY_ID,
    COMPANY_PROVIDER_ID,
    LEFT_OUT,
    PROVIDER_ID,
    TIME,
    USERS,
)

_DAY_FIRST = {"day": True, "month": False}

_ABBREVIATIONS = {"crm": "CRM", "id": "ID"}


def read_options(form: Mapping[str, str], kept: KeptFile) -> ImportOptions:
    """Return the options that a form asks for.

    The form has a target for each column. One that differs from the target it was shown with is a
    decision by the person, and so is one that was a decision already; the others follow the preset.
    """
    table = read_table(kept.upload.content)
    shown = _preset(kept)
    if shown is None and kept.options.preset is None:
        shown = presets.detect(table, kept.subject)
    mapping = map_columns(table, kept.subject, shown, kept.options.targets)
    targets = {}
    for column in mapping.columns:
        chosen = form.get(f"column-{column.number}", column.target)
        if chosen != column.target or column.header in kept.options.targets:
            targets[column.header] = chosen
    preset = form.get("preset", "")
    known = {p.name for p in presets.PRESETS if p.subject is kept.subject} | {NO_PRESET}
    return ImportOptions(
        preset if preset in known else None,
        targets,
        day_first=_DAY_FIRST.get(form.get("dates", "")),
        change_types="change_types" in form,
    )


def targets_of(mapping: ColumnMapping, column: MappedColumn) -> list[tuple[str, str]]:
    """Return what a column can be mapped to, each with the text to choose it by."""
    subject, preset = mapping.subject, mapping.preset
    texts = {LEFT_OUT: "Leave out", "id": f"ID of the {subject.one}"}
    texts |= {name: _title(name) for name in subject.core}
    if subject is USERS:
        texts[COMPANY_ID] = "ID of the company"
    if preset and preset.provider:
        texts[PROVIDER_ID] = f"ID in {preset.product}"
        if subject is USERS:
            texts[COMPANY_PROVIDER_ID] = f"ID of the company in {preset.product}"
    texts[TIME] = "Time of the row"
    own = field_name(column.header) or f"column_{column.number + 1}"
    for name in (own, column.target):
        texts.setdefault(name, f"Field {name}")
    return list(texts.items())


def _title(field: str) -> str:
    """Return the name of a core field in words, such as `CRM provider ID`."""
    words = " ".join(_ABBREVIATIONS.get(word, word) for word in field.split("_"))
    return words[:1].upper() + words[1:]


def _preset(kept: KeptFile) -> presets.Preset | None:
    name = kept.options.preset
    if name is None or name == NO_PRESET:
        return None
    return cast("presets.Preset", presets.find_preset(name, kept.subject))
