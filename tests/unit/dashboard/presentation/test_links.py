"""Links in notes."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.links import with_links


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("See https://acme.io/a?b=1&c=2.", ["https://acme.io/a?b=1&c=2"]),
        ("(HTTP://acme.io/x_(y)), and https://b.io/?", ["HTTP://acme.io/x_(y)", "https://b.io/"]),
        ("[https://acme.io]", ["https://acme.io"]),
        ("javascript:alert(1) data:text/html,x //acme.io ftp://acme.io", []),
        ('https://acme.io/"onclick="alert(1)', ["https://acme.io/"]),
        ("<a href='https://acme.io'>", ["https://acme.io"]),
        ("https://", []),
    ],
)
def test_addresses_become_links(text: str, addresses: list[str]) -> None:
    html = str(with_links(text))
    assert [unescape(found) for found in re.findall(r'href="([^"]*)"', html)] == addresses
    assert html.count('rel="noopener noreferrer nofollow"') == len(addresses)


@given(st.lists(st.sampled_from(["https://a.io/", "<b>", '"', "'", "&", ")", " ", "x", "\n", "."])))
def test_a_text_is_shown_as_it_was_written(parts: list[str]) -> None:
    text = "".join(parts)
    assert unescape(re.sub(r"</?a\b[^>]*>", "", str(with_links(text)))) == text
