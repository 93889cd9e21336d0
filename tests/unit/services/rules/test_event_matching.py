"""Which of the events that are sent an example means."""

import pytest

from rules.book import EventSetting
from services.rules.event_matching import suggest_events
from services.rules.rule_examples import find_example


def suggested(key: str, name: str, *sent: str) -> str | None:
    return suggest_events({key: EventSetting(key, name)}, sent)[key]


@pytest.mark.parametrize(
    ("key", "name", "sent"),
    [
        ("report_created", "Report created", "Report Created"),
        ("report_created", "Report created", "reportCreated"),
        ("report_created", "Report created", "created_report"),
        ("report_created", "Report created", "REPORT-CREATED"),
        ("report_created", "Report created", "Report Create"),
        ("report_created", "Report created", "App: Reports created"),
        ("login", "Signed in", "User Logged In"),
        ("login", "Signed in", "signIn"),
        ("login", "Signed in", "user_signed_in"),
        ("ticket_opened", "Ticket opened", "Case Created"),
        ("admin_login", "Administrator signed in", "Admin Signed In"),
        ("session_ended", "Session ended", "Session End"),
        ("invoice_paid", "Invoice paid", "invoice.payment_succeeded"),
        ("émission", "Émission", "ÉMISSION"),
    ],
)
def test_the_same_event_in_other_words_is_suggested(key: str, name: str, sent: str) -> None:
    assert suggested(key, name, "Page Viewed", sent, "Order Completed") == sent


@pytest.mark.parametrize(
    ("key", "name", "sent"),
    [
        ("report_created", "Report created", "Report Deleted"),
        ("report_created", "Report created", "Invoice Created"),
        ("login", "Signed in", "Signed Up"),
        ("login", "Signed in", "Logged Out"),
        ("limit_reached", "Limit reached", "Page Viewed"),
        ("login", "Signed in", "!!"),
        ("login", "Signed in", ""),
    ],
)
def test_another_event_is_not_suggested(key: str, name: str, sent: str) -> None:
    assert suggested(key, name, sent) is None


def test_the_same_key_comes_first_and_each_key_is_suggested_once() -> None:
    example = find_example("seat-adoption")
    assert example is not None
    sent = ["User Logged In", "login", "Admin Login"]
    assert suggest_events(example.book.events, sent) == {
        "login": "login",
        "seat_invited": None,
        "admin_login": "Admin Login",
    }
    assert suggest_events(example.book.events, []) == dict.fromkeys(example.book.events)
