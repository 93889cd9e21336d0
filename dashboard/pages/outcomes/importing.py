"""The import of outcomes from a CSV file: upload, preview with its mapping, and the import."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePath
from typing import Any

import orjson
from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from werkzeug.exceptions import ServiceUnavailable

from config.printable import printable
from dashboard.access import Member, editor
from dashboard.pages.imports.frame import BOUNDS, FILE
from dashboard.pages.imports.upload import LONGEST_NAME
from dashboard.pages.outcomes.frame import TITLES, blueprint
from dashboard.presentation.csv_export import BYTE_ORDER_MARK
from dashboard.web.context import app_context, now
from dashboard.web.request_values import accept_file
from models.database import read_one_snapshot, transaction
from models.outcomes.outcomes import OutcomeKind
from queues.imports.uploads import Upload, Uploads, digest_of
from services.accounts.audit import Maker
from services.imports.csv_files.decoding import UnreadableFile
from services.imports.csv_files.table import read_table
from services.imports.customers.refused_rows import refused_csv
from services.imports.outcomes.columns import TARGETS, map_columns
from services.imports.outcomes.file import OutcomeFile, OutcomeOptions, read_file
from services.imports.outcomes.loading import OutcomeComparison, OutcomeSource, compare, load

SUBJECT = "outcomes"
"""What is noted of a file, since the import of companies keeps its files in the same place."""

SHOWN = 10
"""Examples of what would be created, and of what would be changed."""

SHOWN_REFUSALS = 50

_DAY_FIRST = {"day": True, "month": False}


@dataclass(frozen=True)
class KeptOutcomes:
    """A file that a person has uploaded, how it is to be loaded, and what its import has done."""

    upload: Upload
    options: OutcomeOptions
    result: Mapping[str, int] | None = None

    @property
    def preview_id(self) -> str:
        """What identifies the file together with the options that a person sees."""
        shown = [self.upload.digest, self.options.as_json()]
        return sha256(orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def notes(self) -> dict[str, Any]:
        """What is kept beside the content."""
        return {"subject": SUBJECT, "options": self.options.as_json(), "result": self.result}


@blueprint.url_value_preprocessor
def accept_larger_form(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Let the form of an upload have a file."""
    if endpoint == "outcomes.upload":
        accept_file(endpoint, values)


@blueprint.get("/import")
@editor
def upload_form(_member: Member) -> ResponseReturnValue:
    """Show the form that takes a file."""
    error = None
    if "expired" in request.args:
        error = "The file is no longer here: it is kept for an hour, until another one. Choose it."
    return _show_form(error)


