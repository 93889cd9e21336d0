"""Migrates the database and, on the first start, creates an organization and an administrator."""

from dataclasses import dataclass, field
from pathlib import Path

from cli.commands.rules.files import load_rules, show_faults, url_keeper
from cli.errors import CommandError
from config.settings import Settings
from models.database import transaction
from models.keys.scopes import DEFAULT_SCOPES
from models.migrations import migrate
from models.organizations import organizations
from rules.faults import RuleFileError
from services.accounts import keys
from services.accounts.audit import FIRST_START, Maker
from services.accounts.first_administrator import FirstAdministrator, make_first_administrator
from services.rules.apply_rules import Origin, apply_rules
from services.times import utc_now

DEFAULT_ORGANIZATION = "default"


@dataclass(frozen=True)
class FirstStart:
    """What a start created because it was missing, to be shown once.

    `api_key` is None if an organization existed, `administrator` if a person existed. `event_key`
    is an enabled event key of the new organization, if it has one.
    """

    api_key: str | None = field(default=None, repr=False)
    event_key: str | None = None
    administrator: FirstAdministrator | None = None

    @property
    def created_anything(self) -> bool:
        """Whether anything was created."""
        return self.api_key is not None or self.administrator is not None


def prepare(rules: Path, settings: Settings) -> FirstStart:
    """Migrate, and create what is missing: `default` with a rule file, and an administrator.

    Raises:
        CommandError: the rule file cannot be read, or has faults.
        MigrationRefused: the schema cannot be brought up to date.
    """
    migrate(post=True)
    api_key = event_key = None
    with transaction():
        if not organizations.list_all():
            api_key, event_key = _create_organization(rules, settings)
        administrator = make_first_administrator(
            settings.admin_email, maker=Maker(FIRST_START), at=utc_now()
        )
    return FirstStart(api_key, event_key, administrator)


def _create_organization(rules: Path, settings: Settings) -> tuple[str, str | None]:
    file = load_rules(rules)
    organization = organizations.create(DEFAULT_ORGANIZATION)
    try:
        applied = apply_rules(
            organization.id,
            file.source,
            file=str(rules),
            applied_by=FIRST_START,
            now=utc_now(),
            origin=Origin(keeper=url_keeper(settings, FIRST_START)),
        )
    except RuleFileError as error:
        raise CommandError(show_faults(rules, file.source, error.faults)) from None
    api_key = keys.create(
        organization.id, "first key", DEFAULT_SCOPES, maker=Maker(FIRST_START), at=utc_now()
    )
    enabled = (key for key, event in applied.book.events.items() if event.enabled)
    return api_key, next(enabled, None)
