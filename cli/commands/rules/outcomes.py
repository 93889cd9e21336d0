"""Reads what became of customers: a CSV file of company ids and dates."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from cli.errors import CommandError
from rules.durations import format_instant
from rules.phrases.fields import as_instant
from services.rules.backtest import ReplayPeriod


@dataclass(frozen=True)
class Outcome:
    """That a company came to it at an instant, and the line that says so."""

    line: int
    company: str
    at: datetime


def read_outcomes(path: Path) -> list[Outcome]:
    """The outcomes in a CSV file, with commas or semicolons; a first line of words is a heading.

    Raises:
        CommandError: the file cannot be read, or lines of it are wrong; tells all that are.
    """
    rows = _read_rows(path)
    outcomes: dict[str, Outcome] = {}
    wrong = []
    for line, cells in enumerate(rows, start=1):
        company, date, *_ = [*cells, "", ""]
        if not any(cells) or (line == 1 and not any(c.isdigit() for c in date)):
            continue
        at = as_instant(date)
        if at is None or not company:
            wrong.append(f"{path}:{line}: write a company id and a date: company_123,2026-03-31")
        elif company in outcomes:
            first = outcomes[company].line
            wrong.append(f"{path}:{line}: {company} stands twice, first in line {first}")
        else:
            outcomes[company] = Outcome(line, company, at)
    if wrong or not outcomes:
        raise CommandError(
            "\n".join(wrong)
            or f"{path} names no company; write lines such as company_123,2026-03-31."
        )
    return list(outcomes.values())


def known_outcomes(
    path: Path, outcomes: Iterable[Outcome], companies: Iterable[str], stretch: ReplayPeriod
) -> dict[str, datetime]:
    """The outcomes that a backtest can judge; others are told on standard error."""
    known = set(companies)
    judged = {}
    for one in outcomes:
        if one.company not in known:
            reason = f"there is no company {one.company}"
        elif not stretch.since < one.at <= stretch.until:
            since, until = format_instant(stretch.since), format_instant(stretch.until)
            reason = f"{one.at:%Y-%m-%d} is not in the time replayed, {since} to {until}"
        else:
            judged[one.company] = one.at
            continue
        click.echo(f"{path}:{one.line}: left out: {reason}", err=True)
    return judged


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
