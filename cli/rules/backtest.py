"""`brazebee rules backtest`: what rules would have said of the last months."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from actors.backtesting import Replayed, Stretch, backtest
from actors.times import utc_now
from cli.connection import database_transaction, find_organization
from cli.errors import Refused
from cli.output import json_option, org_option, print_json, print_rows
from cli.progress import with_progress
from cli.rules.files import file_argument, load_rules
from models import companies
from rules.book import RuleBook
from rules.fields import as_instant
from rules.hindsight import Hindsight, Period, look_back
from rules.replay import raised_periods
from rules.variation import variations

ANY_FLAG = "(any flag)"


@click.command("backtest")
@file_argument
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True,
              help="How far back to begin.")  # fmt: skip
@click.option("--outcomes", type=click.Path(path_type=Path), metavar="CSV",
              help="Who churned and when: lines of company id, date.")  # fmt: skip
@click.option("--warning-days", type=click.IntRange(1, 3650), default=60, show_default=True,
              help="How long before an outcome a warning counts.")  # fmt: skip
@org_option
@json_option
def backtest_rules(
    file: Path, days: int, outcomes: Path | None, warning_days: int, org: str, as_json: bool
) -> None:
    """Replay the stored events of the last days through FILE, changing nothing.

    With --outcomes it also says how well each flag would have warned, and how well it would with
    other numbers than the written ones.
    """
    book = load_rules(file).book
    came_to = _read_outcomes(outcomes) if outcomes else {}
    others = _variants(book) if outcomes else []
    until = utc_now()
    stretch = Stretch(until - timedelta(days=days), until)
    with database_transaction() as settings:
        ids = companies.ids_of_organization(find_organization(org).id)
    chunks = backtest(settings, ids, [book, *others], stretch)
    flat = (one for chunk in chunks for one in chunk)
    replayed = list(with_progress(flat, length=len(ids), label="Replaying companies"))
    report = _Report(book, others, replayed, stretch)
    unknown = sorted(came_to.keys() - {one.company for one in replayed})
    if unknown:
        click.echo(f"No such company: {', '.join(unknown[:10])} (from {outcomes}).", err=True)
    known = {company: at for company, at in came_to.items() if company not in unknown}
    horizon = timedelta(days=warning_days)
    if as_json:
        print_json(report.as_plain(known, horizon))
        return
    report.print_changes(days)
    if outcomes:
        click.echo(
            f"\n{len(known)} outcomes; warned means raised within {warning_days} days before.\n"
        )
        print_rows(report.hindsight(known, horizon), as_json=False, empty="")
        click.echo("\nWith other thresholds, each flag's mildest phrase alone:\n")
        print_rows(
            report.thresholds(known, horizon), as_json=False, empty="No flag has a threshold."
        )


class _Report:
    """What came of replaying a book, and variants of its flags, over one stretch."""

    def __init__(
        self, book: RuleBook, others: list[RuleBook], replayed: list[Replayed], stretch: Stretch
    ) -> None:
        self.book = book
        self.others = others
        self.replayed = sorted(replayed, key=lambda one: one.company)
        self.stretch = stretch

    def changes(self) -> list[dict[str, Any]]:
        """How often each flag was raised and cleared, and for how many companies."""
        rows = []
        for name in (*(flag.name for flag in self.book.flags), None):
            periods = self._periods(0, name)
            rows.append(
                {
                    "flag": name or ANY_FLAG,
                    "raised": sum(begun > self.stretch.since for begun, _ in _flat(periods)),
                    "cleared": sum(ended < self.stretch.until for _, ended in _flat(periods)),
                    "companies": sum(1 for company in periods.values() if company),
                    "raised_at_the_end": sum(
                        ended == self.stretch.until for _, ended in _flat(periods)
                    ),
                }
            )
        return rows

    def weeks(self) -> list[dict[str, Any]]:
        """For each week, how often each flag was raised and cleared."""
        counts: Counter[tuple[int, str, str]] = Counter()
        for flag in self.book.flags:
            for begun, ended in _flat(self._periods(0, flag.name)):
                if begun > self.stretch.since:
                    counts[self._week(begun), flag.name, "+"] += 1
                if ended < self.stretch.until:
                    counts[self._week(ended), flag.name, "-"] += 1
        return [
            {"week_from": f"{self.stretch.since + timedelta(weeks=week):%Y-%m-%d}"}
            | {
                flag.name: f"+{counts[week, flag.name, '+']} -{counts[week, flag.name, '-']}"
                for flag in self.book.flags
            }
            for week in range(self._week(self.stretch.until) + 1)
        ]

    def hindsight(
        self, outcomes: Mapping[str, datetime], horizon: timedelta
    ) -> list[dict[str, Any]]:
        """How well each flag warned."""
        names = [*(flag.name for flag in self.book.flags), None]
        return [
            {"flag": name or ANY_FLAG} | _shown(self._look_back(0, name, outcomes, horizon))
            for name in names
        ]

    def thresholds(
        self, outcomes: Mapping[str, datetime], horizon: timedelta
    ) -> list[dict[str, Any]]:
        """How well each variant of a flag would have warned."""
        written = {flag.name: str(flag.conditions[-1][1]) for flag in self.book.flags}
        rows = []
        for number, variant in enumerate(self.others, start=1):
            [flag] = variant.flags
            phrase = str(flag.conditions[-1][1])
            as_written = " (as written)" if phrase == written[flag.name] else ""
            found = self._look_back(number, flag.name, outcomes, horizon)
            rows.append({"flag": flag.name, "phrase": phrase + as_written} | _shown(found))
        return rows

    def as_plain(self, outcomes: Mapping[str, datetime], horizon: timedelta) -> dict[str, Any]:
        """All of it for programs, with every transition."""
        return {
            "since": self.stretch.since,
            "until": self.stretch.until,
            "flags": self.changes(),
            "weeks": self.weeks(),
            "outcomes": self.hindsight(outcomes, horizon) if outcomes else [],
            "thresholds": self.thresholds(outcomes, horizon) if outcomes else [],
            "transitions": [
                {"id": one.company, "at": t.at, "from": t.before, "to": t.after}
                for one in self.replayed
                for t in one.replays[0].transitions
            ],
        }

    def print_changes(self, days: int) -> None:
        """Print how often flags were raised and cleared, in all and by week."""
        click.echo(f"{len(self.replayed)} companies over {days} days:\n")
        print_rows(self.changes(), as_json=False, empty="")
        click.echo("\nRaised (+) and cleared (-) by week:\n")
        print_rows(self.weeks(), as_json=False, empty="")

    def _look_back(
        self,
        number: int,
        flag: str | None,
        outcomes: Mapping[str, datetime],
        horizon: timedelta,
    ) -> Hindsight:
        return look_back(self._periods(number, flag), outcomes, horizon=horizon)

    def _periods(self, number: int, flag: str | None) -> dict[str, list[Period]]:
        """When each company was raised, by the book or the variant with this number."""
        return {
            one.company: raised_periods(
                one.replays[number],
                flag,
                self.book.statuses[0],
                since=self.stretch.since,
                until=self.stretch.until,
            )
            for one in self.replayed
        }

    def _week(self, at: datetime) -> int:
        return (at - self.stretch.since) // timedelta(weeks=1)


def _variants(book: RuleBook) -> list[RuleBook]:
    return [replace(book, flags=(variant,)) for flag in book.flags for variant in variations(flag)]


def _flat(periods: Mapping[str, Iterable[Period]]) -> Iterable[Period]:
    return (period for company in periods.values() for period in company)


def _shown(found: Hindsight) -> dict[str, Any]:
    return {
        "warned": found.warned,
        "missed": found.missed,
        "false_alarms": found.false_alarms,
        "precision": _percent(found.precision),
        "recall": _percent(found.recall),
        "days_of_warning": None
        if found.days_of_warning is None
        else round(found.days_of_warning, 1),
    }


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def _read_outcomes(path: Path) -> dict[str, datetime]:
    """Company ids and the dates of their outcomes; a first line without a date is a heading.

    Raises:
        Refused: the file cannot be read, or a line of it is wrong; tells all that are.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path} cannot be read: {error}.") from None
    outcomes: dict[str, datetime] = {}
    wrong = []
    for number, row in enumerate(rows, start=1):
        if not any(cell.strip() for cell in row):
            continue
        at = as_instant(row[1]) if len(row) > 1 else None
        if at is not None and row[0].strip():
            outcomes[row[0].strip()] = at
        elif number > 1:
            wrong.append(
                f"{path}:{number}: write a company id and a date, such as `acme,2026-03-31`"
            )
    if wrong or not outcomes:
        raise Refused("\n".join(wrong) or f"{path} names no company with a date.")
    return outcomes
