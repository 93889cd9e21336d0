"""The questions that pages ask about all companies of an organization, and their text form."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson

from models.events.events import Filters


@dataclass(frozen=True)
class Adoption:
    """How many companies use an event: ever, and in the last 30 days."""

    event_key: str


@dataclass(frozen=True)
class Distribution:
    """How many companies had how many events, or distinct users, in a window that ends now.

    With a `flag`, only companies for which the flag is not N/A count.
    """

    event_key: str | None
    where: Filters
    window: timedelta
    users: bool
    flag: str | None = None


@dataclass(frozen=True)
class Uptake:
    """How the number of companies that have used an event grew, week by week for a year."""

    event_key: str


@dataclass(frozen=True)
class Cohorts:
    """Companies by the value of a field: how many, how many active in 30 days, how often."""

    field: str
    event_key: str


@dataclass(frozen=True)
class OutcomeReport:
    """How well flags warned of the companies that left, within `horizon` days before."""

    horizon: int


Question = Adoption | Uptake | Distribution | Cohorts | OutcomeReport


def write_question(question: Question) -> str:
    """Return a question as text; equal questions have equal texts."""
    fields: dict[str, Any] = {"asks": type(question).__name__, **vars(question)}
    if isinstance(question, Distribution):
        fields["window"] = round(question.window.total_seconds())
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()


def read_question(text: str) -> Question:
    """Read the text form of a question.

    Raises:
        ValueError: it is not the text of a question.
    """
    try:
        fields = orjson.loads(text)
        match fields.pop("asks"):
            case "Adoption":
                return Adoption(**fields)
            case "Uptake":
                return Uptake(**fields)
            case "Cohorts":
                return Cohorts(**fields)
            case "OutcomeReport":
                return OutcomeReport(**fields)
            case "Distribution":
                question = Distribution(**fields)
                return replace(question, window=timedelta(seconds=fields["window"]))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no question: {text}") from error
    raise ValueError(f"no question: {text}")
