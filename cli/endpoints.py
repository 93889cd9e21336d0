"""Webhook endpoints as several commands use them."""

from uuid import UUID

from cli.errors import CommandError
from config.settings import Settings
from models.organizations.organizations import Organization
from models.webhooks.deliveries import Request
from models.webhooks.webhook_endpoints import Endpoint
from queues.broker import build_broker
from services.webhooks import endpoints
from services.webhooks.endpoints import NoSuchEndpoint


def enqueue_deliveries(settings: Settings, requests: list[Request]) -> None:
    """Ask `deliver` to send deliveries; if that fails, the clock does it later."""
    if requests:
        endpoints.enqueue_deliveries(build_broker(settings.redis_url), requests)


def require_secret_keys(settings: Settings) -> None:
    """Check that secrets can be encrypted.

    Raises:
        CommandError: there is no key.
    """
    if not settings.secret_keys:
        raise CommandError(
            "BRAZEBEE_SECRET_KEY is not set, and webhook secrets are stored encrypted. Create a key"
            ' with: python -c "from cryptography.fernet import Fernet;'
            ' print(Fernet.generate_key().decode())"'
        )


def find_endpoint(organization: Organization, endpoint_id: UUID) -> Endpoint:
    """Return an endpoint of an organization.

    Raises:
        CommandError: there is none with this id.
    """
    try:
        return endpoints.lock(organization.id, endpoint_id)
    except NoSuchEndpoint:
        raise CommandError(
            f"`{organization.name}` has no webhook {endpoint_id}; see `brazebee webhooks list`."
        ) from None
