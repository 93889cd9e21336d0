import pytest

from rules.language.parser import parse_condition
from rules.phrases.condition import Level, Truth
from tests.support.rules import at, evaluate, event, facts_of, situation

# Phrases that are true, false, and impossible to evaluate
T, F, N = "company.yes is 1", "company.yes is 2", "company.none is 1"
FIELDS = {"yes": 1}


@pytest.mark.parametrize(
    ("phrase", "holds"),
    [
        (f"{T} and {T}", True),
        (f"{T} and {F}", False),
        (f"{F} and {F}", False),
        (f"{T} and {N}", None),
        (f"{N} and {T}", None),
        (f"{F} and {N}", False),
        (f"{N} and {F}", False),
        (f"{N} and {N}", None),
        (f"{T} or {T}", True),
        (f"{T} or {F}", True),
        (f"{F} or {F}", False),
        (f"{T} or {N}", True),
        (f"{N} or {T}", True),
        (f"{F} or {N}", None),
        (f"{N} or {N}", None),
        (f"not {T}", False),
        (f"not {F}", True),
        (f"not {N}", None),
        (f"not not {T}", True),
        (f"{T} or {T} and {F}", True),
        (f"({T} or {T}) and {F}", False),
        (f"not {F} and {F}", False),
        (f"not ({F} and {F})", True),
        (f"{T} and {T} and {F}", False),
    ],
)
def test_a_part_that_cannot_be_evaluated_matters_only_if_it_could_decide(
    *, phrase: str, holds: Truth
) -> None:
    assert evaluate(phrase, fields=FIELDS).holds is holds


def test_combined_phrases_change_with_the_earliest_and_await_what_any_part_awaits() -> None:
    events = [event(-4), event(-3)]
    early = "at least 2 times in 10 seconds"
    late = "no activity for 10 seconds"
    for word in ("and", "or"):
        finding = evaluate(f"{early} {word} {late}", events)
        assert (finding.changes_at, finding.awaits_event) == (at(6), False)
    assert evaluate(f"{early} and at least 3 times in 10 seconds", events).awaits_event
    assert evaluate(f"not {late}", events).changes_at == at(7)
    assert evaluate(T, fields=FIELDS).changes_at is None


def test_combined_phrases_describe_the_finding_of_each_part() -> None:
    condition = parse_condition(f"less than 5 times in 10 seconds and {T}")
    finding = evaluate(condition, [event(-1)], FIELDS)
    assert condition.describe(finding) == "1 time, company.yes is 1"
    negated = parse_condition("not less than 5 times in 10 seconds")
    description = evaluate(negated, [event(-1)])
    assert negated.describe(description) == "1 time"


def test_combined_phrases_depend_on_everything_their_parts_depend_on() -> None:
    condition = parse_condition(f"not ({T} or flag A is At Risk) and flag B is Healthy")
    assert [name for part in condition for name in part.other_flags] == ["A", "B"]
    assert [name for part in condition for name in part.company_fields] == ["yes"]


@pytest.mark.parametrize(
    ("phrase", "level", "holds"),
    [
        ("flag A is At Risk", 1, True),
        ("flag A is At Risk", 2, False),
        ("flag A is At Risk", 0, False),
        ("flag A is At Risk", None, False),
        ("flag A is At Risk or worse", 1, True),
        ("flag A is At Risk or worse", 2, True),
        ("flag A is At Risk or worse", 0, False),
        ("flag A is At Risk or worse", None, False),
        ("flag A is Healthy", 0, True),
        ("flag A is Healthy", None, False),
        ("flag A is Healthy or worse", 2, True),
        ("flag A is Healthy or worse", None, False),
        ("flag A is N/A", None, True),
        ("flag A is N/A", 0, False),
        ('flag "A" is at risk', 1, True),
    ],
)
def test_a_reference_to_a_flag_compares_its_level(
    *, phrase: str, level: Level, holds: bool
) -> None:
    finding = parse_condition(phrase).evaluate(situation(facts_of(), 0, {"A": level}, {"A": at(9)}))
    assert (finding.holds, finding.changes_at, finding.evidence) == (holds, at(9), level)


def test_a_reference_to_a_flag_is_described() -> None:
    condition = parse_condition("flag A is At Risk")
    description = [
        condition.describe(condition.evaluate(situation(facts_of(), 0, {"A": n}))) for n in (0, 1)
    ]
    assert description == ["flag A is not At Risk", "flag A is At Risk"]


@pytest.mark.parametrize(
    ("phrase", "canonical"),
    [
        (
            "no activity for 1 day AND company.nps < 7",
            "No activity for 1 day and company.nps below 7",
        ),
        ("NOT (no activity for 1 day)", "Not no activity for 1 day"),
        (f"{T} and ({T} or {F})", f"{T} and ({T} or {F})"),
        (f"({T} and {T}) or {F}", f"({T} and {T}) or {F}"),
        (f"{T} and {T} or {F}", f"({T} and {T}) or {F}"),
        ('flag  "Usage  drop" is at risk or worse', 'Flag "Usage  drop" is At Risk or worse'),
    ],
)
def test_combined_phrases_have_a_canonical_form(phrase: str, canonical: str) -> None:
    assert str(parse_condition(phrase)) == canonical
