from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from ingress.event import ValidEvent
from ingress.plain_events import recognize
from ingress.schema import InvalidEvent, validate_event
from ingress.strict_json import read_json

NOW = datetime(2024, 1, 20, 10, 30, 5, 123456, tzinfo=UTC)
NOT_A_TIME = "Invalid timestamp: expected ISO 8601, such as 2024-01-20T10:30:00Z"
COMPANY = {"id": "company_123", "name": "Acme Corp"}
TEXT_OF_COMPANY = ["payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id"]


def event(**changes: Any) -> dict[str, Any]:
    return {"event_key": "onboarding_complete", "company": COMPANY, **changes}


def company(**changes: Any) -> dict[str, Any]:
    return event(company={**COMPANY, **changes})


def user(**changes: Any) -> dict[str, Any]:
    return event(user={"id": "user_456", **changes})


def valid(payload: Any) -> ValidEvent:
    return validate_event(payload, NOW)


def occurred_at(timestamp: str) -> datetime:
    return valid(event(timestamp=timestamp)).occurred_at


def faults(payload: Any) -> list[tuple[list[str | int], str]]:
    with pytest.raises(InvalidEvent) as raised:
        validate_event(payload, NOW)
    return [(fault["path"], fault["message"]) for fault in raised.value.details]


def test_the_smallest_event_has_no_user_and_no_data_and_happened_now() -> None:
    assert valid(event()) == ValidEvent("onboarding_complete", COMPANY, None, None, NOW)


def test_null_is_the_same_as_nothing_where_a_field_is_optional() -> None:
    assert valid(event(user=None, data=None, timestamp=None)) == valid(event())


def test_custom_fields_of_company_and_user_are_kept_with_their_types() -> None:
    custom = {
        "text": "SaaS",
        "number": 5000,
        "fraction": 5000.0,
        "yes": True,
        "nothing": None,
        "list": ["beta_access", 1, None],
        "object": {"a": {"b": []}},
        "dotted.name": 1,
        "_schema": 1,
        "": 0,
        "event_id": 7,
    }
    body = event(company={**COMPANY, **custom}, user={"id": "user_456", **custom})
    accepted = valid(read_json(orjson.dumps(body)).value)
    assert accepted.company == {**COMPANY, **custom}
    assert accepted.user == {"id": "user_456", **custom}
    for kept in (accepted.company, accepted.user):
        assert {name: type(kept[name]) for name in custom} == {
            name: type(value) for name, value in custom.items()
        }


def test_data_is_kept_as_it_was_sent() -> None:
    data = {"step": 5, "time": 1.5, "source": None, "deep": [[{"x": True}]], "id": 7}
    assert valid(event(data=data)).data == data
    assert valid(event(data={})).data == {}


def test_unknown_fields_beside_the_known_ones_are_left_out() -> None:
    assert valid(event(context={"ip": "127.0.0.1"}, version=2)) == valid(event())


def test_names_and_ids_are_kept_to_the_letter() -> None:
    text = "  Ünïcödé 😀 \t"
    accepted = valid(event(event_key=text, company={"id": text, "name": text}))
    assert (accepted.event_key, accepted.company) == (text, {"id": text, "name": text})


def test_the_example_of_the_documentation_has_these_faults() -> None:
    body = event(company={"name": "Acme Corp"}, user={"id": "user_456", "email": "john"})
    with pytest.raises(InvalidEvent) as raised:
        validate_event(body, NOW)
    assert raised.value.details == [
        {"path": ["company", "id"], "message": "Required"},
        {"path": ["user", "email"], "message": "Invalid email"},
    ]


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "number"),
        (1.5, "number"),
        ("text", "string"),
        ([], "array"),
        ([event()], "array"),
    ],
)
def test_an_event_is_an_object(payload: Any, kind: str) -> None:
    assert faults(payload) == [([], f"Expected object, received {kind}")]


def test_event_key_and_company_are_required() -> None:
    required = [(["event_key"], "Required"), (["company"], "Required")]
    assert faults({}) == required
    assert faults({"event_key": None, "company": None}) == required


def test_id_and_name_of_the_company_are_required() -> None:
    required = [(["company", "id"], "Required"), (["company", "name"], "Required")]
    assert faults(event(company={})) == required
    assert faults(event(company={"id": None, "name": None})) == required


