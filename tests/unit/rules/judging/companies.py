"""Companies and rule books with flags that count events `a` and `b`."""

from datetime import timedelta

from rules.book import RuleBook
from rules.facts import Selector
from rules.facts_in_memory import Occurrence
from rules.flags import Flag
from rules.language.parser import parse_condition
from tests.unit.rules.oracle.settlement import STATUSES, Company, at


def flag(name: str, key: str | None, *phrases: tuple[int, str], wait: int = 0) -> Flag:
    """Return a flag with a phrase for each level, worst first."""
    conditions = tuple((level, parse_condition(phrase)) for level, phrase in phrases)
    return Flag(name, Selector(key), conditions, timedelta(seconds=wait))


def book(*flags: Flag, statuses: tuple[str, ...] = STATUSES) -> RuleBook:
    return RuleBook(statuses, {}, flags)


def new_company(*flags: Flag) -> Company:
    return Company(book(*flags))


def arrive(company: Company, key: str, occurred: float, *, arrived: float | None = None) -> None:
    """Store an event that arrives, and evaluate the company if necessary."""
    now = at(occurred if arrived is None else arrived)
    if company.store([Occurrence(at(occurred), key)], now):
        company.evaluate(now)


QUIET = flag("Quiet", "a", (2, "no activity for 20 seconds"), (1, "no activity for 10 seconds"))
BUSY = flag("Busy", "b", (1, "at least 2 times in 10 seconds"))


def evaluated_company(by: RuleBook, *events: Occurrence, now: float) -> Company:
    """Return a company evaluated by a book up to `now`."""
    company = Company(by)
    company.store(events, at(0))
    company.evaluate(at(now))
    return company


A_AT_0 = Occurrence(at(0), "a")
