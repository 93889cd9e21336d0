"""The examples that docs/architecture.md works by the clock come out as it shows."""

import re
from datetime import UTC, datetime, timedelta

from models.companies.fields.field_merge import Traits, to_microseconds
from rules.book import RuleBook
from rules.facts_in_memory import FactsInMemory, Occurrence
from rules.file.rule_file import read_rules
from rules.judging.replay import raised_periods, replay
from tests.unit.docs.documents import Row, read, rows_of, section

TEXT = read("docs/architecture.md")
DAY = datetime(2026, 1, 5, tzinfo=UTC)


def clock(text: str) -> datetime:
    hours, minutes = re.findall(r"\d+", text)[:2]
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


def rows(heading: str, column: str) -> list[Row]:
    return rows_of(section(TEXT, heading), column)


def book_of(phrase: str) -> RuleBook:
    assert f"*{phrase}*" in TEXT
    flag = f"  - flag: F\n    event: any\n    when: {{At Risk: {phrase}}}\n"
    return read_rules(f"version: 1\nevents: {{it: }}\nflags:\n{flag}")


def events_at(*times: str) -> FactsInMemory:
    return FactsInMemory([Occurrence(clock(time), "it") for time in times], [])


def test_the_verdicts_by_the_nth_latest_event() -> None:
    table = rows("Idea 1: the N-th latest event decides", "clock")
    facts = events_at(*(row["clock"] for row in table if row["what happens"] == "an event"))
    replayed = replay(
        book_of("less than 2 times in 10 minutes"), facts, since=DAY, until=clock("10:00")
    )
    raised = raised_periods(replayed, "F", "Healthy", since=DAY, until=clock("10:00"))
    for row in table:
        at = clock(row["clock"])
        is_raised = any(start <= at < end for start, end in raised)
        assert row["verdict"] == ("At Risk" if is_raised else "Healthy"), row
    ends = [clock(row["due at"]) for row in table if row["due at"][0].isdigit()]
    assert ends == [start for start, _ in raised[1:]]


def test_the_transitions_of_a_late_settlement() -> None:
    facts, until = events_at("9:00", "10:10"), clock("11:00")
    replayed = replay(book_of("no activity for 30 minutes"), facts, since=DAY, until=until)
    recorded = [(t.at, t.after, t.cause.value) for t in replayed.transitions]
    shown = [
        (clock(row["instant"]), row["verdict"], row["recorded"].rsplit("`", 2)[1])
        for row in rows("Idea 3: settlement", "instant")
        if "transition" in row["recorded"]
    ]
    assert recorded == shown


def test_the_times_of_fields_that_a_row_stores() -> None:
    traits = Traits(core={"name": None})
    stored: dict[str, int | None] = {}
    for row in rows("Idea 2: field digests", "clock"):
        at = clock(row["clock"])
        sent = dict(pair.split(" ") for pair in row["event carries"].split(", "))
        of_newest = {name for name, own in traits.stored_fields_at.items() if own is None}
        equal = sent.keys() == of_newest
        assert ("the digest is equal" in row["cost"]) == (
            equal and traits.unchanged_since is not None and traits.unchanged_since <= at
        )
        traits.merge_with_history(sent, at)
        if row["`fields_at`"].startswith("`{"):
            pairs = row["`fields_at`"].strip("`{}").split(", ")
            stored = {
                name: None if time == "null" else to_microseconds(clock(time))
                for name, time in (pair.split(": ") for pair in pairs)
            }
        assert traits.stored_fields_at == stored, row
        assert traits.newest_event_at == clock(row["`last_event_at`"])
