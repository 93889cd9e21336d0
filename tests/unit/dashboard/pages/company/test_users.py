"""Which fields of a user a list shows as their values alone."""

from typing import Any

import pytest

from dashboard.pages.company.users import speak_for_themselves


def test_a_few_short_words_are_shown_without_the_names_of_their_fields() -> None:
    assert speak_for_themselves({"role": "admin", "title": "Team Lead"})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"role": "admin", "beta": True},
        {"seats": "12"},
        {"role": "\u200b"},
        {"role": "a" * 37},
        dict.fromkeys("abcd", "word"),
    ],
)
def test_other_values_keep_the_names_of_their_fields(fields: dict[str, Any]) -> None:
    assert not speak_for_themselves(fields)
