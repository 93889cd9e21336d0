"""The examples that ship, as people choose them."""

from config.files import RULE_EXAMPLES
from services.rules.rule_examples import ORDER, find_example, list_examples


def test_every_shipped_example_is_offered_with_its_purpose() -> None:
    files = {p.stem for p in RULE_EXAMPLES.glob("*.yaml") if not p.name.endswith(".test.yaml")}
    examples = list_examples()
    assert {example.name for example in examples} == files
    assert [example.name for example in examples][: len(ORDER)] == [*ORDER]
    for example in examples:
        assert 3 < len(example.title) < 20, example.name
        assert example.purpose[0].isupper(), example.name
        assert example.purpose.endswith((".", "?")), example.name
        assert "yaml" not in f"{example.purpose}{example.advice}", example.name
        assert example.book.flags


def test_an_example_is_found_by_its_name() -> None:
    example = find_example("saas-onboarding")
    assert example is not None
    assert example.title == "Onboarding"
    assert example.purpose.startswith("Does a new customer reach")
    assert example.advice[0].startswith("Send `signup_date` with every event")
    assert find_example("../health") is None
