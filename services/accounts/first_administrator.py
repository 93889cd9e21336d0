"""Creates the first person, who administers every existing organization."""

from dataclasses import dataclass, field
from datetime import datetime

from models.locks import AdvisoryLock, lock
from models.organizations import organizations
from models.people import people
from services.accounts import people as accounts
from services.accounts.audit import Maker
from services.accounts.passwords import Passwords, random_password
from services.accounts.people import NewMember
from services.accounts.roles import Role


@dataclass(frozen=True)
class FirstAdministrator:
    """The credentials of the first person, to be shown once."""

    email: str
    password: str = field(repr=False)


def make_first_administrator(
    email: str, *, maker: Maker, at: datetime
) -> FirstAdministrator | None:
    """Create an administrator if there is no person yet; otherwise return None.

    Raises:
        ChangeRefused: it is not an email address.
    """
    lock(AdvisoryLock.FIRST_ADMINISTRATOR)
    if people.any_exists():
        return None
    password = random_password()
    password_hash = Passwords().hash(password)
    for organization in organizations.list_all():
        member = NewMember(email, "Administrator", password_hash)
        accounts.add(organization, member, Role.ADMINISTRATOR, maker=maker, at=at)
    return FirstAdministrator(email, password) if people.any_exists() else None
