"""Every phrase in the guide does what its worked example says."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from config.files import ROOT
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.file.rule_file import check_rules, read_rules
from rules.judging.replay import raised_periods, replay

GUIDE = ROOT / "docs" / "health-rules.md"
DAY = datetime(2026, 1, 5, tzinfo=UTC)
END = DAY + timedelta(hours=23)
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*\d:\d\d[^|]*) \| ([^|]*\d:\d\d[^|]*) \|$", re.MULTILINE)
OTHER_KEYS = ("recover", "for", "new_company")

Example = tuple[str, str, str]


def examples() -> list[Example]:
    return [match.groups() for match in ROW.finditer(GUIDE.read_text(encoding="utf-8"))]


def clock(text: str) -> datetime:
    hours, minutes = text.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


def facts(events_column: str) -> FactsInMemory:
    """`9:00`, `9:00 ann`, `9:00 amount=60` and `9:00 nps:9`, which is a field of the company."""
    events, fields = [], []
    for item in events_column.split(", "):
        at, _, rest = item.partition(" ")
        field = re.fullmatch(r"(\w+):(.+)", rest)
        data = re.fullmatch(r"(\w+)=(.+)", rest)
        if field:
            name, value = field.groups()
            date = clock(value).isoformat() if re.fullmatch(r"\d+:\d\d", value) else value
            fields.append(FieldChange(clock(at), name, date))
            events.append(Occurrence(clock(at), "other"))
        elif data:
            events.append(Occurrence(clock(at), "it", dict([data.groups()])))
        else:
            events.append(Occurrence(clock(at), "it", user=rest or None))
    return FactsInMemory(events, fields)


def periods(raised_column: str) -> Iterator[tuple[datetime, datetime]]:
    """`9:00 to 9:04, from 9:14`."""
    for item in raised_column.split(", "):
        start, _, end = item.removeprefix("from ").partition(" to ")
        yield clock(start), clock(end) if end else END


def test_every_kind_of_phrase_has_a_worked_example() -> None:
    assert len(examples()) >= 23


@pytest.mark.parametrize(("phrase", "events", "raised"), examples())
def test_a_worked_example_is_right(phrase: str, events: str, raised: str) -> None:
    when, other_key = phrase, ""
    if phrase.startswith(OTHER_KEYS):
        when, other_key = "less than 2 times in 10 minutes", phrase
    book = read_rules(
        f"version: 1\nevents: {{it: , other: }}\nflags:\n  - flag: F\n    event: it\n"
        f"    when: {{At Risk: {when}}}\n    {other_key}\n"
    )
    replayed = replay(book, facts(events), since=DAY, until=END)
    actual = raised_periods(replayed, "F", "Healthy", since=DAY, until=END)
    assert actual == list(periods(raised))


def test_the_rule_files_in_the_guide_can_be_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [whole, together] = [block for block in blocks if re.search("^flags:", block, re.MULTILINE)]
    assert check_rules(whole).faults == ()
    flags = together.removeprefix("flags:\n")
    checked = check_rules(whole + flags)
    assert (checked.faults, checked.warnings) == ((), ())