def test_a_user_needs_an_id() -> None:
    assert faults(event(user={})) == [(["user", "id"], "Required")]
    assert faults(event(user={"id": None})) == [(["user", "id"], "Required")]


KINDS: list[tuple[Any, str]] = [
    (5, "number"),
    (0, "number"),
    (1.5, "number"),
    (True, "boolean"),
    (False, "boolean"),
    ({}, "object"),
    ([], "array"),
    (["text"], "array"),
]


@pytest.mark.parametrize(("wrong", "kind"), KINDS)
def test_no_other_kind_is_taken_for_a_string(wrong: Any, kind: str) -> None:
    said = f"Expected string, received {kind}"
    assert faults(event(event_key=wrong)) == [(["event_key"], said)]
    assert faults(event(timestamp=wrong)) == [(["timestamp"], said)]
    for field in ("id", "name", *TEXT_OF_COMPANY):
        assert faults(company(**{field: wrong})) == [(["company", field], said)]
    for field in ("id", "name", "email"):
        assert faults(user(**{field: wrong})) == [(["user", field], said)]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [(5, "number"), (0, "number"), (1.5, "number"), (True, "boolean"), (False, "boolean"),
     ([], "array"), ([{}], "array"), ("text", "string"), ("", "string")],
)  # fmt: skip
@pytest.mark.parametrize("field", ["company", "user", "data"])
def test_no_other_kind_is_taken_for_an_object(field: str, wrong: Any, kind: str) -> None:
    assert faults(event(**{field: wrong})) == [([field], f"Expected object, received {kind}")]


def test_every_fault_of_an_event_is_told_at_once() -> None:
    body = {
        "event_key": 7,
        "company": {"name": "", "payment_provider": 1, "crm_provider_id": ["x"]},
        "user": {"email": "john@", "name": False},
        "data": [],
        "timestamp": "soon",
        "more": {"x": ["\x00"]},
    }
    assert sorted(faults(body)) == [
        (["company", "crm_provider_id"], "Expected string, received array"),
        (["company", "id"], "Required"),
        (["company", "name"], "Must not be empty"),
        (["company", "payment_provider"], "Expected string, received number"),
        (["data"], "Expected object, received array"),
        (["event_key"], "Expected string, received number"),
        (["more", "x", 0], "NUL characters are not allowed"),
        (["timestamp"], NOT_A_TIME),
        (["user", "email"], "Invalid email"),
        (["user", "id"], "Required"),
        (["user", "name"], "Expected string, received boolean"),
    ]


def test_a_timestamp_in_the_future_is_told_together_with_the_other_faults() -> None:
    assert sorted(faults({"company": COMPANY, "timestamp": "2030-01-01"})) == [
        (["event_key"], "Required"),
        (["timestamp"], "More than 1 hour in the future"),
    ]


NAMES = [
    lambda text: (["event_key"], event(event_key=text)),
    lambda text: (["company", "id"], company(id=text)),
    lambda text: (["company", "name"], company(name=text)),
    lambda text: (["user", "id"], user(id=text)),
]
NAMED = ["event_key", "company.id", "company.name", "user.id"]


@pytest.mark.parametrize("build", NAMES, ids=NAMED)
@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u2003"])
def test_ids_and_names_are_not_empty(build: Any, text: str) -> None:
    path, body = build(text)
    assert faults(body) == [(path, "Must not be empty")]


@pytest.mark.parametrize("build", NAMES, ids=NAMED)
@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_ids_and_names_have_at_most_200_characters(build: Any, character: str) -> None:
    path, body = build(character * 201)
    assert faults(body) == [(path, "At most 200 characters")]
    _, body = build(character * 200)
    assert valid(body)


@pytest.mark.parametrize("name", ["", " "])
def test_the_name_of_a_user_is_not_empty(name: str) -> None:
    assert faults(user(name=name)) == [(["user", "name"], "Must not be empty")]


def test_the_name_of_a_user_has_at_most_200_characters() -> None:
    assert valid(user(name="x" * 200))
    assert faults(user(name="x" * 201)) == [(["user", "name"], "At most 200 characters")]


@pytest.mark.parametrize(
    "email",
    ["john@acme.com", "john.doe+tag@mail.acme.co.uk", "o'neil@acme.com", "jöhn@exämple.com"],
)
def test_an_email_address_is_kept(email: str) -> None:
    accepted = valid(user(email=email))
    assert accepted.user == {"id": "user_456", "email": email}


