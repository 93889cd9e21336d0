"""The details of entries of the audit log in words."""

from dashboard.pages.settings.audit_entries import in_words


def test_details_are_in_words_without_what_only_programs_need() -> None:
    detail = {"note": 19, "days": 90, "within": 30, "shared": True, "was": [], "owners": ["a", "b"]}
    assert in_words(detail) == [
        ("period", "90 days"), ("warning within", "30 days"), ("shared", "yes"),
        ("was", "none"), ("owners", "a, b"),
    ]  # fmt: skip


def test_parts_of_a_detail_are_named() -> None:
    assert in_words({"to": {"kind": "left", "amount": None}}) == [("to", "kind left, amount none")]
