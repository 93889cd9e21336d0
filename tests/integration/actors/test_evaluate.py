"""Companies evaluated together get the same health as alone, and one error affects no other."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from actors.evaluate import CompanyEvaluator
from config.settings import Settings
from models.companies import companies
from models.database import execute, query, transaction
from queues.broker import QueueBroker
from services.rules.rule_books import RuleBooks, RulesUnreadable
from services.times import utc_now
from tests.support.in_transactions import evaluate
from tests.support.world import RULES, World

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
NAMES = ("acme", "bolt", "coda")

MORE_RULES = f"""{RULES}
  - flag: Gone quiet
    event: any
    when: {{At Risk: at most 3 times in 15 seconds, Critical: no activity for 20 seconds}}
    for: 2 seconds
  - flag: Reports again and again
    event: report
    when: {{Critical: at least 1 time in 5 seconds}}
    recover: no activity for 7 seconds
"""

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def broker(settings: Settings) -> Iterator[QueueBroker]:
    client = redis.Redis.from_url(settings.redis_url)
    yield QueueBroker(client=client, middleware=[])  # type: ignore[no-untyped-call]
    client.close()


def new_world(now: datetime = NOW) -> World:
    return World.create(MORE_RULES, start=now, rules_at=-timedelta(days=1))


def ids(world: World) -> list[int]:
    """Return the ids of the companies in the order of their names."""
    with transaction():
        rows = [companies.find(world.id, name) for name in NAMES]
    return [company.id for company in rows if company is not None]


def recorded(world: World) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the transitions and flags of an organization's companies, without ids."""
    matching = "join companies c on c.id = company_id where c.organization_id = %(id)s"
    with transaction():
        transitions = query(
            f"select c.external_id, t.sequence, at, cause, changes from transitions t {matching}"
            " order by 1, 2",
            {"id": world.id},
        )
        flags = query(
            "select c.external_id, flag, status, f.changed_at, due_at, c.awaiting, moved_at,"
            " holding, c.health_status, c.score, c.unsettled_since from flag_states f"
            f" {matching} order by 1, 2",
            {"id": world.id},
        )
    return transitions, flags


sent = st.tuples(
    st.sampled_from(NAMES), st.sampled_from(["login", "report"]), st.integers(0, 40), st.booleans()
)


@given(st.lists(st.tuples(st.lists(sent, max_size=12), st.integers(0, 30)), min_size=1, max_size=4))
def test_companies_evaluated_together_get_the_same_health_as_alone(
    rounds: list[tuple[list[tuple[str, str, int, bool]], int]],
) -> None:
    together, alone = new_world(), new_world()
    for events, before in rounds:
        for company, key, sent_before, again in events:
            for world in (together, alone):
                world.track(company, *[-sent_before] * (1 + again), key=key)
        until = together.at(-before)
        evaluate(ids(together), together.rulebooks, NOW, stored_until=until)
        for company_id in ids(alone):
            evaluate([company_id], alone.rulebooks, NOW, stored_until=until)
        assert recorded(together) == recorded(alone)


def test_a_company_that_cannot_be_evaluated_affects_no_other(broker: QueueBroker) -> None:
    fine, unreadable = new_world(utc_now()), new_world(utc_now())
    for world in (fine, unreadable):
        for name in NAMES:
            world.track(name, -30.0)
    with transaction():
        execute(
            "update rule_versions set source = 'flags: [' where organization_id = %(id)s",
            {"id": unreadable.id},
        )
    [first, *others] = ids(fine)
    bundle = [first, *ids(unreadable), *others]
    with pytest.raises(RulesUnreadable):
        CompanyEvaluator(broker, RuleBooks()).evaluate_former(bundle)
    transitions, _ = recorded(fine)
    assert {row["external_id"] for row in transitions} == set(NAMES)
    assert recorded(unreadable) == ([], [])
