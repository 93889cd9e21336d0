"""What names no company and is not stored yet holds back every company of its organization."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from actors.evaluate import CompanyEvaluator
from models.companies import companies
from models.database import transaction
from models.health import transitions
from queues.backlog import REFRESH, Backlog
from queues.lanes.keys import EVALUATIONS, JOURNAL
from queues.lanes.lane import UNRESOLVED, Lane
from queues.lanes.lane_queue import FORMAT, LaneQueue
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from tests.support.clocks import Ticking, judge, new_organization, track
from tests.support.storing import Storing
from tests.support.world import after

pytestmark = pytest.mark.usefixtures("settings")


def test_changes_by_time_of_all_companies_wait(ticking: Ticking) -> None:
    here, elsewhere = new_organization("here"), new_organization("elsewhere")
    behind = [track(here, 5, 6, company=name) for name in ("acme", "company_123")]  # due at 15
    before = track(here, 0, 1, company="c1")  # due at 10
    other = track(elsewhere, 5, 6, company="acme")
    for company_id in (*behind, before, other):
        judge(company_id, 6)
    client, lane = ticking.broker.client, Lane(here, UNRESOLVED).name
    microseconds = round(after(12).timestamp() * 1_000_000)
    client.xadd(JOURNAL.entries + lane, {FORMAT: "{}", "t": microseconds})
    client.zadd(JOURNAL.ready, {lane: microseconds / 1_000})

    assert sorted(ticking.at(20)) == sorted(f"evaluate({id_})" for id_ in (before, other))
    client.flushdb()
    assert sorted(ticking.at(20.2)) == sorted(f"evaluate({id_})" for id_ in behind)


@pytest.fixture
def evaluator(storing: Storing) -> CompanyEvaluator:
    return CompanyEvaluator(storing.broker, RuleBooks())


@pytest.fixture
def evaluations(storing: Storing) -> LaneQueue:
    return LaneQueue.of_evaluations(storing.broker.client)


def test_a_company_that_has_to_wait_is_judged_again_after_a_pause_until_it_need_not(
    storing: Storing, evaluator: CompanyEvaluator, evaluations: LaneQueue
) -> None:
    storing.send(storing.event("a", user={"id": "ann"}))
    storing.store_all()
    drain(evaluator, evaluations)
    storing.send(storing.event("") | {"company": None, "user": {"id": "ann"}})
    [unresolved] = storing.take()
    time.sleep(0.01)
    storing.send(storing.event("a"))
    [of_company] = storing.take()
    storing.persister.store([of_company])

    for _ in range(3):
        before = storing.admissions.present()
        while not evaluate_ready(evaluator, evaluations):
            time.sleep(0.01)
        [(_, ready_at_ms)] = storing.broker.client.zrange(EVALUATIONS.ready, 0, -1, withscores=True)
        paused_until = datetime.fromtimestamp(ready_at_ms / 1_000, UTC)
        assert paused_until >= before + REFRESH - timedelta(milliseconds=1)
    assert recorded(storing) == 1, "At Risk with the first event"

    storing.persister.store([unresolved])
    deadline = time.monotonic() + 5
    while evaluations.waiting() and time.monotonic() < deadline:
        evaluate_ready(evaluator, evaluations)
    assert recorded(storing) == 2, "Healthy with the second event"


def evaluate_ready(evaluator: CompanyEvaluator, evaluations: LaneQueue) -> int:
    taken = evaluations.take()
    if not isinstance(taken, list):
        return 0
    evaluator.evaluate_lanes(taken)
    return 1


def drain(evaluator: CompanyEvaluator, evaluations: LaneQueue) -> None:
    while evaluations.waiting():
        evaluate_ready(evaluator, evaluations)


def recorded(storing: Storing) -> int:
    with transaction():
        company = companies.find(storing.organization_id, "a")
        assert company is not None
        return len(transitions.list_for_company(storing.organization_id, company.id))


def test_the_oldest_unresolved_record_is_read_as_of_the_moment(storing: Storing) -> None:
    backlog = Backlog(storing.broker, utc_now, refresh=timedelta(hours=1))
    backlog.read()
    organization_id = storing.organization_id
    assert backlog.oldest_unresolved(organization_id) is None
    before = utc_now()
    storing.send(storing.event("") | {"company": None, "user": {"id": "ann"}})
    oldest = backlog.oldest_unresolved(organization_id)
    assert oldest is not None
    assert before - timedelta(seconds=1) < oldest <= utc_now() + timedelta(seconds=1)
    assert backlog.oldest_unresolved(organization_id + 1) is None
