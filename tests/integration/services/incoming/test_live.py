"""What comes in, as the page and the command show it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from config.settings import Settings
from models.database import transaction
from queues.arrivals import Announcements, Watch
from queues.broker import QueueBroker, build_broker
from queues.refused.requests import RefusedRequests
from services.events.set_aside import set_aside
from services.incoming.live import Follower, Line, Outcome, newest, watch_newest
from services.times import utc_now
from tests.support.ingress.refusals import refusal
from tests.support.storing import Storing

STORED, REFUSED, SET_ASIDE = Outcome.STORED, Outcome.REFUSED, Outcome.SET_ASIDE


class Incoming(Storing):
    """Events of an organization, and those who watch them."""

    def __init__(self, broker: QueueBroker) -> None:
        super().__init__(broker)
        self.client = broker.client
        self.requests = RefusedRequests(broker.client)

    def store(self, company: str, *ids: str, **changes: object) -> None:
        """Send events and store them, in a process that knows at once who watches."""
        self.persister._announcements = Announcements(self.client)  # noqa: SLF001
        self.send(*(self.event(company, event_id=event_id, **changes) for event_id in ids))
        self.store_all()

    def refuse(self, event_id: str, **changes: object) -> None:
        changes = {"at": utc_now(), "event_id": event_id, **changes}
        self.requests.note(self.organization_id, [refusal(**changes)], utc_now())

    def set_aside_one(self, event_id: str, company: str) -> None:
        content = f'{{"event_id": "{event_id}", "company": {{"id": "{company}"}}}}'
        with transaction():
            set_aside(self.organization_id, (b"1", content.encode()), "DataError: no\nDETAIL: x")

    def newest(self, limit: int = 50) -> list[tuple[Outcome, str | None]]:
        found = newest(self.organization_id, self.client, utc_now(), limit=limit)
        return [(line.outcome, line.event_id) for line in found.lines]

    def mark(self) -> str:
        return watch_newest(self.organization_id, self.client)

    def follow(self, *, only_refused: bool = False, **watch: str) -> Follower:
        chosen = Watch(self.organization_id, **watch)
        follower = Follower(self.organization_id, self.client, chosen, only_refused=only_refused)
        follower.keep_watching()
        return follower


@pytest.fixture
def incoming(settings: Settings) -> Iterator[Incoming]:
    broker = build_broker(settings.redis_url)
    yield Incoming(broker)
    broker.client.close()


def test_who_begins_to_watch_sees_what_came_before(incoming: Incoming) -> None:
    assert incoming.newest() == []
    incoming.store("c1", "e1")
    incoming.store("c2", "e2", user={"id": "ann"})
    incoming.refuse("r1")
    incoming.set_aside_one("a1", "c3")
    incoming.mark()
    assert incoming.newest() == [(SET_ASIDE, "a1"), (REFUSED, "r1"), (STORED, "e2"), (STORED, "e1")]
    found = newest(incoming.organization_id, incoming.client, utc_now(), limit=50)
    aside, refused, stored, _ = found.lines
    assert (stored.event_key, stored.company, stored.user) == ("login", "c2", "ann")
    assert (refused.company, refused.reason) == ("c1", "Invalid data: company.name: Required")
    assert (aside.company, aside.reason) == ("c3", "DataError: no")
    assert refused.number
    assert aside.number


def test_what_comes_in_while_somebody_watches_is_listed_once(incoming: Incoming) -> None:
    incoming.store("c1", "e1")
    incoming.mark()
    incoming.store("c1", "e2")
    incoming.store("c2", "e3")
    assert incoming.newest() == [(STORED, "e3"), (STORED, "e2"), (STORED, "e1")]
    assert incoming.newest(limit=1) == [(STORED, "e3")]


def test_the_mark_changes_when_something_comes_in(incoming: Incoming) -> None:
    marks = [incoming.mark(), incoming.mark()]
    assert marks[0] == marks[1]
    incoming.store("c1", "e1")
    marks.append(incoming.mark())
    incoming.refuse("r1")
    marks.append(incoming.mark())
    incoming.set_aside_one("a1", "c1")
    marks.append(incoming.mark())
    assert len(set(marks)) == 4


def test_refusals_from_before_what_is_listed_are_left_out(incoming: Incoming) -> None:
    incoming.refuse("old", at=utc_now() - timedelta(days=2))
    incoming.store("c1", "e1")
    assert (REFUSED, "old") in incoming.newest()
    incoming.store("c1", *(f"f{n}" for n in range(25)))
    assert (REFUSED, "old") not in incoming.newest()


def test_a_follower_gets_each_event_once_in_order(incoming: Incoming) -> None:
    incoming.store("c1", "before")
    incoming.refuse("refused before")
    follower = incoming.follow()
    incoming.store("c1", "e1")
    incoming.refuse("r1")
    incoming.set_aside_one("a1", "c9")
    lines, more, imported = follower.read(50)
    assert [(line.outcome, line.event_id) for line in lines] == [
        (STORED, "e1"),
        (REFUSED, "r1"),
        (SET_ASIDE, "a1"),
    ]
    assert (more, imported) == (0, None)
    assert follower.read(50) == ([], 0, None)


def test_a_follower_may_want_one_company_one_key_or_only_refusals(incoming: Incoming) -> None:
    def read(follower: Follower) -> list[str | None]:
        return [line.event_id for line in follower.read(50).lines]

    of_c2, of_login = incoming.follow(company="c2"), incoming.follow(event_key="login")
    refused = incoming.follow(only_refused=True)
    incoming.store("c1", "e1")
    incoming.store("c2", "e2", event_key="report")
    incoming.refuse("r1")
    incoming.refuse("r2", body=b'{"company":{"id":"c2"}}', event_key="report")
    incoming.set_aside_one("a2", "c2")
    assert read(of_c2) == ["e2", "r2", "a2"]
    assert read(of_login) == ["e1", "r1"]
    assert read(refused) == ["r1", "r2", "a2"]


def test_lines_beyond_the_most_are_counted(incoming: Incoming) -> None:
    follower = incoming.follow()
    incoming.store("c1", *(f"e{n}" for n in range(300)))
    incoming.refuse("last")
    lines, more, _ = follower.read(5)
    assert [line.event_id for line in lines] == ["e296", "e297", "e298", "e299", "last"]
    assert more == 296


def test_imported_events_are_counted_and_live_ones_stay_listed(incoming: Incoming) -> None:
    incoming.mark()
    follower = incoming.follow()
    incoming.store("c1", "live")
    past = [utc_now() - timedelta(days=days) for days in (30, 10)]
    for number, at in enumerate(past):
        ids = [f"past-{number}-{n}" for n in range(120)]
        incoming.store("c2", *ids, historical=True, occurred_at=at)
    assert incoming.newest() == [(STORED, "live")]
    found = newest(incoming.organization_id, incoming.client, utc_now(), limit=50)
    assert found.imported is not None
    assert found.imported.number == 240
    assert [found.imported.first_at, found.imported.last_at] == past
    assert follower.read(50).imported == found.imported
    assert follower.read(50).imported is None
    incoming.store("c2", "another", historical=True)
    again = follower.read(50).imported
    assert again is not None
    assert again.number == 1


def test_what_was_imported_before_somebody_watched_is_marked_late(incoming: Incoming) -> None:
    at = utc_now() - timedelta(days=30)
    incoming.store("c1", "imported", historical=True, occurred_at=at)
    incoming.store("c1", "live")
    incoming.mark()
    found = newest(incoming.organization_id, incoming.client, utc_now(), limit=50)
    assert [(line.event_id, line.is_late) for line in found.lines] == [
        ("live", False),
        ("imported", True),
    ]
    assert found.imported is None


def test_hostile_bodies_have_no_company(incoming: Incoming) -> None:
    for body in (b"", b"[1]", b'{"company": 7, "user": {"id": {}}}', b"\xff"):
        incoming.refuse("r", body=body)
    found = newest(incoming.organization_id, incoming.client, utc_now(), limit=50)
    assert {(line.company, line.user) for line in found.lines} == {(None, None)}
    assert isinstance(found.lines[0], Line)
