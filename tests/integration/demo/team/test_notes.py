"""The colleagues of the demo, who come and go with it."""

from datetime import UTC, datetime

import pytest

from demo.team.notes import COLLEAGUES, add_colleagues, remove_colleagues
from models.database import transaction
from models.organizations import organizations, removal
from models.people import memberships, people
from services.accounts.roles import Role

pytestmark = pytest.mark.usefixtures("settings")


def names() -> set[str]:
    with transaction():
        return {name for name in COLLEAGUES if people.find(f"{name}@brightdesk.example")}


def test_colleagues_are_removed_with_the_last_organization_that_has_them() -> None:
    with transaction():
        first, other = organizations.create("first"), organizations.create("other")
        reader = people.create("ann@acme.com", "Ann", None)
        for organization in (first, other):
            memberships.add(organization.id, reader.id, Role.VIEWER)
            add_colleagues(organization.id)
    for organization, remaining in ((first, set(COLLEAGUES)), (other, {COLLEAGUES[0]})):
        for _ in removal.remove(organization.id):
            pass
        with transaction():
            if organization is other:  # somebody who has signed in is no longer of the demo alone
                known = people.find(f"{COLLEAGUES[0]}@brightdesk.example")
                assert known
                people.record_sign_in(known.id, datetime(2026, 1, 1, tzinfo=UTC))
            remove_colleagues()
        assert names() == remaining
    with transaction():
        assert people.find_by_id(reader.id)
