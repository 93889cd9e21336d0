"""Calls as the SDKs of Segment and RudderStack write them, and records of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from formats.record import Kind, Record, UnreadableRecord
from formats.segment import read

NOW = datetime(2026, 11, 29, 22, 0, 57, tzinfo=UTC)
SENT = "2026-11-29T22:00:56.964146+00:00"
AT = datetime(2026, 11, 29, 22, 0, 56, 435000, tzinfo=UTC)


def call(kind: str, **parts: Any) -> dict[str, Any]:
    """Return a call as segment-analytics-python 2.4.0 writes it."""
    return {
        "integrations": {},
        "anonymousId": None,
        "timestamp": "2026-11-29T22:00:56.435+00:00",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "userId": "u1",
        "type": kind,
        "messageId": "9581454e-9245-4d8d-966c-7ccb0abff4af",
        **parts,
    }


def read_call(kind: str, **parts: Any) -> Record:
    record = read(call(kind, **parts), NOW, SENT)
    assert record is not None
    assert (record.id, record.at) == ("9581454e-9245-4d8d-966c-7ccb0abff4af", AT)
    return record


def test_a_track_call_is_an_event_of_its_group() -> None:
    context = {"groupId": "acme", "traits": {"plan": "pro"}}
    record = read_call("track", event="Report Created", properties={"k": 1}, context=context)
    assert (record.kind, record.name, record.data) == (Kind.EVENT, "Report Created", {"k": 1})
    assert record.company == {"id": "acme"}
    assert record.user == {"plan": "pro", "id": "u1"}


def test_a_track_call_without_a_group_leaves_the_company_open() -> None:
    record = read_call("track", event="Report Created")
    assert (record.company, record.user, record.data) == (None, {"id": "u1"}, {})


def test_a_visitor_counts_for_a_company_and_is_no_user() -> None:
    parts: dict[str, Any] = {"userId": None, "anonymousId": "a1", "event": "Seen"}
    record = read_call("track", **parts, context={"groupId": 7})
    assert (record.company, record.user) == ({"id": "7"}, None)
    with pytest.raises(UnreadableRecord, match="names nobody"):
        read(call("track", **parts), NOW)


def test_identify_sets_fields_of_a_user() -> None:
    traits = {"email": "a@b.example", "firstName": "Ann", "lastName": "Lee"}
    record = read_call("identify", traits=traits, context={"traits": {"plan": "pro", "id": "x"}})
    assert (record.kind, record.company, record.data) == (Kind.USER, None, {})
    assert record.user == {**traits, "plan": "pro", "name": "Ann Lee", "id": "u1"}
    assert read_call("identify", traits={**traits, "name": "A"}).user == {
        **traits, "name": "A", "id": "u1",
    }  # fmt: skip
    with pytest.raises(UnreadableRecord, match="`userId`"):
        read(call("identify", userId="", anonymousId="a1"), NOW)


def test_identify_may_name_the_company_of_the_user() -> None:
    own = {"id": 12, "name": "Acme"}
    assert read_call("identify", traits={"company": own}).company == {"id": "12", "name": "Acme"}
    assert read_call("identify", traits={"company": own}).user == {"id": "u1"}
    named = read_call("identify", traits={"company": own}, context={"groupId": "other"})
    assert named.company == {"id": "other"}
    assert read_call("identify", traits={"company": "Acme"}).user == {"company": "Acme", "id": "u1"}


def test_group_sets_fields_of_a_company_and_who_belongs_to_it() -> None:
    record = read_call("group", groupId="acme", traits={"name": "Acme", "seats": 4, "id": "x"})
    assert record.kind is Kind.COMPANY
    assert record.company == {"name": "Acme", "seats": 4, "id": "acme"}
    assert record.user == {"id": "u1"}
    assert read_call("group", groupId="acme", userId=None).user is None
    with pytest.raises(UnreadableRecord, match="`groupId`"):
        read(call("group"), NOW)


@pytest.mark.parametrize(("kind", "name"), [("page", "Page Viewed"), ("screen", "Screen Viewed")])
def test_a_page_or_screen_is_an_event_with_one_name(kind: str, name: str) -> None:
    parts = {"name": "Pricing", "category": "Docs", "properties": {"url": "http://x", "name": "?"}}
    record = read_call(kind, **parts)
    assert (record.kind, record.name, record.automatic) == (Kind.EVENT, name, True)
    assert record.data == {"url": "http://x", "name": "Pricing", "category": "Docs"}
    assert read(call(kind, userId=None, anonymousId="a1"), NOW) is None


def test_an_alias_is_nothing() -> None:
    assert read(call("alias", previousId="old"), NOW) is None


def test_times_are_corrected_by_the_clock_of_the_sender() -> None:
    parts = {"type": "track", "userId": "u1", "event": "x"}
    later = NOW + timedelta(hours=2)
    for given, sent_at, expected in (
        ({"timestamp": SENT}, SENT, datetime(2026, 11, 29, 22, 0, 56, 964146, tzinfo=UTC)),
        ({"originalTimestamp": SENT, "timestamp": "x"}, None, "as it is"),
        ({"originalTimestamp": SENT}, later.isoformat(), "two hours earlier"),
        ({"originalTimestamp": SENT, "sentAt": SENT}, later.isoformat(), "as it is"),
        ({}, SENT, None),
    ):
        as_it_is = datetime(2026, 11, 29, 22, 0, 56, 964146, tzinfo=UTC)
        wanted = {"as it is": as_it_is, "two hours earlier": as_it_is - timedelta(hours=2)}
        record = read({**parts, **given}, NOW, sent_at)
        assert record is not None
        assert record.at == (wanted[expected] if isinstance(expected, str) else expected)


def test_a_request_that_was_long_on_its_way_makes_its_calls_no_later() -> None:
    late = call("identify", timestamp=SENT)
    for delay, moved in ((timedelta(minutes=4), False), (timedelta(minutes=6), True)):
        record = read(late, datetime.fromisoformat(SENT) + delay, SENT)
        assert record is not None
        assert record.at == datetime.fromisoformat(SENT) + (delay if moved else timedelta(0))


def test_a_call_of_rudderstack_is_read_the_same_way() -> None:
    sent = {
        "anonymousId": None,
        "timestamp": "2026-11-29T22:00:57.238901+00:00",
        "context": {"traits": {"email": "a@b.example"}, "library": {"version": "2.1.9"}},
        "type": "identify",
        "userId": "u1",
        "messageId": "38d9abe6-6f62-4c2e-8290-6181f15f7f46",
        "channel": "server",
    }
    record = read(sent, NOW)
    assert record is not None
    assert record.user == {"email": "a@b.example", "id": "u1"}


@pytest.mark.parametrize(
    ("sent", "message", "path"),
    [
        (7, "A call is an object, and this is a number", ()),
        ({}, "`type` is one of", ("type",)),
        ({"type": ["track"]}, "`type` is one of", ("type",)),
        (call("track"), "`event` has to be a text", ("event",)),
        (call("track", event=" "), "`event` has to be a text", ("event",)),
        (call("track", event="x", userId=True), "not true or false", ("userId",)),
        (call("track", event="x", properties=[]), "this is a list", ("properties",)),
        (call("track", event="x", context={"traits": 1}), "a number", ("context", "traits")),
        (call("track", event="x", timestamp="soon"), "Invalid time", ("timestamp",)),
        (call("track", event="x", timestamp=17), "Invalid time", ("timestamp",)),
        (call("track", event="x", messageId={}), "not an object", ("messageId",)),
    ],
)
def test_a_fault_says_where_it_is(sent: Any, message: str, path: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableRecord, match=message) as raised:
        read(sent, NOW)
    assert raised.value.path == path
