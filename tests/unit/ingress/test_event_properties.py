from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields, validate

from ingress.event.fields import Name, Nested, Text
from ingress.event.plain import derive
from ingress.event.schema import EventSchema, InvalidEvent, recognize, validate_event
from ingress.event.valid_event import ValidEvent
from ingress.strict_json import read_json
from tests.support.ingress.event_payloads import NOT_A_TIME, NOW, company, event, occurred_at
from tests.support.json_values import json_values


def test_a_small_event_cannot_cause_a_response_of_megabytes() -> None:
    body = orjson.dumps(event(data={"k" * 14_000: ["\x00"] * 1_900}))
    assert len(body) < 32 * 1024
    with pytest.raises(InvalidEvent) as raised:
        validate_event(read_json(body).value, NOW)
    assert len(orjson.dumps(raised.value.details)) < 1_000_000


any_text = st.text(max_size=8) | st.sampled_from(["\x00", "a" * 201, " ", "john@acme.com"])

any_json = json_values(any_text)

names = st.text(min_size=1, max_size=10)

times = (
    st.datetimes().map(datetime.isoformat)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.dates().map(lambda date: date.isoformat())
    | st.text("0123456789-+:.TZW ", max_size=30)
)


def often(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda n: good if n else any_json)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    named_fields = st.fixed_dictionaries(
        {}, optional={name: often(s) for name, s in fields.items()}
    )
    custom: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(
        names, any_json, max_size=3
    )
    return st.builds(lambda a, b: {**a, **b}, custom, named_fields)


events = st.fixed_dictionaries(
    {
        "event_key": often(names),
        "company": often(
            st.builds(
                lambda required, more: {**required, **more},
                st.fixed_dictionaries({"id": often(names), "name": often(names)}),
                objects(payment_provider=names, crm_provider_id=names),
            )
        ),
    },
    optional={
        "user": often(objects(id=names, name=names, email=st.emails())),
        "data": often(st.dictionaries(names, any_json, max_size=3)),
        "timestamp": often(times),
        "more": any_json,
    },
)


def accepted_event(payload: Any) -> ValidEvent | None:
    try:
        return validate_event(payload, NOW)
    except InvalidEvent as invalid:
        details = invalid.details
    assert details
    for fault in details:
        assert set(fault) == {"path", "message"}
        assert isinstance(fault["path"], list)
        assert isinstance(fault["message"], str)
        assert fault["message"]
    assert orjson.dumps(details)
    return None


def contains_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(contains_nul(inner) for pair in value.items() for inner in pair)
    return isinstance(value, list) and any(map(contains_nul, value))


@given(any_json)
def test_any_json_value_is_valid_or_has_faults(payload: Any) -> None:
    accepted_event(payload)


@given(events)
def test_a_valid_event_can_be_written_and_stored(payload: dict[str, Any]) -> None:
    accepted = accepted_event(payload)
    if accepted is None:
        return
    parts = [accepted.event_key, accepted.company, accepted.user, accepted.data]
    assert orjson.loads(orjson.dumps(parts)) == parts
    assert not contains_nul(parts)
    assert accepted.company == payload["company"]
    assert accepted.user == payload.get("user")
    assert accepted.data == payload.get("data")
    assert accepted.occurred_at <= NOW
    assert accepted.occurred_at.utcoffset() == timedelta(0)


@given(times | st.text(max_size=30))
def test_any_text_is_a_time_or_a_fault_of_the_timestamp(text: str) -> None:
    try:
        at = occurred_at(text)
    except InvalidEvent as invalid:
        paths = [fault["path"] for fault in invalid.details]
        messages = {fault["message"] for fault in invalid.details}
    else:
        assert at <= NOW
        return
    assert set(map(tuple, paths)) == {("timestamp",)}
    assert messages <= {
        NOT_A_TIME,
        "More than 1 hour in the future",
        "NUL characters are not allowed",
    }


@given(st.datetimes(timezones=st.timezones()))
def test_a_past_time_in_any_zone_is_the_same_instant(at: datetime) -> None:
    try:
        expected = at.astimezone(UTC)
    except OverflowError:
        return
    if expected <= NOW:
        assert occurred_at(at.isoformat()) == expected


@given(events)
def test_an_event_passes_the_fast_check_only_if_the_schema_accepts_it(
    payload: dict[str, Any],
) -> None:
    plain = recognize(payload, NOW)
    if plain is not None and not contains_nul(payload):
        assert plain == validate_event(payload, NOW)


@pytest.mark.parametrize(
    "payload",
    [
        event(),
        event(user=None, data=None, timestamp=None, event_id=None),
        event(event_id="e-1", user={"id": "u", "email": "a@b.example"}, data={"a": [{}]}),
        event(timestamp="2024-01-20T10:30:00+01:00"),
        event(timestamp="2024-01-20T11:00:00Z"),
        company(crm_provider="hubspot", payment_provider=None, seats=[1, {"a": None}]),
    ],
)
def test_a_typical_event_passes_the_fast_check(payload: dict[str, Any]) -> None:
    assert recognize(payload, NOW) == validate_event(payload, NOW)


class _Contact(Schema):
    class Meta:
        unknown = INCLUDE

    id = Name(required=True)
    phone = Text(allow_none=True)


class _Grown(EventSchema):
    """The schema of an event with another text, and another object with a schema of its own."""

    source = Name(allow_none=True)
    contact = Nested(_Contact, required=True)


@pytest.mark.parametrize(
    ("more", "is_valid"),
    [
        ({"contact": {"id": "c", "other": [1]}}, True),
        ({"contact": {"id": "c", "phone": None}, "source": "web"}, True),
        ({"contact": {"id": "c"}, "source": None}, True),
        ({}, False),
        ({"contact": None}, False),
        ({"contact": {"id": " "}, "source": "web"}, False),
        ({"contact": {"id": "c"}, "source": 7}, False),
        ({"contact": {"id": "c", "phone": 7}}, False),
        ({"contact": {"phone": "7"}}, False),
    ],
)
def test_a_field_that_is_added_to_the_schema_is_checked_on_the_fast_way_too(
    more: dict[str, Any], *, is_valid: bool
) -> None:
    schema = _Grown()
    payload = event() | more
    loaded = derive(schema)(payload)
    if is_valid:
        assert loaded == {k: v for k, v in schema.load(payload).items() if v is not None}
    else:
        assert loaded is None
        with pytest.raises(ValidationError):
            schema.load(payload)


@pytest.mark.parametrize(
    "field",
    [
        fields.Integer(),
        Name(validate=validate.Length(max=3)),
        Text(validate=validate.Length(max=3)),
        Text(validate=[validate.Email(), validate.Length(max=3)]),
        Name(data_key="another"),
        Name(load_default="x"),
        Nested(Schema.from_dict({"count": fields.Integer()})),
        Nested(Schema.from_dict({"name": Name()})),  # it raises if there are other fields
    ],
)
def test_what_no_fast_check_can_be_derived_from_is_refused(field: fields.Field[Any]) -> None:
    with pytest.raises(TypeError):
        derive(Schema.from_dict({"new": field})(unknown=EXCLUDE))
