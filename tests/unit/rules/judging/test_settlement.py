from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook
from rules.facts_in_memory import Occurrence
from rules.judging.state import Cause, Settlement
from tests.support.properties import effort
from tests.unit.rules.oracle.settlement import (
    LIVE_WITHIN,
    NOON,
    Company,
    at,
    books,
    crossings,
    recount,
    recounted_crossings,
    selects,
    windows,
)


@dataclass(frozen=True)
class Step:
    """What happens `after` seconds after the previous step.

    Events of these keys arrive `lag` seconds after they occurred; the message to evaluate may be
    lost. Without keys, the clock evaluates the company.
    """

    after: int
    keys: str = ""
    lag: int = 0
    evaluated: bool = True


FIRST = st.sampled_from("ab")
KEYS = st.text("ab", min_size=1, max_size=2)
LAGS = st.one_of(st.just(0), st.integers(0, 60), st.integers(61, 200))
CLOCK = st.builds(Step, st.integers(0, 30))
# Events of an instant are stored before the clock evaluates at that instant.
IN_ORDER = st.lists(
    st.one_of(st.builds(Step, st.integers(1, 30), KEYS, st.just(0), st.booleans()), CLOCK),
    max_size=14,
)
IN_ANY_ORDER = st.lists(
    st.one_of(st.builds(Step, st.integers(0, 30), KEYS, LAGS), CLOCK), max_size=14
)


@dataclass
class Simulation:
    """A company, the current second, and when the last step took effect."""

    company: Company
    second: int = 0
    effective_at: datetime = NOON

    @property
    def now(self) -> datetime:
        return at(self.second)

    def run_step(self, step: Step) -> list[Settlement]:
        """Run a step; return what was recorded."""
        self.second += step.after
        occurred_at = at(self.second - step.lag)
        self.effective_at = occurred_at if self.now - occurred_at <= LIVE_WITHIN else self.now
        events = [Occurrence(occurred_at, key) for key in step.keys]
        if events and not (self.company.store(events, self.now) and step.evaluated):
            return []
        return self.company.evaluate(self.now)

    def run(self, *steps: Step) -> None:
        for step in steps:
            self.run_step(step)


@effort(2)
@given(books(), FIRST, IN_ORDER)
def test_recorded_crossings_match_a_recount(book: RuleBook, first: str, steps: list[Step]) -> None:
    simulation = Simulation(company := Company(book))
    simulation.run(Step(0, first), *steps, Step(130))
    expected = recounted_crossings([(at(0), book)], company.events, simulation.now)
    assert crossings(company.transitions) == expected
    assert company.levels == company.recounted_levels(simulation.now)


@given(books(), FIRST, IN_ORDER)
def test_the_record_does_not_depend_on_when_it_was_evaluated(
    book: RuleBook, first: str, steps: list[Step]
) -> None:
    at_once, late = Simulation(Company(book)), Simulation(Company(book))
    at_once.run(Step(0, first), *(replace(step, evaluated=True) for step in steps), Step(130))
    late.run_step(Step(0, first, evaluated=False))
    for step in steps:
        late.second += step.after
        late.company.store([Occurrence(late.now, key) for key in step.keys], late.now)
    late.run_step(Step(130))
    assert late.company.transitions == at_once.company.transitions


@given(books(), FIRST, IN_ORDER)
def test_each_crossing_has_a_cause_that_existed(
    book: RuleBook, first: str, steps: list[Step]
) -> None:
    simulation = Simulation(company := Company(book))
    simulation.run(Step(0, first), *steps, Step(130))
    for transition in company.transitions:
        for change in transition.changes:
            flag = book.flags_by_name[change.flag]
            ends = {at(0) + flag.wait} | {
                event.occurred_at + window
                for event in company.events
                if selects(flag, event)
                for window in windows(flag)
            }
            occurred = {event.occurred_at for event in company.events}
            assert change.at in (occurred if change.cause is Cause.EVENT else ends)
        causes = {change.cause for change in transition.changes}
        assert transition.cause is (Cause.EVENT if Cause.EVENT in causes else Cause.TIME)


@given(books(), FIRST, IN_ANY_ORDER)
def test_recorded_levels_match_a_recount_whatever_the_order_of_arrival(
    book: RuleBook, first: str, steps: list[Step]
) -> None:
    simulation = Simulation(company := Company(book))
    for step in [Step(0, first), *steps, Step(130)]:
        if simulation.run_step(step):
            assert company.levels == company.recounted_levels(simulation.now)


