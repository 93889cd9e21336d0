"""The demo data, generated once for all tests of figures."""

from collections.abc import Iterator

import pytest

from config.settings import Settings
from dashboard.access.sign_in_attempts import SignInAttempts
from models.database import connect, database
from queues.broker import CLIENT_TIMEOUT, build_broker
from tests.support.dashboard.application import new_dashboard
from tests.support.dashboard.demo_figures import Demo, generate_demo
from tests.support.product.servers import Servers


@pytest.fixture(scope="session")
def figures_settings(servers: Servers) -> Settings:
    return servers.settings()


@pytest.fixture(scope="session")
def demo_figures(figures_settings: Settings) -> Iterator[Demo]:
    """The demo data behind a dashboard of their own, with nothing left to count."""
    connect(figures_settings)
    attempts = SignInAttempts(figures_settings.rate_limit_redis_url)
    broker = build_broker(figures_settings.redis_url, timeout=CLIENT_TIMEOUT)
    dashboard = new_dashboard(figures_settings, attempts, broker)
    with generate_demo(figures_settings, dashboard, broker) as demo:
        yield demo
    for client in (attempts.client, broker.client):
        client.connection_pool.disconnect()


@pytest.fixture
def demo(demo_figures: Demo, figures_settings: Settings) -> Iterator[Demo]:
    """The demo data, in the database that this process is connected to."""
    connect(figures_settings)
    yield demo_figures
    database.obj.close_all()
