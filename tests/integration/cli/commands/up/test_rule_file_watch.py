"""The watched rule file is applied when it is saved, unless a newer version was made elsewhere."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from cli.commands.up.rule_file_watch import RuleFileWatch
from config.settings import Settings
from models.database import transaction
from models.organizations import organizations, rule_versions
from services.accounts.audit import Maker
from services.notifications.rule_text import UrlKeeper
from services.rules.apply_rules import Origin, apply_rules

RULES = "version: 1\nevents: {login: }\n"
FLAG = "flags:\n  - {flag: Quiet, event: login, when: {At Risk: no activity for 7 days}}\n"

KEEPER = UrlKeeper((Fernet.generate_key().decode(),), (), Maker("brazebee up"))

pytestmark = pytest.mark.usefixtures("settings")


class Watched:
    """A rule file that is checked repeatedly, as by `brazebee up`."""

    def __init__(self, folder: Path, *, organization: bool = True) -> None:
        self.file = folder / "rules.yaml"
        self.logged: list[str] = []
        self.watch = RuleFileWatch(self.file, "default", self.logged.append, KEEPER)
        if organization:
            self.create_organization()

    def create_organization(self) -> None:
        with transaction():
            organizations.create("default")

    def restart(self) -> "Watched":
        """Watch the file again, as the next start of `brazebee up` does."""
        return Watched(self.file.parent, organization=False)

    def save(self, text: str) -> None:
        self.file.write_text(text)

    def check(self, times: int = 2) -> list[str]:
        """Check the file this many times; then return the texts of all versions."""
        for _ in range(times):
            self.watch.check()
        with transaction():
            organization = organizations.find("default")
            if organization is None:
                return []
            return [version.source for version in rule_versions.list_after(organization.id, 0)]


@pytest.fixture
def watched(settings: Settings, tmp_path: Path) -> Watched:
    """A watched file whose first text, `RULES`, is in force."""
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.check()
    return watched


def test_a_save_is_applied_once_it_has_settled(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    assert watched.check(times=1) == []
    watched.save(RULES + FLAG)
    assert watched.check(times=1) == []
    assert watched.check(times=3) == [RULES + FLAG]
    assert "as version 1: 1 event, 1 flag" in watched.logged[0]


def test_a_faulty_save_is_reported_once_and_the_next_good_one_applied(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES + FLAG.replace("7 days", "7 dayz"))
    assert watched.check(times=5) == []
    assert len([line for line in watched.logged if "did you mean `days`?" in line]) == 1
    watched.save(RULES + FLAG)
    assert watched.check() == [RULES + FLAG]


def test_a_missing_file_is_reported_once_and_applied_when_it_is_back(watched: Watched) -> None:
    watched.file.unlink()
    assert watched.check(times=4) == [RULES]
    assert len([line for line in watched.logged if "is gone" in line]) == 1
    watched.save(RULES + FLAG)
    assert watched.check() == [RULES, RULES + FLAG]


def test_an_organization_that_is_created_later_gets_the_rules_then(tmp_path: Path) -> None:
    watched = Watched(tmp_path, organization=False)
    watched.save(RULES)
    assert watched.check() == []
    watched.create_organization()
    assert watched.check() == [RULES]


def test_a_former_version_of_the_file_is_not_an_edit_at_the_first_check(watched: Watched) -> None:
    watched.save(RULES + FLAG)
    watched.check()
    again = watched.restart()
    again.save(RULES)
    assert again.check() == [RULES, RULES + FLAG]
    assert "is the same as version 1, but version 2 is in force" in again.logged[0]
    again.save(RULES + "defaults: {new_company: wait 1 day}\n")
    assert len(again.check()) == 3


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"\x00\x01"])
def test_an_unreadable_file_does_not_end_the_watch(tmp_path: Path, content: bytes) -> None:
    watched = Watched(tmp_path)
    watched.file.write_bytes(content)
    assert watched.check() == []
    assert "was not applied; the previous rules stay in force" in watched.logged[0]
    watched.file.unlink()
    watched.file.mkdir()
    assert watched.check() == []


def edit_in_dashboard(text: str, *, brought_back: int | None = None) -> None:
    apply("ann@acme.com", text, brought_back=brought_back, in_dashboard=True)


def edit_on_the_command_line(text: str, *, brought_back: int | None = None) -> None:
    apply("ann", text, brought_back=brought_back)


def apply(who: str, text: str, *, brought_back: int | None, in_dashboard: bool = False) -> None:
    with transaction():
        organization = organizations.find("default")
        assert organization is not None
        apply_rules(
            organization.id,
            text,
            file="rules",
            applied_by=who,
            now=datetime(2026, 1, 20, tzinfo=UTC),
            origin=Origin(organization.rules_version, brought_back, in_dashboard),
        )


EDITED = RULES + "# by ann\n"


def test_a_save_does_not_replace_a_newer_version_from_the_dashboard(
    watched: Watched,
) -> None:
    edit_in_dashboard(EDITED)
    watched.save(RULES + FLAG)
    assert watched.check(times=4) == [RULES, EDITED]
    refused = [line for line in watched.logged if "is not applied" in line]
    assert len(refused) == 1
    assert "ann@acme.com made version 2 in the dashboard" in refused[0]
    assert f"`brazebee rules show > {watched.file}`" in watched.logged[-1]
    assert f"`brazebee rules apply {watched.file}`" in watched.logged[-1]
    watched.save(RULES + FLAG + "# again\n")
    assert watched.check() == [RULES, EDITED]


def test_edits_are_applied_again_once_the_file_contains_the_dashboards_version(
    watched: Watched,
) -> None:
    edit_in_dashboard(EDITED)
    watched.save("")  # as the shell does at first with `brazebee rules show > FILE`
    watched.check()
    watched.save(EDITED)
    assert watched.check() == [RULES, EDITED]
    assert not any("is not applied" in line for line in watched.logged)
    watched.save(EDITED + FLAG)
    assert watched.check() == [RULES, EDITED, EDITED + FLAG]


def test_edits_are_applied_again_once_a_command_replaced_the_dashboards_version(
    watched: Watched,
) -> None:
    edit_in_dashboard(EDITED)
    watched.save(RULES + FLAG)
    watched.check()
    with transaction():
        apply_rules(1, RULES + FLAG, file="r", applied_by="me", now=datetime.now(UTC))
    watched.save(RULES + FLAG + "# more\n")
    assert watched.check()[2:] == [RULES + FLAG, RULES + FLAG + "# more\n"]


def test_the_dashboards_version_is_not_replaced_after_a_restart_either(watched: Watched) -> None:
    edit_in_dashboard(EDITED)
    watched.save(RULES + FLAG)
    again = watched.restart()
    assert again.check() == [RULES, EDITED]
    assert any("is not applied" in line for line in again.logged)


def test_a_restart_reports_that_the_file_is_older_than_the_dashboards_version(
    watched: Watched,
) -> None:
    edit_in_dashboard(EDITED)
    again = watched.restart()
    assert again.check() == [RULES, EDITED]
    assert any("is not applied: ann@acme.com made version 2" in line for line in again.logged)


def test_an_edit_is_applied_after_the_dashboard_rolled_back_to_the_files_text(
    watched: Watched,
) -> None:
    edit_in_dashboard(EDITED)
    edit_in_dashboard(RULES, brought_back=1)
    watched.save(RULES + FLAG)
    assert watched.check() == [RULES, EDITED, RULES, RULES + FLAG]


def test_line_breaks_do_not_matter_when_the_file_contains_the_dashboards_version(
    watched: Watched,
) -> None:
    edit_in_dashboard(EDITED.replace("\n", "\r\n").rstrip())
    watched.save(EDITED)
    watched.check()
    watched.save(EDITED + FLAG)
    assert watched.check()[-1] == EDITED + FLAG


@pytest.mark.parametrize("restarted", [False, True])
def test_a_save_does_not_replace_a_newer_version_from_the_command_line(
    watched: Watched, *, restarted: bool
) -> None:
    edit_on_the_command_line(EDITED)  # as by `brazebee import events --add-events`
    watched.save(RULES + FLAG)
    again = watched.restart() if restarted else watched
    assert again.check(times=4) == [RULES, EDITED]
    [refused] = [line for line in again.logged if "is not applied" in line]
    assert "ann made version 2 on the command line" in refused
    assert f"`brazebee rules show > {watched.file}`" in again.logged[-1]
    watched.save(EDITED)
    again.check()
    watched.save(EDITED + FLAG)
    assert again.check() == [RULES, EDITED, EDITED + FLAG]


@pytest.mark.parametrize("restarted", [False, True])
def test_an_edit_is_applied_after_a_rollback_on_the_command_line(
    watched: Watched, *, restarted: bool
) -> None:
    watched.save(RULES + FLAG)
    watched.check()
    edit_on_the_command_line(RULES, brought_back=1)
    again = watched.restart() if restarted else watched
    again.check()
    assert not any("is not applied" in line for line in again.logged)
    watched.save(RULES + FLAG + "# mended\n")
    assert again.check()[-1] == RULES + FLAG + "# mended\n"


def test_a_save_does_not_replace_a_version_from_elsewhere_that_a_rollback_repeats(
    watched: Watched,
) -> None:
    edit_on_the_command_line(EDITED)
    edit_on_the_command_line(RULES, brought_back=1)
    edit_on_the_command_line(EDITED, brought_back=2)
    watched.save(RULES + FLAG)
    assert watched.check()[-1] == EDITED
