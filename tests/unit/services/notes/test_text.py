"""Web addresses and mentions in the text of a note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.people.mentions import NamedMember
from services.notes.text import AT, Mention, WebAddress, parts_of

ADA = NamedMember(1, "ada@example.com", "Ada")
LOVELACE = NamedMember(2, "a.lovelace@example.com", "Ada Lovelace")
ZOE = NamedMember(3, "zoë@example.com", "Zoë Ōta")
DANA = NamedMember(4, "dana@example.com", "دانا\u200f الخطيب")
UNSEEN = NamedMember(5, "unseen@example.com", "\u2060\u200b")
SAM, OTHER_SAM = NamedMember(6, "sam@a.example", "Sam"), NamedMember(7, "sam@b.example", "sam")
POSING = NamedMember(8, "posing@example.com", "ada@example.com Lovelace")
STREET = NamedMember(9, "s@example.com", "Weiß")
MEMBERS = [ADA, LOVELACE, ZOE, DANA, UNSEEN, SAM, OTHER_SAM, POSING, STREET]


def mentioned(text: str) -> list[tuple[str, list[int]]]:
    return [
        (part.text, [member.person_id for member in part.members])
        for part in parts_of(text, MEMBERS)
        if isinstance(part, Mention)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@ada@example.com, look", [("@ada@example.com", [1])]),
        ("Thanks (@ADA@Example.com).", [("@ADA@Example.com", [1])]),
        ("@Ada and @ada lovelace's team", [("@Ada", [1]), ("@ada lovelace", [2])]),
        ("@zoe ota\n@ZOË ŌTA @zoe\u0308 o\u0304ta!", [("@zoe ota", [3]), ("@ZOË ŌTA", [3]),
                                                      ("@zoe\u0308 o\u0304ta", [3])]),
        ("@zoë@example.com @zoe@example.com", [("@zoë@example.com", [3])]),
        ("مرحبا @دانا الخطيب، شكرا", [("@دانا الخطيب", [4])]),
        ("@\u2068ada@example.com\u2069.", [("@\u2068ada@example.com", [1])]),
        ("@unseen@example.com", [("@unseen@example.com", [5])]),
        ("@WEISS", [("@WEISS", [9])]),
        ("@Sam", [("@Sam", [6, 7])]),
        ("@sam@b.example", [("@sam@b.example", [7])]),
        ("@ada@example.com Lovelace", [("@ada@example.com", [1])]),
        ("a@ada @@ada @ada/@sam@a.example", [("@ada", [1]), ("@sam@a.example", [6])]),
        ("@adam @ada_ @ada_x @ada.b @ada-b @ada@b.example @ada\u0301b", [("@ada", [1])]),
        ("@nobody@example.com ada@example.com @ @ada@example.com.uk", []),
        ("https://example.com/@ada https://ada:x@example.com/(@ada) @Ada", [("@Ada", [1])]),
    ],
)  # fmt: skip
def test_members_are_found_by_their_email_or_name(
    text: str, found: list[tuple[str, list[int]]]
) -> None:
    assert mentioned(text) == found


def test_nobody_is_found_without_members() -> None:
    assert list(parts_of("@ada https://a.example/.")) == [
        "@ada ", WebAddress("https://a.example/"), ".",
    ]  # fmt: skip


@given(
    st.lists(
        st.one_of(
            st.sampled_from([f"{AT}{m.email}" for m in MEMBERS]),
            st.sampled_from([f"{AT}{m.name}" for m in MEMBERS]),
            st.sampled_from([AT, "http://", "https://a.io/@ada", " ", "\u2069", "\u0301", "ß"]),
            st.text(max_size=3),
        )
    )
)
def test_the_parts_are_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    parts = list(parts_of(text, MEMBERS))
    assert "".join(part if isinstance(part, str) else part.text for part in parts) == text


@given(
    st.sampled_from([ADA, LOVELACE, ZOE, DANA, UNSEEN, SAM, POSING]),
    st.sampled_from([str.lower, str.upper, str.title, str.swapcase]),
    st.text(max_size=5),
    st.sampled_from(["", " ", ", ", ".", "\n", ")", "'s", "…"]),
)
def test_a_member_is_found_by_email_in_any_case_after_any_words(
    member: NamedMember, change_case: object, before: str, after: str
) -> None:
    assert callable(change_case)
    text = f"{before} {AT}{change_case(member.email)}{after}"
    [*_, (_, members)] = mentioned(text)
    assert members == [member.person_id]