@given(books(), FIRST, IN_ANY_ORDER)
def test_a_flag_is_due_no_later_than_time_changes_it(
    book: RuleBook, first: str, steps: list[Step]
) -> None:
    simulation = Simulation(company := Company(book))
    for step in [Step(0, first), *steps]:
        if not simulation.run_step(step) or company.state is None or company.first_seen_at is None:
            continue
        for flag in book.flags:
            state = company.state.flags[flag.name]
            assert state.due_at is None or state.due_at > simulation.now
            ends = {e.occurred_at + window for e in company.events for window in windows(flag)}
            for end in ends | {company.first_seen_at + flag.wait}:
                if end > simulation.now and (state.due_at is None or end < state.due_at):
                    level = recount(flag, company.events, company.first_seen_at, end)
                    assert level == state.level


@given(books(), FIRST, IN_ANY_ORDER)
def test_settling_again_changes_nothing(book: RuleBook, first: str, steps: list[Step]) -> None:
    simulation = Simulation(company := Company(book))
    for step in [Step(0, first), *steps]:
        if simulation.run_step(step):
            for unsettled_since in (None, simulation.effective_at, simulation.now):
                again = company.repeat(simulation.now, unsettled_since)
                assert (again.state, again.transitions) == (company.state, ())


@given(books(), FIRST, IN_ANY_ORDER)
def test_an_event_changes_nothing_before_it_took_effect_or_before_the_last_change(
    book: RuleBook, first: str, steps: list[Step]
) -> None:
    simulation = Simulation(company := Company(book))
    simulation.run_step(Step(0, first))
    for step in steps:
        simulation.run_step(Step(step.after))
        assert company.state is not None
        before = company.state.flags
        for settlement in simulation.run_step(Step(0, step.keys, step.lag)):
            for transition in settlement.transitions:
                for change in transition.changes:
                    assert change.at >= simulation.effective_at
                    assert change.at >= before[change.flag].changed_at


@given(books(), FIRST, IN_ANY_ORDER)
def test_each_transition_starts_where_the_previous_one_ended(
    book: RuleBook, first: str, steps: list[Step]
) -> None:
    Simulation(company := Company(book)).run(Step(0, first), *steps, Step(130))
    status, changed_at = book.statuses[0], None
    levels: dict[str, int] = {}
    for transition in company.transitions:
        assert transition.before == status
        assert transition.changes
        for change in transition.changes:
            assert levels.get(change.flag, 0) == (change.before or 0) != (change.after or 0)
            levels[change.flag] = change.after or 0
        assert transition.after == book.statuses[max(levels.values())]
        if transition.after != status:
            status, changed_at = transition.after, transition.at
    assert company.state is not None
    assert (company.state.status, company.state.changed_at) == (status, changed_at)


@given(books(), FIRST, IN_ANY_ORDER)
def test_the_transitions_of_a_company_never_run_backwards(
    book: RuleBook, first: str, steps: list[Step]
) -> None:
    Simulation(company := Company(book)).run(Step(0, first), *steps, Step(130))
    instants = [transition.at for transition in company.transitions]
    assert instants == sorted(instants)


@given(books(), books(), FIRST, IN_ORDER, IN_ORDER)
def test_crossings_under_new_rules_match_a_recount(
    old: RuleBook, new: RuleBook, first: str, earlier: list[Step], later: list[Step]
) -> None:
    simulation = Simulation(company := Company(old))
    simulation.run(Step(0, first), Step(0), *earlier)
    since = simulation.now + timedelta(milliseconds=500)
    company.apply(new, since)
    simulation.run(Step(1), *later, Step(130))
    expected = recounted_crossings([(at(0), old), (since, new)], company.events, simulation.now)
    assert crossings(company.transitions) == expected
    assert company.levels == company.recounted_levels(simulation.now)
    assert {t.cause for t in company.transitions if t.at == since} <= {Cause.RULE_CHANGE}
    assert Cause.RULE_CHANGE not in {t.cause for t in company.transitions if t.at != since}


@given(books(), books(), FIRST, IN_ANY_ORDER, IN_ANY_ORDER)
def test_levels_under_new_rules_match_a_recount_whatever_the_order_of_arrival(
    old: RuleBook, new: RuleBook, first: str, earlier: list[Step], later: list[Step]
) -> None:
    simulation = Simulation(company := Company(old))
    simulation.run(Step(0, first), *earlier)
    company.apply(new, simulation.now + timedelta(milliseconds=500))
    for step in [Step(1), *later]:
        if simulation.run_step(step):
            assert company.levels == company.recounted_levels(simulation.now)
