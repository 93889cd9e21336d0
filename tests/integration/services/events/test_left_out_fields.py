"""R17: a company or user keeps a limited number of fields; its events are stored all the same."""

from typing import Any

import pytest

from models.companies.fields import field_limits
from models.companies.fields.left_out_fields import list_left_out
from models.database import transaction
from tests.support.world import World, after

MOST = 4

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture(autouse=True)
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_limits, "MOST_FIELDS", MOST)


def state(world: World) -> dict[str, Any]:
    """Return the fields of the company and the user, and the history of fields."""
    [company] = world.rows(
        "select traits, fields_at, fields_changed_at, left_out, last_event_at, said_since"
        " from companies where organization_id = %(id)s"
    )
    users = world.rows(
        "select traits, fields_at, left_out from users where organization_id = %(id)s"
    )
    history = world.rows(
        "select field, at, value from field_changes where organization_id = %(id)s order by 1, 2"
    )
    return {"company": company, "users": users, "history": history}


def many_fields(world: World) -> list[Any]:
    """Return events of one company and user, with two new fields each."""
    return [
        world.event(
            at=second, user="u", user_fields={f"u{second}": 1, "role": second}, a=second,
            **{f"session_{second}": 1, f"page_{second}": 1},
        )
        for second in range(5)
    ]  # fmt: skip


def test_events_with_more_fields_are_stored_and_the_first_fields_are_kept(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store(*many_fields(world))
    assert len(world.rows("select from events where organization_id = %(id)s")) == 5
    kept = state(world)
    assert kept["company"]["traits"] == {"a": 4, "session_0": 1, "page_0": 1, "session_1": 1}
    assert kept["users"][0]["traits"] == {"role": 4, "u0": 1, "u1": 1, "u2": 1}
    assert {row["field"] for row in kept["history"]} == {
        "name", "a", "session_0", "page_0", "session_1",
    }  # fmt: skip
    assert [row["value"] for row in kept["history"] if row["field"] == "a"] == [0, 1, 2, 3, 4]
    with transaction():
        company, user = list_left_out(world.id, limit=10)
    assert (company.company, company.user) == ("acme", None)
    assert company.left_out.since == after(1)
    assert company.left_out.names[:2] == ("page_1", "session_2")
    assert (user.company, user.user, user.left_out.names) == ("acme", "u", ("u3", "u4"))
    assert caplog.text.count("has more fields than are kept") == 2
    assert "session" not in caplog.text


def test_the_log_has_it_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for event in many_fields(world):
        world.store(event)
    assert caplog.text.count("has more fields than are kept") == 2


def test_the_same_fields_are_kept_however_events_are_bundled(world: World) -> None:
    world.store(*many_fields(world))
    other = World.create()
    for event in many_fields(other):
        other.store(event)
        other.store(event)  # a message may arrive twice
    assert state(other) == state(world)


def test_a_repeated_event_changes_only_the_time_of_the_newest(world: World) -> None:
    sent = {"a": 1, **{f"session_{n}": 1 for n in range(MOST)}}
    world.track("acme", 0, **sent)
    before = state(world)["company"]
    world.track("acme", 1, **sent)
    assert state(world)["company"] == before | {"last_event_at": after(1)}
