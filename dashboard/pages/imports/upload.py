"""The form that takes a file of companies or users."""

from pathlib import PurePath

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config.printable import printable
from dashboard.access import Member, editor
from dashboard.pages.imports.frame import BOUNDS, SUBJECTS, KeptFile, blueprint, keep
from queues.imports.uploads import Upload, digest_of
from services.imports.csv_files.decoding import UnreadableFile
from services.imports.csv_files.table import read_table
from services.imports.customers.file import ImportOptions

LONGEST_NAME = 100


@blueprint.get("")
@editor
def page(_member: Member) -> ResponseReturnValue:
    """Show the form."""
    error = None
    if "expired" in request.args:
        error = "The file is no longer here: it is kept for an hour, until another one. Choose it."
    return _show(error)


@blueprint.post("")
@editor
def upload(member: Member) -> ResponseReturnValue:
    """Keep a file that can be read, and show what it would change."""
    sent, subject = request.files.get("file"), SUBJECTS.get(request.form.get("subject", ""))
    if sent is None or not sent.filename:
        return _show("Choose a file."), 422
    if subject is None:
        return _show("Choose what the rows of the file are."), 422
    with sent.stream:
        content = sent.read()
    try:
        read_table(content, BOUNDS)
    except UnreadableFile as error:
        return _show(str(error)), 422
    name = printable(PurePath(sent.filename.replace("\\", "/")).name)[:LONGEST_NAME]
    digest = digest_of(content)
    keep(member, KeptFile(Upload(name, digest, content, {}), subject, ImportOptions()))
    return redirect(url_for(".preview", digest=digest), 303)


def _show(error: str | None) -> str:
    subject = request.form.get("subject") or request.args.get("of") or "companies"
    return render_template(
        "imports/page.html", error=error, bounds=BOUNDS, subjects=SUBJECTS, chosen=subject
    )
