"""Everything that the ingress accepts can be stored in PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.event.schema import InvalidEvent, validate_event
from ingress.strict_json import UnreadableBody, read_json
from models.database import json, query, transaction
from tests.support.ingress.application import EventSetting, Serve, tenant
from tests.support.ingress.bodies import BODIES
from tests.support.json_values import json_values
from tests.support.properties import effort

NOW = datetime(2024, 1, 20, 10, 30, 5, 123456, tzinfo=UTC)

text = st.text(max_size=10) | st.sampled_from(
    ["\x00", "\\u0000", "\ufffe", "\U0010ffff", "'", "\\"]
)
any_json = json_values(text)
names = text.filter(str.strip)
bodies = st.fixed_dictionaries(
    {
        "event_key": names,
        "company": st.fixed_dictionaries({"id": names, "name": names, "custom": any_json}),
        "data": st.dictionaries(text, any_json, max_size=3),
        "timestamp": st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    }
)


@pytest.mark.usefixtures("settings")
def test_every_accepted_event_can_be_stored_unchanged() -> None:
    stored = 0

    @effort(3)
    @given(bodies)
    def store(body: dict[str, Any]) -> None:
        nonlocal stored
        try:
            event = validate_event(read_json(orjson.dumps(body)).value, NOW)
        except (InvalidEvent, UnreadableBody):
            return
        [row] = query(
            "select %(key)s::text as key, %(company)s::jsonb as company, %(data)s::jsonb as data,"
            " %(at)s::timestamptz = %(text)s::timestamptz as same_instant",
            {
                "key": event.event_key,
                "company": json(event.company),
                "data": json(event.data),
                "at": event.occurred_at,
                "text": event.occurred_at.isoformat(),
            },
        )
        assert (row["key"], row["same_instant"]) == (body["event_key"], True)
        assert is_same(row["company"], body["company"])
        assert is_same(row["data"], body["data"])
        stored += 1

    with transaction():
        store()
    assert stored > 10


def is_same(read: Any, written: Any) -> bool:
    """Return whether values are equal; jsonb may return a float without decimals as an integer."""
    if isinstance(written, dict):
        return read.keys() == written.keys() and all(is_same(read[k], written[k]) for k in written)
    if isinstance(written, list):
        return len(read) == len(written) and all(map(is_same, read, written))
    if isinstance(written, float):
        return not isinstance(read, bool) and float(read) == written
    return type(read) is type(written) and bool(read == written)


@pytest.mark.parametrize("bad", ["\0", "\ud800"])
def test_no_text_that_cannot_be_stored_is_accepted_in_any_field(serve: Serve, bad: str) -> None:
    ingress, acme = serve(), tenant(events=[EventSetting("login", called=["login"])])
    refused = 0
    for path, body in BODIES.items():
        for spoilt in with_each_text_replaced(body, f"a{bad}"):
            with ingress.app.test_client() as client:
                answer = client.open(
                    path.format(company_id="acme", user_id="ann"),
                    method="PUT" if "{" in path else "POST",
                    json=spoilt,
                    headers={"x-api-key": acme.key},
                )
            assert answer.status_code in (200, 400), (path, spoilt)
            refused += answer.status_code == 400 or answer.get_json().get("rejected", 0)
    assert refused > 40
    assert bad not in str(ingress.queued_events())


def test_no_id_or_attribute_beside_a_body_is_accepted_if_it_cannot_be_stored(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=[EventSetting("login")])
    key = {"x-api-key": acme.key}
    for kind, path in (("company", "/v1/companies/a%00"), ("user", "/v1/users/a%00")):
        with ingress.app.test_client() as client:
            answer = client.put(path, json={kind: {}}, headers=key)
        assert answer.status_code == 400
        assert answer.get_json()["details"][0]["path"] == [kind, "id"]
    event = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/app", "ce-type": "login"}
    for name in ("id", "source", "type"):
        headers = {**key, **event, f"ce-{name}": "a%00"}
        answer = ingress.post("/v1/cloudevents", {"company": {"id": "acme"}}, headers=headers)
        assert answer.status_code == 400
        assert answer.get_json()["details"][0]["path"] == [name]
    assert ingress.queued_events() == []


def with_each_text_replaced(value: Any, text: str) -> Iterator[Any]:
    """Yield a JSON value once for each of its texts, with another text in its place."""
    if isinstance(value, str):
        yield text
    elif isinstance(value, dict | list):
        for place, item in value.items() if isinstance(value, dict) else enumerate(value):
            for other in with_each_text_replaced(item, text):
                copy = value.copy()
                copy[place] = other
                yield copy
