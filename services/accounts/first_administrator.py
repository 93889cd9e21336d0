"""Makes the first person, who administers every organization that there is."""

from dataclasses import dataclass, field
from datetime import datetime

from models.locks import AdvisoryLock, lock
from models.organizations import organizations
from models.people import people
from services.accounts import people as changes
from services.accounts.audit import Maker
from services.accounts.passwords import Passwords, random_password
from services.accounts.people import NewMember
from services.accounts.roles import Role


@dataclass(frozen=True)
class FirstAdministrator:
    """How the first person signs in, to be shown once."""

    email: str
    password: str = field(repr=False)


def make_first_administrator(
    email: str, *, maker: Maker, at: datetime
) -> FirstAdministrator | None:
    """Make an administrator where there is nobody yet; None where there is somebody.

    Raises:
        ChangeRefused: the email is none.
    """
    lock(AdvisoryLock.FIRST_ADMINISTRATOR)
    if people.any_exists():
        return None
    password = random_password()
    password_hash = Passwords().hash(password)
    for organization in organizations.every():
        newcomer = NewMember(email, "Administrator", password_hash)
        changes.add(organization, newcomer, Role.ADMINISTRATOR, maker=maker, at=at)
    return FirstAdministrator(email, password) if people.any_exists() else None
