"""Each kind of book, settled in many ways, against a recount; see `histories` for more cases."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook
from tests.support.properties import effort
from tests.unit.rules.oracle.histories import (
    BOOKS,
    END,
    FORGETFUL,
    HISTORIES,
    LAST,
    Company,
)
from tests.unit.rules.oracle.recount import Recount, Sent, crossings

CLOCKS = st.lists(st.integers(0, END), max_size=8)


def followed(
    book: RuleBook, sent: Sequence[Sent], clocks: Sequence[int], lost: Sequence[int] = ()
) -> Company:
    """A company evaluated as its events come, but for those whose message is lost, and by clocks.

    What occurs at one instant is stored before anything is judged at that instant.
    """
    company = Company(book)
    seconds = {one.second for one in sent}
    for second in sorted(seconds | set(clocks)):
        for one in sent:
            if one.second == second:
                company.store(one, second)
        if second in clocks or (company.unsettled_since is not None and second not in lost):
            company.evaluate(second)
    company.evaluate(END)
    return company


@pytest.mark.parametrize("kind", BOOKS)
@effort(0.2)
@given(st.data(), HISTORIES, CLOCKS)
def test_the_record_matches_a_recount(
    kind: str, data: st.DataObject, sent: list[Sent], clocks: list[int]
) -> None:
    book = data.draw(BOOKS[kind])
    recount = Recount(book, sent, END)
    company = followed(book, sent, clocks)
    assert crossings(company.transitions) == recount.crossings()
    assert company.levels == recount.levels(END)


@pytest.mark.parametrize("kind", BOOKS)
@effort(0.2)
@given(st.data(), HISTORIES, CLOCKS, st.lists(st.integers(0, LAST)))
def test_the_record_does_not_depend_on_when_it_was_evaluated(
    kind: str, data: st.DataObject, sent: list[Sent], clocks: list[int], lost: list[int]
) -> None:
    book = data.draw(BOOKS[kind])
    at_once = followed(book, sent, [])
    for company in (
        followed(book, sent, clocks, lost),
        followed(book, sent, range(END)),
        followed(book, sent, [], range(END)),
    ):
        assert company.transitions == at_once.transitions
        assert company.levels == at_once.levels


@pytest.mark.parametrize("kind", FORGETFUL)
@effort(0.2)
@given(st.data(), HISTORIES, CLOCKS, st.data())
def test_levels_match_a_recount_whatever_the_order_of_arrival(
    kind: str, data: st.DataObject, sent: list[Sent], clocks: list[int], arrivals: st.DataObject
) -> None:
    book = data.draw(FORGETFUL[kind])
    lags = st.one_of(st.just(0), st.integers(0, 60), st.integers(0, 120))
    arriving = sorted(
        ((one.second + arrivals.draw(lags), one) for one in [*sent, *sent]), key=lambda a: a[0]
    )
    company = Company(book)
    stored: list[Sent] = []
    for second in sorted({second for second, _ in arriving} | set(clocks) | {END}):
        for one in (one for arrived, one in arriving if arrived == second):
            company.store(one, second)
            stored += [] if any(one is known for known in stored) else [one]
        if stored and (second in clocks or second == END or company.unsettled_since is not None):
            company.evaluate(second)
            assert company.levels == Recount(book, stored, second).levels(second)
