"""The outcomes of companies in the form in which the accuracy of flags is measured."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from models.outcomes import outcomes
from models.outcomes.outcomes import OutcomeKind
from rules.judging.accuracy import CompanyOutcomes, Loss


def outcomes_of(organization_id: int, company_ids: Sequence[int]) -> dict[str, CompanyOutcomes]:
    """Return the outcomes of those companies that have any, by the client's own ids."""
    losses: dict[str, list[Loss]] = defaultdict(list)
    others: dict[str, list[date]] = defaultdict(list)
    for outcome in outcomes.list_for_companies(organization_id, company_ids):
        if outcome.kind is OutcomeKind.LEFT:
            losses[outcome.company].append(Loss(outcome.day, outcome.amount))
        else:
            others[outcome.company].append(outcome.day)
    ids: Iterable[str] = {*losses, *others}
    return {id_: CompanyOutcomes(losses[id_], others[id_]) for id_ in ids}
