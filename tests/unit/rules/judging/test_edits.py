"""What an edit certainly does to a company's flags, whatever was before."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from rules.flags import Flag, FlagMemory
from rules.judging.edits import certain_verdict
from rules.phrases.condition import Level, Situation
from tests.support.properties import effort
from tests.unit.rules.oracle.histories import BOOKS, HISTORIES, LAST, facts_of
from tests.unit.rules.oracle.recount import Sent, at

WITH_MEMORY = st.sampled_from(["for", "recover", "for and recover"]).flatmap(
    lambda kind: BOOKS[kind].map(lambda book: book.flags[0])
)
SECONDS = st.integers(0, LAST + 30)


class NoFlags:
    """Other flags, of which there are none."""

    def level(self, flag: str, _at: datetime) -> Level:
        raise AssertionError(flag)

    def next_change(self, flag: str, _after: datetime) -> datetime | None:
        raise AssertionError(flag)


@effort(10)
@given(
    WITH_MEMORY,
    HISTORIES,
    SECONDS,
    st.builds(
        FlagMemory,
        st.sampled_from([None, 0, 1, 2]),
        st.dictionaries(st.sampled_from([1, 2]), st.integers(-60, 0).map(at)),
    ),
)
def test_a_certain_level_is_that_of_any_memory(
    flag: Flag, sent: list[Sent], second: int, memory: FlagMemory
) -> None:
    situation = Situation(facts_of(sent), flag.selector, at(second), NoFlags())
    certain = certain_verdict(flag, situation)
    if certain is not None:
        assert flag.evaluate(situation, memory).level == certain.level
