"""Each kind of book, settled in many ways, compared with a recount."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook
from tests.support.properties import effort
from tests.unit.rules.oracle.histories import (
    BOOKS,
    END,
    HISTORIES,
    LAST,
    MEMORYLESS,
    Company,
)
from tests.unit.rules.oracle.recount import Recount, Sent, crossings

CLOCKS = st.lists(st.integers(0, END), max_size=8)


def play(
    book: RuleBook, sent: Sequence[Sent], clocks: Sequence[int], lost: Sequence[int] = ()
) -> Company:
    """A company evaluated as events arrive, unless their message is lost, and by clocks.

    Events of an instant are stored before the company is evaluated at that instant.
    """
    company = Company(book)
    seconds = {event.second for event in sent}
    for second in sorted(seconds | set(clocks)):
        for event in sent:
            if event.second == second:
                company.store(event, second)
        if second in clocks or (company.unsettled_since is not None and second not in lost):
            company.evaluate(second)
    company.evaluate(END)
    return company


@pytest.mark.parametrize("kind", BOOKS)
@effort(1 / 4)
@given(st.data(), HISTORIES, CLOCKS)
def test_the_record_matches_a_recount(
    kind: str, data: st.DataObject, sent: list[Sent], clocks: list[int]
) -> None:
    book = data.draw(BOOKS[kind])
    recount = Recount(book, sent, END)
    company = play(book, sent, clocks)
    assert crossings(company.transitions) == recount.crossings()
    assert company.levels == recount.levels(END)


@pytest.mark.parametrize("kind", BOOKS)
@effort(1 / 4)
@given(st.data(), HISTORIES, CLOCKS, st.lists(st.integers(0, LAST)))
def test_the_record_does_not_depend_on_when_it_was_evaluated(
    kind: str, data: st.DataObject, sent: list[Sent], clocks: list[int], lost: list[int]
) -> None:
    book = data.draw(BOOKS[kind])
    at_once = play(book, sent, [])
    for company in (
        play(book, sent, clocks, lost),
        play(book, sent, range(END)),
        play(book, sent, [], range(END)),
    ):
        assert company.transitions == at_once.transitions
        assert company.levels == at_once.levels


@pytest.mark.parametrize("kind", MEMORYLESS)
@effort(1 / 4)
@given(st.data(), HISTORIES, CLOCKS, st.data())
def test_levels_match_a_recount_whatever_the_order_of_arrival(
    kind: str, data: st.DataObject, sent: list[Sent], clocks: list[int], arrivals: st.DataObject
) -> None:
    book = data.draw(MEMORYLESS[kind])
    lags = st.one_of(st.just(0), st.integers(0, 60), st.integers(0, 120))
    arriving = sorted(
        ((event.second + arrivals.draw(lags), event) for event in [*sent, *sent]),
        key=lambda a: a[0],
    )
    company = Company(book)
    stored: list[Sent] = []
    for second in sorted({second for second, _ in arriving} | set(clocks) | {END}):
        for event in (event for arrived, event in arriving if arrived == second):
            company.store(event, second)
            stored += [] if any(event is other for other in stored) else [event]
        if stored and (second in clocks or second == END or company.unsettled_since is not None):
            company.evaluate(second)
            assert company.levels == Recount(book, stored, second).levels(second)
