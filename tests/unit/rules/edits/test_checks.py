"""Why an edit is not possible is said in a sentence that names what has to change first."""

import re
from pathlib import Path

import pytest

from config.files import ROOT
from rules.edits.checks import read_edited
from rules.edits.entries import RuleEditError
from rules.edits.flags import remove_flag, set_paused
from rules.faults import as_sentence

RULES = """\
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: }
flags:
  - {flag: Quiet, event: login, when: {At Risk: no activity for 7 days}}
  - {flag: Rare, event: login, when: {At Risk: less than 5 times in 7 days}}
"""
BOTH = "  - {flag: Both, when: {Critical: flag Quiet is At Risk and flag Rare is At Risk}}\n"
WORSE = "  - {flag: Worse, when: {Critical: flag Quiet is At Risk}}\n"
NOTIFY = "notify:\n  - {to: {email: ann@example.com}, when: flag Rare is raised}\n"


@pytest.mark.parametrize(
    ("text", "flag", "message"),
    [
        (RULES + BOTH, "Rare", "`Both` refers to the flag `Rare`; change that first."),
        (
            RULES + BOTH + WORSE,
            "Quiet",
            "`Both` and `Worse` refer to the flag `Quiet`; change that first.",
        ),
        (
            RULES + NOTIFY,
            "Rare",
            "`notify` refers to the flag `Rare`, in line 8; change that first.",
        ),
    ],
)
def test_what_refers_to_a_flag_is_named_where_it_is_removed(
    text: str, flag: str, message: str
) -> None:
    with pytest.raises(RuleEditError) as refused:
        remove_flag(text, flag)
    assert str(refused.value) == message


def test_what_refers_to_a_flag_is_named_where_it_is_paused() -> None:
    with pytest.raises(RuleEditError, match=r"^`Both` refers to the flag `Rare`; change that"):
        set_paused(RULES + BOTH, "Rare", paused=True)


def test_a_message_that_ends_in_a_question_gets_no_full_stop() -> None:
    with pytest.raises(RuleEditError, match=r"did you mean `login`\?$"):
        read_edited(RULES.replace("event: login", "event: logi", 1))
    assert as_sentence("the file is empty") == "the file is empty."


def test_no_message_of_a_fault_is_followed_by_a_full_stop_whatever_it_ends_in() -> None:
    folders = [ROOT / name for name in ("rules", "services", "dashboard", "cli")]
    sources = [path for folder in folders for path in folder.rglob("*.py")]
    found = [_relative(path) for path in sources if re.search(r"\.message\}\.", path.read_text())]
    assert sources
    assert found == []


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))
