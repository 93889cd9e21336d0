"""Why a company stands where it stands, judged live by the rules in force."""

from dataclasses import dataclass
from datetime import datetime

from actors.rulebooks import RuleBooks
from actors.stored_facts import StoredFacts
from models import companies, transitions
from models.companies import Company
from models.transitions import StoredTransition


@dataclass(frozen=True)
class FlagExplanation:
    """One flag: its status now, the threshold behind it, and when it changes if nothing happens."""

    flag: str
    status: str
    threshold: str
    count: int
    changes_at: datetime | None


@dataclass(frozen=True)
class Explanation:
    """A company's recorded health, its flags as judged now, and its history, oldest first."""

    company: Company
    flags: list[FlagExplanation]
    transitions: list[StoredTransition]


def explain(
    organization_id: int, company_id: str, version: int, now: datetime
) -> Explanation | None:
    """Explain the company with the client's own id; None if there is none."""
    found = companies.find(organization_id, company_id)
    if found is None:
        return None
    book = RuleBooks().book(organization_id, version)
    facts = StoredFacts(found.id)
    flags = []
    for flag in book.flags:
        verdict = flag.judge(facts, found.first_seen_at, now)
        flags.append(
            FlagExplanation(
                flag.name,
                book.status_name(verdict.level),
                flag.threshold(verdict.level),
                verdict.count,
                verdict.changes_at,
            )
        )
    return Explanation(found, flags, transitions.of_company(found.id))
