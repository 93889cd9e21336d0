"""An organization with a webhook, and the browser of its administrator."""

import pytest

from config.settings import Settings
from models.database import transaction
from models.webhooks import webhook_endpoints
from tests.support.dashboard.application import Dashboard
from tests.support.dashboard.developers import HOOK, Developers


@pytest.fixture
def developers(dashboard: Dashboard, settings: Settings) -> Developers:
    organization = dashboard.organization("acme")
    with transaction():
        endpoint_id, _ = webhook_endpoints.add(
            organization.id, HOOK, secret_keys=settings.secret_keys
        )
    browser = dashboard.signed_in("ann@acme.com", (organization, "administrator"))
    return Developers(dashboard, settings, organization, endpoint_id, browser)
