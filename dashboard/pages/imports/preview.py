"""What a file would create and change: the preview, its mapping, the import, the refused rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor
from dashboard.pages.imports.frame import BOUNDS, FILE, KeptFile, blueprint, find, note
from dashboard.pages.imports.mapping_form import read_options, targets_of
from dashboard.presentation.csv_export import BYTE_ORDER_MARK
from dashboard.web.context import app_context, now
from models.database import read_one_snapshot, transaction
from queues.evaluations import Evaluations
from services.accounts.audit import Maker
from services.imports.csv_files.table import DELIMITERS
from services.imports.customers import explanation
from services.imports.customers.comparison import Comparison, compare
from services.imports.customers.file import CustomerFile, read_file
from services.imports.customers.loading import Source, load
from services.imports.customers.presets import PRESETS
from services.imports.customers.refused_rows import refused_csv

SHOWN = 10
"""Examples of what would be created, and of what would be changed."""

SHOWN_REFUSALS = 50

LONGEST_VALUE = 80
"""Characters of a value before or after a change."""


@dataclass(frozen=True)
class _Preview:
    file: CustomerFile
    comparison: Comparison | None


@blueprint.get(FILE)
@editor
def preview(member: Member, digest: str) -> ResponseReturnValue:
    """Show what importing the file would do, or after that, what it has done."""
    kept = find(member, digest)
    if kept.result is not None:
        return render_template("imports/result.html", kept=kept, result=kept.result)
    read = _read(member, kept, now())
    file = read.file
    return render_template(
        "imports/preview.html",
        kept=kept,
        file=file,
        comparison=read.comparison,
        rows=len(file.table.rows) + len(file.table.refused),
        delimiter=DELIMITERS[file.table.delimiter],
        columns=list(_columns(file)),
        presets=[preset for preset in PRESETS if preset.subject is file.subject],
        notes=[] if read.comparison is None else _notes(file, read.comparison),
        likely_ids=explanation.likely_id_columns(file),
        value=_shown,
        shown=SHOWN,
        shown_refusals=SHOWN_REFUSALS,
    )


@blueprint.post(FILE)
@editor
def change(member: Member, digest: str) -> ResponseReturnValue:
    """Keep the mapping of a form, and show what the file would do with it."""
    kept = find(member, digest)
    note(member, replace(kept, options=read_options(request.form, kept), result=None))
    return redirect(url_for(".preview", digest=digest), 303)


@blueprint.post(f"{FILE}/apply")
@editor
def apply(member: Member, digest: str) -> ResponseReturnValue:
    """Import a file as the preview has shown it."""
    kept, at = find(member, digest), now()
    if request.form.get("preview") != kept.preview_id:
        flash("The mapping has changed since. This is what would happen now.", "error")
        return redirect(url_for(".preview", digest=digest), 303)
    if kept.result is not None:
        return redirect(url_for(".preview", digest=digest), 303)
    read = _read(member, kept, at)
    if read.comparison is None:
        return redirect(url_for(".preview", digest=digest), 303)
    _load(member, kept, read.file, read.comparison, at)
    comparison = read.comparison
    result = {
        "created": comparison.created,
        "changed": comparison.changed,
        "unchanged": comparison.unchanged,
        "refused": len(comparison.refused),
    }
    note(member, replace(kept, result=result))
    return redirect(url_for(".preview", digest=digest), 303)


@blueprint.get(f"{FILE}/refused.csv")
@editor
def refused(member: Member, digest: str) -> ResponseReturnValue:
    """Return the refused rows as CSV with their lines and reasons."""
    kept = find(member, digest)
    read = _read(member, kept, now())
    rows = read.comparison.refused if read.comparison else read.file.refused
    response: Response = make_response(BYTE_ORDER_MARK + refused_csv(read.file.table, rows))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = "attachment; filename=refused.csv"
    return response


def _read(member: Member, kept: KeptFile, at: datetime) -> _Preview:
    with transaction():
        read_one_snapshot()
        file = read_file(
            member.organization.id,
            kept.upload.content,
            kept.subject,
            kept.options,
            at,
            bounds=BOUNDS,
        )
        if file.faults:
            return _Preview(file, None)
        return _Preview(file, compare(member.organization.id, file, at))


def _load(
    member: Member, kept: KeptFile, file: CustomerFile, comparison: Comparison, at: datetime
) -> None:
    context = app_context()
    organization_id = member.organization.id
    evaluations = Evaluations(context.broker.client)
    preset = file.mapping.preset
    source = Source(
        kept.upload.name,
        kept.upload.digest,
        preset.name if preset else None,
        Maker.of(member.person),
    )
    chunks = load(organization_id, file.subject, comparison, context.rulebooks, source, at)
    for loaded in chunks:
        evaluations.enqueue_best_effort([(organization_id, id_) for id_ in loaded.to_evaluate])


def _notes(file: CustomerFile, comparison: Comparison) -> list[str]:
    return [*explanation.notes_on(file, comparison), *explanation.advice_on_ids(file)]


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _columns(file: CustomerFile) -> Iterator[dict[str, Any]]:
    new = set(file.new_fields)
    for column in file.mapping.columns:
        found = file.columns.types.get(column.number)
        yield {
            "column": column,
            "example": next(file.table.values(column.number), ""),
            "kind": found.kind.value if found else "text",
            "new": column.target in new,
            "targets": targets_of(file.mapping, column),
        }
