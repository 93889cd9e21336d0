"""A tenant whose flags are snoozed and overridden."""

import pytest

from config.settings import Settings
from tests.support.overrides import Tenant


@pytest.fixture
def tenant(settings: Settings) -> Tenant:
    del settings  # the database
    return Tenant()
