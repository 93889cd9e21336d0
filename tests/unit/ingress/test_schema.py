from typing import Any

import orjson
import pytest

from ingress.event.schema import InvalidEvent, validate_event
from ingress.event.valid_event import ValidEvent
from ingress.strict_json import read_json
from tests.support.ingress.event_payloads import (
    COMPANY,
    NOT_A_TIME,
    NOW,
    company,
    event,
    faults,
    valid,
)

TEXT_OF_COMPANY = ["payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id"]


def user(**changes: Any) -> dict[str, Any]:
    return event(user={"id": "user_456", **changes})


def test_the_smallest_event_has_no_user_and_no_data_and_occurred_now() -> None:
    assert valid(event()) == ValidEvent("onboarding_complete", COMPANY, None, None, NOW)


def test_null_is_the_same_as_a_missing_optional_field() -> None:
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


def test_unknown_top_level_fields_are_ignored() -> None:
    assert valid(event(context={"ip": "127.0.0.1"}, version=2)) == valid(event())


def test_names_and_ids_are_kept_unchanged() -> None:
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
def test_no_other_type_is_accepted_as_a_string(wrong: Any, kind: str) -> None:
    message = f"Expected string, received {kind}"
    assert faults(event(event_key=wrong)) == [(["event_key"], message)]
    assert faults(event(timestamp=wrong)) == [(["timestamp"], message)]
    for field in ("id", "name", *TEXT_OF_COMPANY):
        assert faults(company(**{field: wrong})) == [(["company", field], message)]
    for field in ("id", "name", "email"):
        assert faults(user(**{field: wrong})) == [(["user", field], message)]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [(5, "number"), (0, "number"), (1.5, "number"), (True, "boolean"), (False, "boolean"),
     ([], "array"), ([{}], "array"), ("text", "string"), ("", "string")],
)  # fmt: skip
@pytest.mark.parametrize("field", ["company", "user", "data"])
def test_no_other_type_is_accepted_as_an_object(field: str, wrong: Any, kind: str) -> None:
    assert faults(event(**{field: wrong})) == [([field], f"Expected object, received {kind}")]


def test_every_fault_of_an_event_is_reported_at_once() -> None:
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


def test_a_timestamp_in_the_future_is_reported_with_the_other_faults() -> None:
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


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u2003"])
def test_an_optional_text_that_is_empty_is_taken_as_absent(text: str) -> None:
    assert valid(user(name=text, email=text)).user == {
        "id": "user_456",
        "name": None,
        "email": None,
    }
    accepted = valid(event(company={**COMPANY, "crm_provider": text, "payment_provider_id": text}))
    assert accepted.company == {**COMPANY, "crm_provider": None, "payment_provider_id": None}


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
    ["john", "john@", "@acme.com", "john@acme", "jo hn@acme.com", "john@acme.com\n",
     "john@@acme.com", "john@acme..com", "John <john@acme.com>", "a@b.com,c@d.com"],
)  # fmt: skip
def test_text_that_is_not_an_email_address_is_a_fault(email: str) -> None:
    assert faults(user(email=email)) == [(["user", "email"], "Invalid email")]


def test_a_user_may_have_no_email_and_no_name() -> None:
    assert valid(user(email=None, name=None)).user == {
        "id": "user_456",
        "email": None,
        "name": None,
    }


def test_nul_is_a_fault_anywhere() -> None:
    message = "NUL characters are not allowed"
    assert faults(event(event_key="a\x00")) == [(["event_key"], message)]
    assert faults(company(plan=["\x00"])) == [(["company", "plan", 0], message)]
    assert faults(event(data={"a": {"b": "\x00"}})) == [(["data", "a", "b"], message)]
    assert faults(event(data={"a\x00": 1})) == [(["data"], f"{message} in keys")]
    assert faults(user(**{"\x00": 1})) == [(["user"], f"{message} in keys")]


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
