"""Reads the outcomes of companies, such as churn: a CSV file of company ids and dates."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cli.errors import CommandError
from cli.output import print_text
from rules.durations import format_instant
from rules.phrases.fields import as_instant
from services.rules.backtest import ReplayPeriod


@dataclass(frozen=True)
class Outcome:
    """The time of a company's outcome, and its line in the file."""

    line: int
    company: str
    at: datetime


def read_outcomes(path: Path) -> list[Outcome]:
    """Read a CSV file with commas or semicolons; a first line without a date is a heading.

    Raises:
        CommandError: the file cannot be read, or lines are wrong; the message lists all of them.
    """
    rows = _read_rows(path)
    outcomes: dict[str, Outcome] = {}
    faults = []
    for line, cells in enumerate(rows, start=1):
        company, date, *_ = [*cells, "", ""]
        if not any(cells) or (line == 1 and not any(c.isdigit() for c in date)):
            continue
        at = as_instant(date)
        if at is None or not company:
            faults.append(f"{path}:{line}: write a company id and a date: company_123,2026-03-31")
        elif company in outcomes:
            first = outcomes[company].line
            faults.append(f"{path}:{line}: {company} occurs twice, first in line {first}")
        else:
            outcomes[company] = Outcome(line, company, at)
    if faults or not outcomes:
        raise CommandError(
            "\n".join(faults)
            or f"{path} names no company; write lines such as company_123,2026-03-31."
        )
    return list(outcomes.values())


def known_outcomes(
    path: Path, outcomes: Iterable[Outcome], companies: Iterable[str], period: ReplayPeriod
) -> dict[str, datetime]:
    """Return the outcomes in a replayed period; print the others to standard error."""
    replayed = set(companies)
    outcome_times = {}
    for outcome in outcomes:
        if outcome.company not in replayed:
            reason = f"there is no company {outcome.company}"
        elif not period.since < outcome.at <= period.until:
            since, until = format_instant(period.since), format_instant(period.until)
            reason = f"{outcome.at:%Y-%m-%d} is not in the replayed time, {since} to {until}"
        else:
            outcome_times[outcome.company] = outcome.at
            continue
        print_text(f"{path}:{outcome.line}: left out: {reason}", err=True)
    return outcome_times


def _read_rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        first_line = text.partition("\n")[0]
        delimiter = ";" if ";" in first_line and "," not in first_line else ","
        return [
            [cell.strip() for cell in row]
            for row in csv.reader(text.splitlines(), delimiter=delimiter)
        ]
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise CommandError(f"{path} is not CSV: {error}.") from None
