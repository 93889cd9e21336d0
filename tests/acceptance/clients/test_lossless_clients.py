"""From the call of the client's function to the stored count: nothing lost, nothing twice."""

import logging
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.clients.applications import NODE, PYTHON, Applications
from tests.support.clients.node import needs_node
from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant

logger = logging.getLogger(__name__)

RULES = """\
version: 1
statuses: [Healthy, At Risk]
events: {login: }
flags:
  - flag: Logins
    event: login
    when: {At Risk: no activity for 7 days}
"""

LANGUAGES = [
    pytest.param(PYTHON, id="python"),
    pytest.param(NODE, id="node", marks=needs_node),
]


def stored(brazebee: Brazebee, organization_id: int) -> Counter[str]:
    rows = brazebee.query(f"select event_id from events where organization_id = {organization_id}")
    return Counter(event_id for (event_id,) in rows)


def drain(applications: Applications) -> list[str]:
    """Run applications until none has left anything; return their ids."""
    ids: list[str] = []

    def is_empty() -> bool:
        ids.extend(applications.run("to_its_end", 1))
        return not list(applications.spool.glob("[pj][ys]-*"))

    eventually(is_empty, 60)
    return ids


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_killed_applications_lose_nothing_on_the_way_to_the_store(
    brazebee: Brazebee, organization: str, tmp_path: Path, language: list[str]
) -> None:
    tenant = Tenant(brazebee, organization, tmp_path, rules=RULES)
    applications = Applications(language, brazebee.base_url, tenant.key, tmp_path / "spool")
    randomly = random.Random(19)
    ids = [i for _ in range(2) for i in applications.run_until_killed(randomly, 0.05)]
    ids += drain(applications)
    eventually(lambda: set(ids) <= set(stored(brazebee, tenant.id)))
    assert stored(brazebee, tenant.id).most_common(1)[0][1] == 1
    assert applications.refused() == []


@pytest.mark.thorough
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_lost_while_application_and_ingress_are_killed_again_and_again(
    own_brazebee: Brazebee, tmp_path: Path, language: list[str]
) -> None:
    own_brazebee.start(dashboard=0)
    tenant = Tenant(own_brazebee, "default", tmp_path, rules=RULES)
    applications = Applications(language, own_brazebee.base_url, tenant.key, tmp_path / "spool")
    randomly = random.Random(19)
    stopping = threading.Event()

    def kill_the_ingress() -> None:
        while not stopping.wait(randomly.uniform(0.5, 4)):
            own_brazebee.kill("web.1")

    killer = threading.Thread(target=kill_the_ingress)
    killer.start()
    ids: list[str] = []
    lock = threading.Lock()

    def run(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(25):
            tracked = applications.run_until_killed(own, 0.6)
            with lock:
                ids.extend(tracked)

    runners = [threading.Thread(target=run, args=(seed,)) for seed in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    stopping.set()
    killer.join()
    ids += drain(applications)
    eventually(lambda: set(ids) <= set(stored(own_brazebee, tenant.id)), 120)
    counts = stored(own_brazebee, tenant.id)
    assert len(ids) == len(set(ids)) > 1_000
    assert counts.most_common(1)[0][1] == 1
    assert applications.refused() == []
    total = sum(counts.values())
    logger.info("%d calls returned, %d events were counted", len(ids), total)
    # Calls that the kill kept from returning may have written their event: they count as well.
    assert total - len(ids) <= 50
    hourly = f"select sum(events) from event_counts where organization_id = {tenant.id}"
    eventually(lambda: own_brazebee.query(hourly) == [(total,)], 120)


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_outage_of_the_product_loses_nothing(
    own_brazebee: Brazebee, tmp_path: Path, language: list[str]
) -> None:
    own_brazebee.start(dashboard=0)
    tenant = Tenant(own_brazebee, "default", tmp_path, rules=RULES)
    applications = Applications(language, own_brazebee.base_url, tenant.key, tmp_path / "spool")
    own_brazebee.stop()
    ids = applications.run("without_sending", 2_000)
    with applications.begin("steadily", 3_000) as process:
        outputs: list[bytes] = []
        reader = threading.Thread(target=lambda: outputs.append(process.communicate()[0]))
        reader.start()
        time.sleep(3)
        own_brazebee.start(dashboard=0)
        reader.join(60)
    ids += b"".join(outputs).decode().split()
    ids += drain(applications)
    assert len(ids) > 5_000
    eventually(lambda: set(ids) <= set(stored(own_brazebee, tenant.id)), 120)
    assert stored(own_brazebee, tenant.id).most_common(1)[0][1] == 1