@blueprint.post("/import")
@editor
def upload(member: Member) -> ResponseReturnValue:
    """Keep a file that can be read, and show what it would change."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _show_form("Choose a file."), 422
    with sent.stream:
        content = sent.read()
    try:
        read_table(content, BOUNDS)
    except UnreadableFile as error:
        return _show_form(str(error)), 422
    name = printable(PurePath(sent.filename.replace("\\", "/")).name)[:LONGEST_NAME]
    kept = KeptOutcomes(Upload(name, digest_of(content), content, {}), OutcomeOptions())
    try:
        uploads = Uploads(app_context().broker.client)
        noted = replace(kept.upload, notes=kept.notes)
        uploads.keep(member.organization.id, member.person.id, noted, now())
    except RedisError as error:
        raise _unavailable() from error
    return redirect(url_for(".preview", digest=kept.upload.digest), 303)


@blueprint.get(f"/import{FILE}")
@editor
def preview(member: Member, digest: str) -> ResponseReturnValue:
    """Show what importing the file would do, or after that, what it has done."""
    kept = _find(member, digest)
    if kept.result is not None:
        return render_template("outcomes/import_result.html", kept=kept, result=kept.result)
    file, comparison = _read(member, kept)
    return render_template(
        "outcomes/import_preview.html",
        kept=kept,
        file=file,
        comparison=comparison,
        rows=len(file.table.rows) + len(file.table.refused),
        examples={c.number: next(file.table.values(c.number), "") for c in file.columns.columns},
        targets=TARGETS,
        kinds=TITLES,
        shown=SHOWN,
        shown_refusals=SHOWN_REFUSALS,
    )


@blueprint.post(f"/import{FILE}")
@editor
def change_mapping(member: Member, digest: str) -> ResponseReturnValue:
    """Keep the mapping of a form, and show what the file would do with it."""
    kept = _find(member, digest)
    _note(member, replace(kept, options=_read_options(kept), result=None))
    return redirect(url_for(".preview", digest=digest), 303)


@blueprint.post(f"/import{FILE}/apply")
@editor
def apply(member: Member, digest: str) -> ResponseReturnValue:
    """Import a file as the preview has shown it."""
    kept, at = _find(member, digest), now()
    if request.form.get("preview") != kept.preview_id:
        flash("The mapping has changed since. This is what would happen now.", "error")
        return redirect(url_for(".preview", digest=digest), 303)
    file, comparison = _read(member, kept)
    if kept.result is None and comparison is not None:
        source = OutcomeSource(kept.upload.name, digest, Maker.of(member.person))
        for _ in load(member.organization.id, file, comparison, source, at):
            pass
        result = {
            "created": len(comparison.created),
            "changed": len(comparison.changed),
            "unchanged": comparison.unchanged,
            "refused": len(file.refused),
        }
        _note(member, replace(kept, result=result))
    return redirect(url_for(".preview", digest=digest), 303)


@blueprint.get(f"/import{FILE}/refused.csv")
@editor
def refused_rows(member: Member, digest: str) -> ResponseReturnValue:
    """Return the refused rows as CSV with their lines and reasons."""
    file, _ = _read(member, _find(member, digest))
    response: Response = make_response(BYTE_ORDER_MARK + refused_csv(file.table, file.refused))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = "attachment; filename=refused.csv"
    return response


def _read(member: Member, kept: KeptOutcomes) -> tuple[OutcomeFile, OutcomeComparison | None]:
    with transaction():
        read_one_snapshot()
        organization_id = member.organization.id
        file = read_file(organization_id, kept.upload.content, kept.options, now(), bounds=BOUNDS)
        return file, None if file.faults else compare(organization_id, file)


def _read_options(kept: KeptOutcomes) -> OutcomeOptions:
    """Return the options of the form; a column that is as shown is no decision."""
    form, given = request.form, kept.options.targets
    shown = map_columns(read_table(kept.upload.content), given, kept.options.kind)
    targets = {}
    for column in shown.columns:
        chosen = form.get(f"column-{column.number}", column.target)
        if chosen != column.target or column.header in given:
            targets[column.header] = chosen
    kind = form.get("kind", "")
    return OutcomeOptions(
        targets,
        OutcomeKind(kind) if kind in list(OutcomeKind) else None,
        _DAY_FIRST.get(form.get("dates", "")),
    )


def _find(member: Member, digest: str) -> KeptOutcomes:
    try:
        uploads = Uploads(app_context().broker.client)
        kept = uploads.find(member.organization.id, member.person.id, digest)
    except RedisError as error:
        raise _unavailable() from error
    if kept is None or kept.notes["subject"] != SUBJECT:
        abort(redirect(url_for(".upload_form", expired=1), 303))
    return KeptOutcomes(kept, OutcomeOptions.from_json(kept.notes["options"]), kept.notes["result"])


def _note(member: Member, kept: KeptOutcomes) -> None:
    try:
        uploads = Uploads(app_context().broker.client)
        uploads.note(member.organization.id, member.person.id, kept.notes, now())
    except RedisError as error:
        raise _unavailable() from error


def _show_form(error: str | None) -> str:
    return render_template("outcomes/import_form.html", error=error, bounds=BOUNDS)


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable(
        "Redis, which keeps the file for the preview, does not respond or is nearly full. The"
        " command `brazebee import outcomes` does without it."
    )
