"""Events as the SDKs of PostHog write them, and records of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from formats.posthog import read
from formats.record import Kind, Record, UnreadableRecord

NOW = datetime(2026, 11, 29, 22, 0, 58, 100000, tzinfo=UTC)
SDK = {"$lib": "posthog-python", "$lib_version": "7.91.1", "$geoip_disable": True}


def event(name: str, properties: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Return an event as posthog 7.91.1 writes it."""
    return {
        "properties": {**SDK, **properties},
        "timestamp": "2026-11-29T22:00:58.062459+00:00",
        "distinct_id": "u1",
        "event": name,
        "uuid": "91d13712-bf62-48a2-ab7e-8fd7049a85a9",
        **parts,
    }


def read_event(name: str, properties: dict[str, Any], **parts: Any) -> Record:
    record = read(event(name, properties, **parts), NOW, "2026-11-29T22:00:58.067590+00:00")
    assert record is not None
    assert record.id == "91d13712-bf62-48a2-ab7e-8fd7049a85a9"
    assert record.at == datetime(2026, 11, 29, 22, 0, 58, 62459, tzinfo=UTC)
    return record


def test_an_event_has_the_company_of_its_groups() -> None:
    properties = {"k": 1, "$groups": {"project": "p", "company": "acme"}, "$set": {"plan": "pro"}}
    record = read_event("report_created", properties)
    assert (record.kind, record.name, record.data) == (Kind.EVENT, "report_created", {"k": 1})
    assert (record.company, record.user) == ({"id": "acme"}, {"plan": "pro", "id": "u1"})
    assert not record.automatic


@pytest.mark.parametrize(
    ("groups", "company"),
    [
        ({}, None),
        ({"project": "p"}, {"id": "p"}),
        ({"project": "p", "team": "t"}, None),
        ({"account": "a", "organization": "o", "team": "t"}, {"id": "o"}),
        ({"company": 7}, {"id": "7"}),
        ({"company": None}, None),
    ],
)
def test_the_company_is_the_group_of_a_known_type_or_the_only_one(
    groups: dict[str, Any], company: Any
) -> None:
    assert read_event("x", {"$groups": groups}).company == company


def test_groupidentify_sets_fields_of_a_company() -> None:
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme"}}
    record = read_event("$groupidentify", group, distinct_id="$company_acme")
    assert (record.kind, record.user) == (Kind.COMPANY, None)
    assert record.company == {"name": "Acme", "id": "acme"}
    for change in ({"$group_type": "project"}, {"$group_type": ["company"]}, {"$group_key": ""}):
        with pytest.raises(UnreadableRecord):
            read(event("$groupidentify", {**group, **change}), NOW)


@pytest.mark.parametrize(
    "sent",
    [
        event("$identify", {"$set": {"email": "a@b.example"}, "$set_once": {"x": 1}}),
        event("$set", {}, **{"$set": {"email": "a@b.example", "x": 1}}),
        event("$set_once", {}, **{"$set_once": {"email": "a@b.example", "x": 1}}),
        event("$identify", {"$set": {"x": 1}, "$set_once": {"x": 2, "email": "a@b.example"}}),
    ],
)
def test_fields_of_a_user_are_set(sent: dict[str, Any]) -> None:
    record = read(sent, NOW)
    assert record is not None
    assert (record.kind, record.user) == (
        Kind.USER,
        {"email": "a@b.example", "x": 1, "id": "u1"},
    )


def test_an_event_without_a_person_has_no_user() -> None:
    record = read_event("x", {"$process_person_profile": False, "$groups": {"company": "acme"}})
    assert (record.company, record.user) == ({"id": "acme"}, None)
    with pytest.raises(UnreadableRecord, match="names nobody"):
        read(event("x", {"$process_person_profile": False}), NOW)
    with pytest.raises(UnreadableRecord, match="`distinct_id`"):
        read(event("$identify", {}, distinct_id=None), NOW)


def test_what_the_sdk_sends_by_itself_is_an_event_that_nobody_may_want() -> None:
    record = read_event("$pageview", {"$current_url": "http://x"})
    assert record.automatic
    assert record.data == {"$current_url": "http://x"}


def test_an_alias_is_nothing() -> None:
    assert read(event("$create_alias", {"distinct_id": "old", "alias": "u1"}), NOW) is None


def test_an_event_may_say_how_long_ago_it_was() -> None:
    sent = {"event": "x", "properties": {"distinct_id": 5}}
    for offset, at in ((1500, NOW - timedelta(seconds=1.5)), (-1, None), ("1", None), (True, None)):
        record = read({**sent, "offset": offset}, NOW)
        assert record is not None
        assert (record.at, record.user) == (at, {"id": "5"})


@pytest.mark.parametrize("sent", [None, [], {"event": 7}, event("x", {"$groups": ["a"]})])
def test_what_is_no_event_is_refused(sent: Any) -> None:
    with pytest.raises(UnreadableRecord):
        read(sent, NOW)
