"""What messages quote by backticks is code on pages, and never markup of its own."""

import re

import pytest

from dashboard.presentation.inline_code import with_code
from tests.unit.docs.documents import project_files, read


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("There is no flag `Usage`.", "There is no flag <code>Usage</code>."),
        ("`a` refers to `b`", "<code>a</code> refers to <code>b</code>"),
        ("no code", "no code"),
        ("", ""),
        ("a ` alone", "a ` alone"),
        ("`a` and ` alone", "<code>a</code> and ` alone"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
    ],
)
def test_what_is_between_backticks_is_code(text: str, html: str) -> None:
    assert str(with_code(text)) == html


MESSAGE = re.compile(
    r"(?:message|[a-z_.]*(?:fault|error|errors|disabled_because|advice|unreadable|explanation|obstacle))"
)
"""Names of variables with texts from `rules` or `services`, which quote by backticks."""


def test_every_message_on_a_page_shows_its_code() -> None:
    shown = [
        (path, expression)
        for path in project_files()
        if path.startswith("dashboard/templates/")
        for expression in re.findall(r"\{\{-? *([^{}]+?) *-?\}\}", read(path))
        if MESSAGE.fullmatch(expression.split("|")[0].removesuffix(".message"))
    ]
    assert len(shown) > 20
    assert [pair for pair in shown if not pair[1].endswith("|with_code")] == []
