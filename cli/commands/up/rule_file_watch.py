"""Watches the rule file under `brazebee up`: every save is checked and applied."""

from collections.abc import Callable
from pathlib import Path

from cli.commands.rules.files import read_rule_file, show_faults
from cli.commands.rules.planned_changes import make_plan
from cli.errors import CommandError
from config.printable import printable
from models.companies import companies
from models.database import UNAVAILABLE, transaction
from models.organizations import organizations, rule_versions
from models.organizations.organizations import Organization
from models.organizations.rule_versions import RuleVersion
from rules.durations import pluralize
from rules.faults import RuleFileError
from rules.file.rule_file import check_rules
from services.accounts.audit import FIRST_START
from services.notifications.rule_text import UrlKeeper, with_known_names
from services.rules.apply_rules import Origin, RulesChanged, apply_rules
from services.times import utc_now

PLANNED_COMPANIES = 1_000
"""The largest organization for which the effect of an edit is computed, in about a second."""

THE_WATCH = "brazebee up"
"""Who applied a version that was read from a watched file, beside `FIRST_START`."""

Stamp = tuple[int, int, int]


class RuleFileWatch:
    """One rule file, applied to one organization whenever its text changes.

    A faulty text is refused with its faults, and the last good version stays in force. On start, a
    text that equals an earlier version is not an edit: a restart does not undo a rollback. While a
    version that was made elsewhere is in force, an edit is not applied, but reported with a remedy.
    """

    def __init__(
        self, file: Path, organization: str, log: Callable[[str], None], keeper: UrlKeeper
    ) -> None:
        self._file = file
        self._organization = organization
        self._print = log
        self._keeper = keeper
        self._handled_file_text: str | None = None
        self._last_stamp: Stamp | None = None
        self._handled_stamp: Stamp | None = None
        self._handled_text: str | None = None
        self._seen_versions: set[int] = set()

    def check(self) -> None:
        """Apply the file if it has changed; call this often."""
        stamp = self._current_stamp()
        settled = stamp == self._last_stamp  # otherwise a save may be in progress
        if stamp is None and settled and self._handled_stamp is not None:
            self._log(f"{self._file} is gone; its last rules stay in force")
        self._last_stamp = stamp
        if not settled or stamp == self._handled_stamp:
            return
        self._handled_stamp = stamp
        if stamp is None:
            return
        try:
            text = read_rule_file(self._file)
            if text != self._handled_file_text:
                if self._handle(text):
                    self._handled_file_text = text
                else:
                    self._handled_stamp = None
        except CommandError as error:
            self._refuse(error.message)
        except RuleFileError as error:
            self._refuse(str(error))
        except (RulesChanged, *UNAVAILABLE):
            self._handled_stamp = None  # try again at the next check
        except Exception as error:  # noqa: BLE001 -- a bad file must not stop the product
            self._refuse(f"{type(error).__name__}: {error}")

    def _current_stamp(self) -> Stamp | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _handle(self, file_text: str) -> bool:
        """Apply a new text if it is an edit; return False if the organization does not exist.

        Versions have the names of destinations in place of their URLs, and so they are compared.
        """
        first_check = self._handled_text is None
        with transaction():
            organization = organizations.find(self._organization)
            if organization is None:
                return False
            text = self._with_names(organization, file_text)
            versions = rule_versions.list_after(organization.id, 0)
            same = [version.version for version in versions if version.source == text]
            unseen = self._unseen_version(versions, text)
            if unseen is not None:
                if text.strip():  # `rules show > FILE` empties the file first
                    self._report_conflict(organization, unseen)
            elif not (first_check and same):
                self._apply(organization, text)
            elif organization.rules_version not in same:
                self._log(
                    f"{self._file} is the same as version {same[-1]}, but version"
                    f" {organization.rules_version} is in force; the next edit will be applied"
                )
            self._handled_text = self._with_names(organization, file_text)
        return True

    def _with_names(self, organization: Organization, text: str) -> str:
        return with_known_names(organization.id, text, self._keeper.secret_keys)

    def _unseen_version(self, versions: list[RuleVersion], text: str) -> RuleVersion | None:
        """Return the version in force if the file's editor has not seen it.

        The editor has seen the versions that equal a text of the file, and, after a restart too,
        those that `brazebee up` applied. A rollback on the command line is seen if the version that
        it repeats is, so that an edit can follow it.
        """
        texts = [t.splitlines() for t in (text, self._handled_text) if t is not None]
        self._seen_versions.update(
            version.version
            for version in versions
            if version.applied_by in (FIRST_START, THE_WATCH)
            or version.source.splitlines() in texts
        )
        by_number = {version.version: version for version in versions}
        origin = versions[-1] if versions else None
        while origin is not None and origin.version not in self._seen_versions:
            if origin.brought_back is None or origin.in_dashboard:
                return versions[-1]
            origin = by_number.get(origin.brought_back)
        return None

    def _report_conflict(self, organization: Organization, unseen: RuleVersion) -> None:
        org = "" if organization.name == "default" else f" --org {organization.name}"
        where = "in the dashboard" if unseen.in_dashboard else "on the command line"
        self._log(
            f"{self._file} is not applied: {unseen.applied_by} made version {unseen.version}"
            f" {where}, and the file does not contain it; version {unseen.version} stays in force"
        )
        self._log(
            f"`brazebee rules show{org} > {self._file}` copies that version into the file, and"
            f" `brazebee rules apply {self._file}{org}` replaces it with the file"
        )

    def _apply(self, organization: Organization, text: str) -> None:
        checked = check_rules(text)
        if checked.book is None:
            self._refuse(show_faults(self._file, text, checked.faults))
            return
        for warning in checked.warnings:
            self._log_lines(warning.in_context(str(self._file), text))
        planned = None
        if companies.count(organization.id) <= PLANNED_COMPANIES:
            planned = make_plan(organization, checked.book)
        applied = apply_rules(
            organization.id,
            text,
            file=str(self._file),
            applied_by=THE_WATCH,
            now=utc_now(),
            origin=Origin(based_on=organization.rules_version, keeper=self._keeper),
        )
        for kept in applied.kept_urls:
            self._log(f"{self._file}: {kept}")
        if applied.changed:
            self._log(
                f"{self._file} is in force as version {applied.version}:"
                f" {pluralize(len(applied.book.events), 'event')},"
                f" {pluralize(len(applied.book.flags), 'flag')};"
                " `brazebee rules rollback` undoes it"
            )
            if planned is not None and planned.companies:
                self._log(
                    f"{len(planned.moving)} of"
                    f" {pluralize(planned.companies, 'company', 'companies')} change status"
                )

    def _refuse(self, reason: str) -> None:
        self._log(f"{self._file} was not applied; the previous rules stay in force:")
        self._log_lines(reason)

    def _log(self, line: str) -> None:
        self._print(printable(line))

    def _log_lines(self, text: str) -> None:
        for line in text.splitlines():
            self._log(line)
