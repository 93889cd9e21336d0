"""What the pages of an import share: their limits, and the file that a person has uploaded."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import orjson
from flask import Blueprint, abort, redirect, url_for
from redis.exceptions import RedisError
from werkzeug.exceptions import ServiceUnavailable

from dashboard.access import Member
from dashboard.web.context import app_context, now
from dashboard.web.request_values import LARGEST_UPLOAD, accept_file
from queues.imports.uploads import Upload, Uploads
from services.imports.csv_files.table import Bounds
from services.imports.customers.file import ImportOptions
from services.imports.customers.targets import COMPANIES, USERS, Subject

blueprint = Blueprint("import_companies", __name__, url_prefix="/o/<name:organization>/import")

BOUNDS = Bounds(bytes=LARGEST_UPLOAD, rows=10_000, columns=500)
"""What a page shows and applies in the time of a request; the command takes larger files."""

SUBJECTS: dict[str, Subject] = {subject.many: subject for subject in (COMPANIES, USERS)}

FILE = "/<string(length=64):digest>"
"""A page of the file with this SHA-256."""


blueprint.url_value_preprocessor(accept_file)


@dataclass(frozen=True)
class KeptFile:
    """A file that a person has uploaded, and how it is to be loaded.

    `result` is what its import has done, None before it.
    """

    upload: Upload
    subject: Subject
    options: ImportOptions
    result: dict[str, int] | None = None

    @property
    def preview_id(self) -> str:
        """What identifies the file together with the options that a person sees."""
        shown = [self.upload.digest, self.subject.many, self.options.as_json()]
        return sha256(orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def notes(self) -> dict[str, Any]:
        """What is kept beside the content."""
        return {
            "subject": self.subject.many,
            "options": self.options.as_json(),
            "result": self.result,
        }


def keep(member: Member, file: KeptFile) -> None:
    """Keep a file for an hour in place of the person's former one."""
    upload = replace(file.upload, notes=file.notes)
    try:
        _uploads().keep(member.organization.id, member.person.id, upload, now())
    except RedisError as error:
        raise _unavailable() from error


def note(member: Member, file: KeptFile) -> None:
    """Keep how a file is to be loaded, or what was loaded."""
    try:
        _uploads().note(member.organization.id, member.person.id, file.notes, now())
    except RedisError as error:
        raise _unavailable() from error


def find(member: Member, digest: str) -> KeptFile:
    """Return a file of a person; without it, begin anew."""
    try:
        upload = _uploads().find(member.organization.id, member.person.id, digest)
    except RedisError as error:
        raise _unavailable() from error
    subject = SUBJECTS.get(upload.notes["subject"]) if upload else None
    if upload is None or subject is None:
        abort(redirect(url_for(".page", expired=1), 303))
    notes = upload.notes
    return KeptFile(
        upload,
        subject,
        ImportOptions.from_json(notes["options"]),
        notes["result"],
    )


def _uploads() -> Uploads:
    return Uploads(app_context().broker.client)


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable(
        "Redis, which keeps the file for the preview, does not respond or is nearly full. The"
        " command `brazebee import` does without it."
    )
