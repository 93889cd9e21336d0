"""Watches the rule file under `brazebee up`: what is saved there is checked and applied."""

from collections.abc import Callable
from pathlib import Path

from cli.commands.rules.files import read_rule_file, show_faults
from cli.commands.rules.prospects import make_plan
from cli.errors import CommandError
from models.companies import companies
from models.database import UNAVAILABLE, transaction
from models.organizations import organizations, rule_versions
from models.organizations.organizations import Organization
from models.organizations.rule_versions import RuleVersion
from rules.durations import pluralize
from rules.file.rule_file import check_rules
from services.rules.apply_rules import Origin, RulesChanged, apply_rules
from services.times import utc_now

PLANNED_COMPANIES = 1_000
"""Up to so many companies it is worked out how many an edit changes, which takes about a second."""

Stamp = tuple[int, int, int]


class RuleFileWatch:
    """One rule file, applied to one organization whenever its text changes.

    A faulty text is refused with its faults, and the last good one stays in force. A text that
    is one of the versions already is no edit: after a rollback a restart does not undo it. An
    edit of a text that the dashboard has changed since is not applied, but told with what to do.
    """

    def __init__(self, file: Path, organization: str, say: Callable[[str], None]) -> None:
        self._file = file
        self._organization = organization
        self._say = say
        self._seen_stamp: Stamp | None = None
        self._done_stamp: Stamp | None = None
        self._seen: str | None = None
        self._known = 0  # the latest version that the file's editor has seen

    def look(self) -> None:
        """Apply the file if it has changed; to be called again and again."""
        stamp = self._current_stamp()
        settled = stamp == self._seen_stamp  # or somebody is still saving
        if stamp is None and settled and self._done_stamp is not None:
            self._say(f"{self._file} is gone; the rules that it held stay in force")
        self._seen_stamp = stamp
        if not settled or stamp == self._done_stamp:
            return
        self._done_stamp = stamp
        if stamp is None:
            return
        try:
            text = read_rule_file(self._file)
            if text != self._seen and not self._take(text):
                self._done_stamp = None
        except CommandError as error:
            self._refuse(error.message)
        except (RulesChanged, *UNAVAILABLE):
            self._done_stamp = None  # looked at again
        except Exception as error:  # noqa: BLE001 -- one file must not end everything
            self._refuse(f"{type(error).__name__}: {error}")

    def _current_stamp(self) -> Stamp | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _take(self, text: str) -> bool:
        """Apply a text that is new here; False if there is no organization yet to apply it to."""
        first_look = self._seen is None
        with transaction():
            organization = organizations.find(self._organization)
            if organization is None:
                return False
            versions = rule_versions.after(organization.id, 0)
            same = [version.version for version in versions if version.source == text]
            unseen = self._unseen(versions, text)
            if unseen is not None:
                if text.strip():  # `rules show > FILE` empties it first
                    self._leave_be(organization, unseen)
            elif not (first_look and same):
                self._apply(organization, text)
            elif organization.rules_version not in same:
                self._say(
                    f"{self._file} says what version {same[-1]} did, and version"
                    f" {organization.rules_version} is in force; an edit of it will be applied"
                )
        self._seen = text
        return True

    def _unseen(self, versions: list[RuleVersion], text: str) -> RuleVersion | None:
        """The latest version that the dashboard made and the file has never held, if any.

        What the file held before was seen by whoever edits it, and all that came before it. After
        a restart nobody knows what that was: then what did not come of the dashboard was seen.
        """
        held_lines = [one.splitlines() for one in (text, self._seen) if one is not None]
        held = [one.version for one in versions if one.source.splitlines() in held_lines]
        if self._seen is None:
            held += [one.version for one in versions if not one.in_dashboard]
        self._known = max([self._known, *held])
        later = [one for one in versions if one.version > self._known and one.in_dashboard]
        return later[-1] if later else None

    def _leave_be(self, organization: Organization, unseen: RuleVersion) -> None:
        org = "" if organization.name == "default" else f" --org {organization.name}"
        self._say(
            f"{self._file} is not applied: {unseen.applied_by} made version {unseen.version} in"
            f" the dashboard, which the file does not know; version {organization.rules_version}"
            " stays in force"
        )
        self._say(
            f"`brazebee rules show{org} > {self._file}` takes that over into the file, and"
            f" `brazebee rules apply {self._file}{org}` puts the file in its place"
        )

    def _apply(self, organization: Organization, text: str) -> None:
        checked = check_rules(text)
        if checked.book is None:
            self._refuse(show_faults(self._file, text, checked.faults))
            return
        for doubt in checked.warnings:
            self._say_lines(doubt.in_context(str(self._file), text))
        planned = None
        if companies.count(organization.id) <= PLANNED_COMPANIES:
            planned = make_plan(organization, checked.book)
        applied = apply_rules(
            organization.id,
            text,
            file=str(self._file),
            applied_by="brazebee up",
            now=utc_now(),
            origin=Origin(began_from=organization.rules_version),
        )
        if applied.changed:
            self._say(
                f"{self._file} is in force as version {applied.version}:"
                f" {pluralize(len(applied.book.events), 'event')},"
                f" {pluralize(len(applied.book.flags), 'flag')};"
                " `brazebee rules rollback` undoes it"
            )
            if planned is not None and planned.companies:
                self._say(
                    f"{len(planned.moving)} of"
                    f" {pluralize(planned.companies, 'company', 'companies')} change status by it"
                )

    def _refuse(self, reason: str) -> None:
        self._say(f"{self._file} was not applied; the rules from before stay in force:")
        self._say_lines(reason)

    def _say_lines(self, text: str) -> None:
        for line in text.splitlines():
            self._say(line)
