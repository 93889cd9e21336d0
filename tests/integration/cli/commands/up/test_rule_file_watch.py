"""What the watch of the rule file makes of saves, half saves and losses."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.commands.up.rule_file_watch import RuleFileWatch
from models.database import transaction
from models.organizations import organizations, rule_versions
from services.rules.apply_rules import Origin, apply_rules

RULES = "version: 1\nevents: {login: }\n"
FLAG = "flags:\n  - {flag: Quiet, event: login, when: {At Risk: no activity for 7 days}}\n"

pytestmark = pytest.mark.usefixtures("settings")


class Watched:
    """A rule file that is looked at as `brazebee up` does, again and again."""

    def __init__(self, folder: Path, *, organization: bool = True) -> None:
        self.file = folder / "rules.yaml"
        self.said: list[str] = []
        self.watch = RuleFileWatch(self.file, "default", self.said.append)
        if organization:
            self.make_organization()

    def make_organization(self) -> None:
        with transaction():
            organizations.create("default")

    def save(self, text: str) -> None:
        self.file.write_text(text)

    def look(self, times: int = 2) -> list[str]:
        """The texts of the versions after some looks."""
        for _ in range(times):
            self.watch.look()
        with transaction():
            found = organizations.find("default")
            return [v.source for v in rule_versions.after(found.id, 0)] if found else []


def test_a_save_is_applied_once_it_has_settled(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    assert watched.look(times=1) == []
    watched.save(RULES + FLAG)
    assert watched.look(times=1) == []
    assert watched.look(times=3) == [RULES + FLAG]
    assert "as version 1: 1 event, 1 flag" in watched.said[0]


def test_a_faulty_save_is_told_once_and_the_next_good_one_applied(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES + FLAG.replace("7 days", "7 dayz"))
    assert watched.look(times=5) == []
    assert len([line for line in watched.said if "did you mean `days`?" in line]) == 1
    watched.save(RULES + FLAG)
    assert watched.look() == [RULES + FLAG]


def test_a_file_that_is_gone_is_told_once_and_taken_again_when_it_is_back(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    watched.file.unlink()
    assert watched.look(times=4) == [RULES]
    assert len([line for line in watched.said if "is gone" in line]) == 1
    watched.save(RULES + FLAG)
    assert watched.look() == [RULES, RULES + FLAG]


def test_an_organization_that_is_made_later_gets_the_rules_then(tmp_path: Path) -> None:
    watched = Watched(tmp_path, organization=False)
    watched.save(RULES)
    assert watched.look() == []
    watched.make_organization()
    assert watched.look() == [RULES]


def test_a_text_that_was_in_force_once_is_no_edit_at_the_first_look(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    watched.save(RULES + FLAG)
    watched.look()
    again = Watched(tmp_path, organization=False)
    again.save(RULES)
    assert again.look() == [RULES, RULES + FLAG]
    assert "says what version 1 did, and version 2 is in force" in again.said[0]
    again.save(RULES + "defaults: {new_company: wait 1 day}\n")
    assert len(again.look()) == 3


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"\x00\x01"])
def test_what_is_no_rule_file_ends_nothing(tmp_path: Path, content: bytes) -> None:
    watched = Watched(tmp_path)
    watched.file.write_bytes(content)
    assert watched.look() == []
    assert "was not applied; the rules from before stay in force" in watched.said[0]
    watched.file.unlink()
    watched.file.mkdir()
    assert watched.look() == []


def edit_in_dashboard(text: str, *, brought_back: int | None = None) -> None:
    with transaction():
        organization = organizations.find("default")
        assert organization is not None
        apply_rules(
            organization.id,
            text,
            file="rules",
            applied_by="ann@acme.com",
            now=datetime(2026, 1, 20, tzinfo=UTC),
            origin=Origin(organization.rules_version, brought_back, in_dashboard=True),
        )


EDITED = RULES + "# by ann\n"


def test_a_save_does_not_take_the_place_of_what_the_dashboard_made_meanwhile(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    edit_in_dashboard(EDITED)
    watched.save(RULES + FLAG)
    assert watched.look(times=4) == [RULES, EDITED]
    refused = [line for line in watched.said if "is not applied" in line]
    assert len(refused) == 1
    assert "ann@acme.com made version 2 in the dashboard" in refused[0]
    assert f"`brazebee rules show > {watched.file}`" in watched.said[-1]
    assert f"`brazebee rules apply {watched.file}`" in watched.said[-1]
    watched.save(RULES + FLAG + "# again\n")
    assert watched.look() == [RULES, EDITED]


def test_a_file_that_took_over_what_the_dashboard_made_is_applied_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    edit_in_dashboard(EDITED)
    watched.save("")  # as the shell does at first with `brazebee rules show > FILE`
    watched.look()
    watched.save(EDITED)
    assert watched.look() == [RULES, EDITED]
    assert not any("is not applied" in line for line in watched.said)
    watched.save(EDITED + FLAG)
    assert watched.look() == [RULES, EDITED, EDITED + FLAG]


def test_a_file_that_was_put_over_it_by_command_is_applied_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    edit_in_dashboard(EDITED)
    watched.save(RULES + FLAG)
    watched.look()
    with transaction():
        apply_rules(1, RULES + FLAG, file="r", applied_by="me", now=datetime.now(UTC))
    watched.save(RULES + FLAG + "# more\n")
    assert watched.look()[2:] == [RULES + FLAG, RULES + FLAG + "# more\n"]


def test_after_a_restart_too_the_dashboards_version_is_not_replaced(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    edit_in_dashboard(EDITED)
    watched.save(RULES + FLAG)
    again = Watched(tmp_path, organization=False)
    assert again.look() == [RULES, EDITED]
    assert any("is not applied" in line for line in again.said)


def test_a_restart_says_that_the_file_is_behind_the_dashboard(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    edit_in_dashboard(EDITED)
    again = Watched(tmp_path, organization=False)
    assert again.look() == [RULES, EDITED]
    assert any("is not applied: ann@acme.com made version 2" in line for line in again.said)


def test_when_the_dashboard_brought_the_files_text_back_an_edit_of_it_is_applied(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    edit_in_dashboard(EDITED)
    edit_in_dashboard(RULES, brought_back=1)
    watched.save(RULES + FLAG)
    assert watched.look() == [RULES, EDITED, RULES, RULES + FLAG]


def test_a_text_that_was_taken_over_is_known_whatever_its_line_breaks(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.save(RULES)
    watched.look()
    edit_in_dashboard(EDITED.replace("\n", "\r\n").rstrip())
    watched.save(EDITED)
    watched.look()
    watched.save(EDITED + FLAG)
    assert watched.look()[-1] == EDITED + FLAG
