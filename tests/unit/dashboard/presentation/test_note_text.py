"""Links and mentions in notes."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.note_text import note_text
from models.people.mentions import NamedMember


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
    html = str(note_text(text))
    assert [unescape(found) for found in re.findall(r'href="([^"]*)"', html)] == addresses
    assert html.count('rel="noopener noreferrer nofollow"') == len(addresses)


@given(st.lists(st.sampled_from(["https://a.io/", "<b>", '"', "'", "&", ")", " ", "x", "\n", "."])))
def test_a_text_is_shown_as_it_was_written(parts: list[str]) -> None:
    text = "".join(parts)
    assert unescape(re.sub(r"</?a\b[^>]*>", "", str(note_text(text)))) == text


def test_a_mention_shows_the_present_name_and_marks_that_of_the_reader() -> None:
    members = [
        NamedMember(1, "ada@example.com", '<b>"Ada"</b>'),
        NamedMember(2, "unseen@example.com", "\u200b"),
    ]
    html = str(note_text("@ada@example.com, @UNSEEN@example.com & @c@example.com", members, 2))
    assert html == (
        '<span class="mention" title="ada@example.com">'
        "@<bdi>&lt;b&gt;&#34;Ada&#34;&lt;/b&gt;</bdi></span>, "
        '<span class="mention own" title="unseen@example.com">'
        "@<bdi>unseen@example.com</bdi></span> &amp; @c@example.com"
    )
