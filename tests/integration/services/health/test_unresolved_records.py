"""Companies are judged as if all records had been stored in the order of their acceptance.

Lanes are stored in any order here, several records at a time, while companies are judged as far as
what waits in the lanes allows.
"""

from random import Random
from typing import Any, NamedTuple

import pytest

from models.database import transaction
from models.events import waiting_records
from queues.backlog import StoredUntil
from queues.lanes.lane import UNRESOLVED, Lane
from services.events.records import Record, read_record
from services.events.updates import store_updates
from services.health import evaluation
from services.health.evaluation import EvaluationResult
from tests.support.properties import seeds
from tests.support.world import World

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , report: }
flags:
  - {flag: Logs in, event: login, when: {At Risk: less than 2 times in 10 seconds}}
  - {flag: Quiet, event: any, when: {Critical: no activity for 7 seconds}}
  - {flag: Pays, when: {Critical: company.plan is Free}}
  - {flag: Is large, when: {At Risk: company.tier is Small}}
  - flag: Several people
    event: any
    when: {At Risk: fewer than 2 distinct users in 12 seconds}
"""

COMPANIES = ("acme", "bolt", "cask")
USERS = {"ann": "acme", "ben": "acme", "eve": "bolt", "joe": "cask"}


class Accepted(NamedTuple):
    """A record, and when it was accepted, in seconds."""

    at: float
    record: Record


class Lanes:
    """The journal of one organization, with its own time; and the organization, as judged."""

    def __init__(self, chance: Random) -> None:
        self.world = World.create(RULES)
        self.chance = chance
        self.now = 0.0
        self.waiting: dict[Lane, list[Accepted]] = {}

    def accept(self, accepted: Accepted) -> None:
        self.now = accepted.at
        lane = Lane.of_company(self.world.id, accepted.record.company_id)
        self.waiting.setdefault(lane, []).append(accepted)

    def store_some(self) -> None:
        """Store the oldest records of a lane."""
        lanes = [lane for lane, entries in self.waiting.items() if entries]
        if lanes:
            self.store(self.chance.choice(lanes), self.chance.randint(1, 3))

    def store(self, lane: Lane, number: int) -> None:
        entries = self.waiting[lane]
        records = [accepted.record for accepted in entries[:number]]
        self.world.store(*(r._replace(organization_id=self.world.id) for r in records))
        del entries[:number]

    def store_all(self) -> None:
        for lane, entries in self.waiting.items():
            if entries:
                self.store(lane, len(entries))

    def judge(self, now: float | None = None) -> EvaluationResult:
        at = self.world.at(self.now if now is None else now)
        oldest = {
            lane: self.world.at(entries[0].at) for lane, entries in self.waiting.items() if entries
        }
        reading = StoredUntil(at, oldest)
        with transaction():
            return evaluation.evaluate(
                self.world.id,
                self.world.company_ids(),
                self.world.rulebooks,
                at,
                stored_until=reading.of,
                oldest_unresolved=lambda id_: oldest.get(Lane(id_, UNRESOLVED)),
            )

    def transitions(self) -> dict[str, list[tuple[Any, ...]]]:
        return {
            company: [
                (self.world.seconds(t.at), t.from_status, t.to_status, t.cause, t.changes)
                for t in self.world.transitions(company)
            ]
            for company in COMPANIES
        }


def message(world: World, at: float, number: int, **parts: Any) -> Record:
    instant = world.at(at).isoformat()
    content = {
        "organization_id": world.id,
        "key_id": None,
        "event_id": f"e{number}",
        "event_key": None,
        "company": None,
        "user": None,
        "data": None,
        "occurred_at": instant,
        "received_at": instant,
    }
    return read_record(content | parts)


def random_records(world: World, chance: Random, number: int) -> list[Accepted]:
    """Return records, in the order of acceptance: groups, tracks, identifies and updates."""
    at, grouped = 0.0, set[str]()
    records = []
    for n in range(number):
        at += chance.choice([0.1, 0.7, 1.3, 2.9, 8.1]) + n / 1_000
        user = chance.choice(sorted(USERS))
        company, fields = USERS[user], {"plan": chance.choice(["Free", "Pro", "Pro"])}
        key = chance.choice(["login", "login", "report"])
        kind = chance.choice(["track", "track", "track", "identify", "event", "company"])
        if user not in grouped:
            kind = "group"
            grouped.add(user)
        parts: dict[str, Any] = {
            "group": {"company": {"id": company, **fields}, "user": {"id": user}},
            "track": {"event_key": key, "user": {"id": user}},
            "identify": {"user": {"id": user, "name": f"{user} {n}"}},
            "event": {
                "event_key": key,
                "company": {"id": company, "name": company},
                "user": {"id": user},
            },
            "company": {"company": {"id": company, **fields}},
        }[kind]
        records.append(Accepted(at, message(world, at, n, **parts)))
    return records


@pytest.mark.parametrize("seed", range(1))
def test_the_order_in_which_lanes_are_stored_changes_no_transition(
    settings: object, seed: int
) -> None:
    compare(seed, 25)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(100, 160))
def test_the_order_in_which_lanes_are_stored_changes_no_transition_thoroughly(
    settings: object, seed: int
) -> None:
    for number in seeds():
        compare(1_000 * seed + number, 60)


def compare(seed: int, number: int) -> None:
    chance = Random(seed)
    lanes, in_order = Lanes(chance), Lanes(chance)
    records = random_records(lanes.world, chance, number)
    for accepted in records:
        for _ in range(chance.randint(0, 3)):
            chance.choice([lanes.store_some, lanes.judge])()
        if chance.random() < 0.2:
            import_field(lanes, in_order, at=(lanes.now + accepted.at) / 2)
        lanes.accept(accepted)
        in_order.accept(accepted)
        in_order.store_all()
    lanes.store_all()
    end = lanes.now + 30
    for each in (lanes, in_order):
        assert not each.judge(end).must_wait
        while each.judge(end).unsettled:
            pass
    assert lanes.transitions() == in_order.transitions()
    with transaction():
        assert waiting_records.count(lanes.world.id) == 0


def import_field(*of: Lanes, at: float) -> None:
    """Store a field that did not come through the journal, and that no other record has.

    The history of a field keeps no repetitions, so it would depend on the order of its values.
    """
    for lanes in of:
        lanes.now = max(lanes.now, at)
        update = lanes.world.update("cask", at, tier="Small" if int(at) % 2 else "Large")
        with transaction():
            store_updates(lanes.world.id, [update], lanes.world.rulebooks)


def test_nothing_is_judged_past_the_oldest_unresolved_record(settings: object) -> None:
    lanes = Lanes(Random(1))
    world = lanes.world
    world.track("acme", 0, 1, user="ann")
    world.track("acme", 0, 1, user="ben")
    lanes.judge(1)
    lanes.accept(Accepted(7, message(world, 7, 1, event_key="login", user={"id": "ann"})))
    lanes.accept(Accepted(9, message(world, 9, 2, event_key="login", company={"id": "acme"})))
    lanes.store(Lane.of_company(world.id, "acme"), 1)
    before = world.transitions()
    lanes.judge(9.4)
    result = lanes.judge(9.5)
    assert world.transitions() == before, "it may not be silent since 1"
    assert result.must_wait
    assert [company.external_id for company in result.unsettled] == ["acme"]

    lanes.store(Lane(world.id, UNRESOLVED), 1)
    result = lanes.judge(9.6)
    assert (result.must_wait, result.unsettled) == (False, [])
    assert world.transitions() == before


def test_what_an_unresolved_record_brings_is_not_judged_past_the_companys_own_lane(
    settings: object,
) -> None:
    lanes = Lanes(Random(1))
    world = lanes.world
    world.track("acme", 0, 1, user="ann")
    world.track("acme", 0, 1, user="ben")
    lanes.judge(1)
    before = world.transitions()
    lanes.accept(Accepted(7, message(world, 7, 1, event_key="login", company={"id": "acme"})))
    lanes.accept(Accepted(9, message(world, 9, 2, event_key="login", user={"id": "ann"})))
    lanes.store(Lane(world.id, UNRESOLVED), 1)
    lanes.judge(9.4)
    assert lanes.judge(9.5).must_wait
    assert world.transitions() == before

    lanes.store(Lane.of_company(world.id, "acme"), 1)
    assert lanes.judge(9.6).unsettled == []
    assert world.transitions() == before


def test_updates_after_the_bound_are_left_to_the_next_judgement(settings: object) -> None:
    lanes = Lanes(Random(1))
    world = lanes.world
    world.track("acme", 0, 1, user="ann", plan="Pro")
    lanes.judge(1)
    before = len(world.crossings())
    lanes.accept(Accepted(3, message(world, 3, 1, event_key="login", user={"id": "eve"})))
    world.store(world.update("acme", 2, plan="Free"), world.update("acme", 4, plan="Pro"))
    lanes.judge(5)
    assert world.crossings()[before:] == [(2, "Critical", "event")]
    lanes.store_all()
    lanes.judge(5)
    assert world.crossings()[before:] == [(2, "Critical", "event"), (4, "At Risk", "event")]


def test_a_company_is_not_judged_before_the_record_that_saw_it_first(settings: object) -> None:
    lanes = Lanes(Random(1))
    world = lanes.world
    lanes.accept(Accepted(2, message(world, 2, 1, company={"id": "cask"})))
    import_field(lanes, at=3)
    assert lanes.judge(4).must_wait
    lanes.store_all()
    lanes.judge(4)
    assert world.crossings("cask")[0][0] == 2


def test_a_released_event_counts_at_its_own_time_and_revises_nothing(settings: object) -> None:
    lanes = Lanes(Random(1))
    world = lanes.world
    world.track("acme", 0, 1, user="ann", plan="Pro")
    world.judge("acme", 1)
    world.store(message(world, 6, 1, event_key="login", user={"id": "ben"}))
    world.judge("acme", 9)
    before = world.crossings()
    assert before[-1] == (8, "Critical", "time")

    world.store(world.update("acme", 100, user="ben"))
    world.judge("acme", 100)
    assert world.crossings()[: len(before)] == before
    [event] = world.rows(
        "select occurred_at, received_at from events where organization_id = %(id)s"
        " and event_id = 'e1'"
    )
    assert (event["occurred_at"], event["received_at"]) == (world.at(6), world.at(100))
