"""What is sent by a name is accepted as the event that is spelled alike, or as a new one."""

import pytest

from rules.edits.entries import RuleEditError
from rules.file.rule_file import read_rules
from services.rules.event_acceptance import accept_event

TEXT = """\
version: 1
events:
  report_created: {name: Report created}
  login: {name: Signed in, called: [session.begun]}
  pageView:
  page_view:
  old_import: {enabled: false}
"""


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("Report Created", "report_created"),
        ("reportCreated", "report_created"),
        ("REPORT-CREATED", "report_created"),
        ("signed_in", "login"),
        ("Session Begun", "login"),
    ],
)
def test_an_event_that_is_spelled_alike_gets_another_name(sent: str, key: str) -> None:
    text, accepted = accept_event(TEXT, sent)
    assert accepted == key
    before, after = read_rules(TEXT).events, read_rules(text).events
    assert after.keys() == before.keys()
    assert after[key].called == (*before[key].called, sent)


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("Report Deleted", "report_deleted"),
        ("invoice_paid", "invoice_paid"),
        ("Page View", "page_view_2"),  # it is unknown which of the two it is
        ("Old Import", "old_import_2"),  # another name of it would be refused as well
    ],
)
def test_any_other_event_is_a_new_one(sent: str, key: str) -> None:
    text, accepted = accept_event(TEXT, sent)
    assert accepted == key
    assert read_rules(text).events[key].called == (() if key == sent else (sent,))


@pytest.mark.parametrize("sent", ["Report Created", "Old Export"])
def test_a_name_that_events_are_stored_under_stays_their_key(sent: str) -> None:
    text, accepted = accept_event(TEXT, sent, [sent])
    assert accepted == sent
    assert read_rules(text).events[sent].called == ()


def test_a_new_key_is_none_of_those_that_are_stored() -> None:
    text, accepted = accept_event(TEXT, "Report Deleted", ["report_deleted"])
    assert accepted == "report_deleted_2"
    assert accepted in read_rules(text).events


def test_an_event_that_is_refused_on_purpose_is_not_added_again() -> None:
    with pytest.raises(RuleEditError, match="`old_import` is configured already"):
        accept_event(TEXT, "old_import")