@pytest.mark.parametrize(
    "email",
    ["", " ", "john", "john@", "@acme.com", "john@acme", "jo hn@acme.com", "john@acme.com\n",
     "john@@acme.com", "john@acme..com", "John <john@acme.com>", "a@b.com,c@d.com"],
)  # fmt: skip
def test_what_is_no_email_address_is_a_fault(email: str) -> None:
    assert faults(user(email=email)) == [(["user", "email"], "Invalid email")]


def test_a_user_may_have_no_email_and_no_name() -> None:
    assert valid(user(email=None, name=None)).user == {
        "id": "user_456",
        "email": None,
        "name": None,
    }


def test_nul_is_a_fault_wherever_it_stands() -> None:
    said = "NUL characters are not allowed"
    assert faults(event(event_key="a\x00")) == [(["event_key"], said)]
    assert faults(company(plan=["\x00"])) == [(["company", "plan", 0], said)]
    assert faults(event(data={"a": {"b": "\x00"}})) == [(["data", "a", "b"], said)]
    assert faults(event(data={"a\x00": 1})) == [(["data"], f"{said} in keys")]
    assert faults(user(**{"\x00": 1})) == [(["user"], f"{said} in keys")]


def test_an_event_is_nested_at_most_10_deep() -> None:
    def deep(levels: int) -> dict[str, Any]:
        return {"a": deep(levels - 1)} if levels > 1 else {}

    assert valid(event(data=deep(9)))
    assert faults(event(data=deep(10))) == [
        (["data", *"aaaaaaaaa"], "Nested more than 10 levels deep")
    ]
    assert faults(company(x=deep(9))) == [
        (["company", "x", *"aaaaaaaa"], "Nested more than 10 levels deep")
    ]


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2024-01-20T10:30:00Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00+00:00", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00-00:00", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00+05:30", datetime(2024, 1, 20, 5, tzinfo=UTC)),
        ("2024-01-19T23:30:00-10:00", datetime(2024, 1, 20, 9, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00+0200", datetime(2024, 1, 20, 8, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20 10:30:00Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("20240120T103000Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20", datetime(2024, 1, 20, tzinfo=UTC)),
        ("2024-01-20T10:30:00.5Z", datetime(2024, 1, 20, 10, 30, 0, 500000, tzinfo=UTC)),
        ("2024-01-20T10:30:00.000Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00.123456Z", datetime(2024, 1, 20, 10, 30, 0, 123456, tzinfo=UTC)),
        ("2024-01-20T10:30:00.123456789Z", datetime(2024, 1, 20, 10, 30, 0, 123456, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T05:00:00+05:00", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_read_as_iso_8601_and_without_an_offset_in_utc(
    timestamp: str, expected: datetime
) -> None:
    assert occurred_at(timestamp) == expected
    assert occurred_at(timestamp).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "timestamp",
    [
        "", " ", "soon", "now", "2024", "2024-01", "1705746600", "2024-02-30", "2024-13-01",
        "2023-02-29", "01/20/2024", "20-01-2024", "2024-01-20T", "2024-01-20T25:00:00Z",
        "2024-01-20T10:61:00Z", "2024-01-20T10:30:00+25:00", "2024-01-20T10:30:00 UTC",
        "2024-01-20T10:30:00Z ", " 2024-01-20T10:30:00Z", "2024-01-20T10:30:00Z\n",
        "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "-0001-01-01", "٢٠٢٤-01-20",
        "2024-01-20T10:30:00ZZ", "Sat, 20 Jan 2024 10:30:00 GMT", "😀", "9" * 5_000,
    ],
)  # fmt: skip
def test_what_is_no_time_is_a_fault(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_its_offset_takes_out_of_the_calendar_is_a_fault(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize("timestamp", ["2024-01-20Q10:30:00Z", "2024-01-20😀10:30:00Z"])
def test_only_a_t_or_a_space_separates_date_and_time(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize("timestamp", ["2024-01-20+05:00", "2024-01-20-05:00"])
def test_a_date_with_an_offset_is_not_taken_for_a_time_of_that_day(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize(
    "ahead",
    [
        timedelta(microseconds=1),
        timedelta(minutes=59),
        timedelta(hours=1) - timedelta(microseconds=1),
        timedelta(hours=1),
    ],
)
def test_a_clock_up_to_an_hour_ahead_is_taken_as_the_present(ahead: timedelta) -> None:
    assert occurred_at((NOW + ahead).isoformat()) == NOW


def test_the_present_and_the_past_are_kept() -> None:
    for at in (NOW, NOW - timedelta(microseconds=1), NOW - timedelta(days=3650)):
        assert occurred_at(at.isoformat()) == at


@pytest.mark.parametrize("ahead", [timedelta(hours=1, microseconds=1), timedelta(days=365)])
def test_more_than_an_hour_ahead_is_a_fault(ahead: timedelta) -> None:
    timestamp = (NOW + ahead).isoformat()
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], "More than 1 hour in the future")]


def test_the_future_is_told_by_the_instant_and_not_by_the_digits() -> None:
    assert occurred_at("2024-01-20T20:00:00+10:00") == datetime(2024, 1, 20, 10, tzinfo=UTC)
    assert faults(event(timestamp="2024-01-20T09:00:00-10:00"))
    assert faults(event(timestamp="9999-12-31T23:59:59Z"))


def test_a_small_event_cannot_make_an_answer_of_megabytes() -> None:
    body = orjson.dumps(event(data={"k" * 14_000: ["\x00"] * 1_900}))
    assert len(body) < 32 * 1024
    with pytest.raises(InvalidEvent) as raised:
        validate_event(read_json(body).value, NOW)
    assert len(orjson.dumps(raised.value.details)) < 1_000_000


any_text = st.text(max_size=8) | st.sampled_from(["\x00", "a" * 201, " ", "john@acme.com"])
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=10,
)
names = st.text(min_size=1, max_size=10)
times = (
    st.datetimes().map(datetime.isoformat)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.dates().map(lambda date: date.isoformat())
    | st.text("0123456789-+:.TZW ", max_size=30)
)


def often(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda n: good if n else json_values)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries({}, optional={name: often(s) for name, s in fields.items()})
    custom: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(
        names, json_values, max_size=3
    )
    return st.builds(lambda a, b: {**a, **b}, custom, known)


events = st.fixed_dictionaries(
    {
        "event_key": often(names),
        "company": often(
            st.builds(
                lambda known, more: {**known, **more},
                st.fixed_dictionaries({"id": often(names), "name": often(names)}),
                objects(payment_provider=names, crm_provider_id=names),
            )
        ),
    },
    optional={
        "user": often(objects(id=names, name=names, email=st.emails())),
        "data": often(st.dictionaries(names, json_values, max_size=3)),
        "timestamp": often(times),
        "more": json_values,
    },
)


def accepted_or_none(payload: Any) -> ValidEvent | None:
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


def holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(holds_nul(inner) for pair in value.items() for inner in pair)
    return isinstance(value, list) and any(map(holds_nul, value))


@given(json_values)
@effort(deadline=None, max_examples=200)
def test_any_json_value_is_valid_or_has_faults_to_tell(payload: Any) -> None:
    accepted_or_none(payload)


@given(events)
@effort(deadline=None, max_examples=300)
def test_what_is_valid_can_be_written_and_stored(payload: dict[str, Any]) -> None:
    accepted = accepted_or_none(payload)
    if accepted is None:
        return
    parts = [accepted.event_key, accepted.company, accepted.user, accepted.data]
    assert orjson.loads(orjson.dumps(parts)) == parts
    assert not holds_nul(parts)
    assert accepted.company == payload["company"]
    assert accepted.user == payload.get("user")
    assert accepted.data == payload.get("data")
    assert accepted.occurred_at <= NOW
    assert accepted.occurred_at.utcoffset() == timedelta(0)


@given(times | st.text(max_size=30))
@effort(deadline=None, max_examples=200)
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
@effort(deadline=None)
def test_a_past_time_in_any_zone_is_the_same_instant(at: datetime) -> None:
    try:
        expected = at.astimezone(UTC)
    except OverflowError:
        return
    if expected <= NOW:
        assert occurred_at(at.isoformat()) == expected


@given(events)
@effort(deadline=None, max_examples=200)
def test_what_is_recognized_as_plainly_valid_is_what_the_schema_finds_valid(
    payload: dict[str, Any],
) -> None:
    plain = recognize(payload, NOW)
    if plain is not None and not holds_nul(payload):
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
def test_a_usual_event_is_recognized(payload: dict[str, Any]) -> None:
    assert recognize(payload, NOW) == validate_event(payload, NOW)
