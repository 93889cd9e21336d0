"""Servers, an empty database for each test, and the order in which tests run."""

import gc
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from config.settings import Settings
from models.database import connect, database, transaction
from tests.support.product.data_template import template_folder
from tests.support.product.emptying import Emptier
from tests.support.product.servers import Servers, running_servers
from tests.support.properties import THOROUGH_TIMEOUT, load_profile, profile_is_thorough
from tests.support.routability import PARTITIONED_DATABASE, Planner, Statements, noting

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as for what a shell runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # processes of tests inherit it

load_profile()  # before test modules are imported: their `@effort` scales it

GROUPS = {
    "product": "brazebee",
    "browser": "chromium",
    "demo": "histories",
    "figures": "demo_figures",
    "import graph": "graph",
    "sdks": "sdk_accounts",
    "sdks at length": "full_sdk_accounts",
}
"""Groups of tests by the expensive fixture that each needs once, such as a running product."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep a template of the data directory for all processes of this run."""
    if not hasattr(config, "workerinput"):  # the workers of pytest-xdist inherit its place
        folder = template_folder()
        folder.__enter__()
        config.add_cleanup(lambda: folder.__exit__(None, None, None))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that share an expensive fixture into one process, and start the slow ones first.

    pytest-xdist begins with the largest group; within groups and among single tests the order is
    that of `items`.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        for group, fixture in GROUPS.items():
            if fixture in fixtures:
                item.add_marker(pytest.mark.xdist_group(group))
        if profile_is_thorough():
            item.add_marker(pytest.mark.timeout(THOROUGH_TIMEOUT), append=False)
    items.sort(key=lambda item: "own_brazebee" not in getattr(item, "fixturenames", ()))


def pytest_collection_finish() -> None:
    """Exempt what was imported and collected from garbage collection: a tenth less CPU."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Run embedded PostgreSQL and Redis for the tests of one process."""
    with running_servers() as running:
        yield running


@pytest.fixture(scope="session")
def shared_settings(servers: Servers) -> Settings:
    """Settings for the database that tests use in turn: to create one takes far longer."""
    return servers.settings()


@pytest.fixture(scope="session")
def emptier(shared_settings: Settings) -> Iterator[Emptier]:
    with closing(Emptier(shared_settings.database_url)) as emptier:
        yield emptier


@pytest.fixture(scope="session")
def shared_redis(shared_settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(shared_settings.redis_url) as client:
        yield client


@pytest.fixture(scope="session")
def statements() -> Iterator[Statements]:
    """The statements that product code sends in this process."""
    statements = Statements()
    with noting(statements):
        yield statements


@pytest.fixture(scope="session")
def planner(servers: Servers) -> Iterator[Planner]:
    with closing(Planner(servers.database_url(PARTITIONED_DATABASE))) as planner:
        yield planner


@pytest.fixture
def settings(
    shared_settings: Settings,
    emptier: Emptier,
    shared_redis: redis.Redis,
    statements: Statements,
    planner: Planner,
) -> Iterator[Settings]:
    """Settings for an empty migrated database and an empty Redis.

    A statement that a test is the first to send has to be about one organization.
    """
    shared_redis.flushall()
    emptier.empty()
    connect(shared_settings)
    yield shared_settings
    database.obj.close_all()
    faults = [
        f"{fault}: {sql} ({source})"
        for sql, source in statements.take_new()
        if (fault := planner.find_fault(sql, source))
    ]
    assert not faults, "\n".join(faults)


@pytest.fixture
def in_transaction(settings: Settings) -> Iterator[Settings]:
    """A transaction that is open for the whole test."""
    with transaction():
        yield settings
