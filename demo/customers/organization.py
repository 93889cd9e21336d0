"""The organization of the demo: its former and current rules, and the people who may see it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from config.files import DEMO_DATA_RULES
from demo.customers.names import OWNERS, OWNERS_DOMAIN
from demo.customers.notifications import NOTIFY, add_channels
from demo.errors import DemoError
from demo.team.notes import add_colleagues
from demo.team.views import share_views
from models.database import transaction
from models.organizations import organizations, rule_versions
from models.organizations.organizations import Organization
from models.people import memberships
from services.rules.apply_rules import apply_rules

APPLIED_BY = "brazebee demo-data"
"""Marks an organization as created here; no other is replaced or removed."""

FORMER_PHRASES = (
    ("less than 2 times in 14 days", "less than 4 times in 14 days"),
    ("recover: at least 3 times in 14 days", "recover: at least 5 times in 14 days"),
    ("down 55% in 30 days", "down 40% in 30 days"),
)
"""Current phrases of the rules, and the stricter ones that they replaced."""

YEAR = timedelta(days=366)
EDITED_AGO = timedelta(days=163)
"""How long ago the rules were changed to the current phrases."""


def create_organization(name: str, now: datetime, secret_keys: Sequence[str] = ()) -> Organization:
    """Create the organization with both versions of its rules, and let administrators see it.

    With keys for secrets, its rules notify people. Opens a transaction.

    Raises:
        DemoError: an organization with this name exists.
    """
    former, current = rule_texts(notify=bool(secret_keys))
    with transaction():
        if organizations.find(name) is not None:
            raise DemoError(
                f"There is an organization `{name}` already. `--replace` makes its demo data again,"
                " `--org NAME` creates another organization."
            )
        organization = organizations.create(name)
        memberships.add_first_administrators(organization.id)
        _own_companies(organization.id)
        share_views(organization.id)
        if secret_keys:
            add_channels(organization.id, now - YEAR, secret_keys)
        add_colleagues(organization.id)
        for text, ago in ((former, YEAR), (current, EDITED_AGO)):
            apply_rules(
                organization.id, text, file=str(DEMO_DATA_RULES), applied_by=APPLIED_BY,
                now=now - ago,
            )  # fmt: skip
    return organization


def _own_companies(organization_id: int) -> None:
    """Let one of its people be an owner of customers, so that they see what Mine is."""
    people = memberships.list_for_organization(organization_id)[:1]
    for person in people:
        owner = f"{OWNERS[0]}@{OWNERS_DOMAIN}"
        memberships.set_owner_values(organization_id, person.person_id, [owner])


def is_demo_organization(organization_id: int) -> bool:
    """Return whether an organization was created by `create_organization`."""
    first = rule_versions.find(organization_id, 1)
    return first is not None and first.applied_by == APPLIED_BY


def rule_texts(*, notify: bool = False) -> tuple[str, str]:
    """Return the text of the rules in the first months, and the one that ships.

    With `notify`, both name the channels of the demo.
    """
    current = DEMO_DATA_RULES.read_text(encoding="utf-8") + (NOTIFY if notify else "")
    former = current
    for phrase, former_phrase in FORMER_PHRASES:
        former = former.replace(phrase, former_phrase)
    return former, current
