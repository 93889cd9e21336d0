import pytest

from cli.errors import CommandError
from cli.event_imports.columns import map_columns, typed


def test_usual_names_are_guessed_and_the_others_are_data() -> None:
    names = ["Account ID", "accountName", "userId", "Event Name", "Timestamp", "amount", "uuid"]
    assert map_columns(names, {}).targets == {
        "Account ID": "company.id",
        "userId": "user.id",
        "Event Name": "event",
        "Timestamp": "time",
        "uuid": "id",
        "accountName": "company.name",
        "amount": "data.amount",
    }


def test_chosen_columns_take_precedence_and_a_dash_leaves_one_out() -> None:
    names = ["company", "customer", "event", "time", "secret", "seats"]
    chosen = {"customer": "company.id", "secret": "-", "seats": "company.seats"}
    assert map_columns(names, chosen).targets == {
        "customer": "company.id",
        "seats": "company.seats",
        "company": "company.name",
        "event": "event",
        "time": "time",
    }


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"x": "id"}, "There is no column `x`"),
        ({"a": "company"}, "`a=company`: a column becomes"),
        ({"a": "company.id", "b": "company.id"}, "Two columns are mapped to `company.id`"),
        ({"a": "company.id"}, '--map "b=event"'),
    ],
)
def test_mistakes_are_explained(chosen: dict[str, str], message: str) -> None:
    with pytest.raises(CommandError, match=r"`") as raised:
        map_columns(["a", "b"], chosen)
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), ("-3.50", -3.5), ("0", 0), ("007", "007"), ("1e5", "1e5"), ("true", True),
        ("False", False), ("truth", "truth"), ("1234567890123456", "1234567890123456"),
        ("2024-01-20", "2024-01-20"), ("-", "-"),
    ],
)  # fmt: skip
def test_texts_of_tables_become_numbers_and_truth_values(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)
