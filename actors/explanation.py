"""Why a company stands where it stands, judged live by the rules in force."""

from dataclasses import dataclass
from datetime import datetime

from actors.health import facts_of, settlements_of
from actors.rulebooks import RuleBooks
from models import companies, flag_states, transitions
from models.companies import Company
from models.transitions import StoredTransition
from rules.book import RuleBook
from rules.durations import BEGINNING, LONGEST, shifted
from rules.flags import Flag, Reason
from rules.review import Review, deciding_phrase, review


@dataclass(frozen=True)
class FlagExplanation:
    """One flag, and what it rests on.

    `threshold` is the phrase that decides, in canonical form, `seen` what it found, `lacks` how
    many further events would change it. `changes_at` and `changes_to` tell when it changes if
    nothing happens, and to which status. `line` is where the flag stands in its version of the rules.
    """

    flag: str
    status: str
    reason: Reason
    threshold: str
    seen: str | None
    lacks: str | None
    last_event_at: datetime | None
    changes_at: datetime | None
    changes_to: str | None
    line: int
    note: str | None


@dataclass(frozen=True)
class Explanation:
    """A company's health as judged now, its flags, and its history, oldest first."""

    company: Company
    status: str
    score: int | None
    rules_version: int
    flags: list[FlagExplanation]
    transitions: list[StoredTransition]


def explain(
    organization_id: int, company_id: str, version: int, now: datetime
) -> Explanation | None:
    """Explain the company with the client's own id; None if there is none."""
    company = companies.find(organization_id, company_id)
    if company is None:
        return None
    rulebooks = RuleBooks()
    stored = flag_states.of_company(company.id)
    book, _, settled = settlements_of(company, stored, version, rulebooks, now)[-1]
    facts = facts_of(company)
    found = review(book, settled.state, facts, now=now, until=shifted(now, LONGEST))
    levels = {name: verdict.level for name, verdict in found.verdicts.items()}
    flags = []
    for flag in book.flags:
        last = facts.latest(flag.selector, 1, BEGINNING, now)
        flags.append(_explain_flag(book, flag, found, last[0] if last else None))
    return Explanation(
        company, found.state.status, book.score(levels), version, flags,
        transitions.of_company(company.id),
    )  # fmt: skip


def _explain_flag(
    book: RuleBook, flag: Flag, found: Review, last_event_at: datetime | None
) -> FlagExplanation:
    verdict = found.verdicts[flag.name]
    steps = [step for t in found.coming for step in t.changes if step.flag == flag.name]
    deciding = deciding_phrase(flag, verdict)
    return FlagExplanation(
        flag=flag.name,
        status=book.status_name(verdict.level),
        reason=verdict.reason,
        threshold=str(deciding[0]) if deciding else flag.threshold(verdict.level),
        seen=deciding[0].tell(deciding[1]) if deciding else None,
        lacks=deciding[0].lacks(deciding[1]) if deciding else None,
        last_event_at=last_event_at,
        changes_at=steps[0].at if steps else None,
        changes_to=book.status_name(steps[0].after) if steps else None,
        line=flag.line,
        note=flag.note,
    )
