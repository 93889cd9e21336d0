"""People, their memberships, sessions, saved views, and mentions in notes."""

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    TextField,
)
from playhouse.postgres_ext import ArrayField, DateTimeTZField

from models.organizations.tables import OrganizationRow
from models.table import IdentityField, Table


class PersonRow(Table):
    """Someone who uses the dashboard. Emails are unique regardless of case."""

    id = IdentityField(primary_key=True)
    email = TextField()
    name = TextField()
    password_hash = TextField(null=True)  # Argon2; null for sign-in by OpenID Connect only
    created_at = DateTimeTZField(constraints=[SQL("default now()")])
    signed_in_at = DateTimeTZField(null=True)  # the latest sign-in
    disabled_at = DateTimeTZField(null=True)
    time_zone = TextField(null=True)  # null until chosen or taken from the browser: UTC
    mention_emails = BooleanField(constraints=[SQL("default true")])  # an email for each mention
    single_keys = BooleanField(constraints=[SQL("default true")])  # keys such as `j` act

    class Meta:
        table_name = "people"


class MembershipRow(Table):
    """One person's role in one organization: `viewer`, `editor` or `administrator`."""

    organization = ForeignKeyField(OrganizationRow)
    person = ForeignKeyField(PersonRow)
    role = TextField()
    created_at = DateTimeTZField(constraints=[SQL("default now()")])
    # The values of companies' `owner` that mean this person, besides the email.
    owner_values = ArrayField(TextField, index=False, constraints=[SQL("default '{}'")])
    changes_seen_at = DateTimeTZField(null=True)  # when they last looked at Changes
    changes_seen_before = DateTimeTZField(null=True)  # the end of the visit before the present one

    class Meta:
        table_name = "memberships"
        primary_key = CompositeKey("organization", "person")


class SessionRow(Table):
    """One browser in which a person is signed in. Only the digest of its token is stored."""

    id = IdentityField(primary_key=True)
    person = ForeignKeyField(PersonRow)
    sha256 = BlobField(unique=True)
    created_at = DateTimeTZField()
    last_seen_at = DateTimeTZField()
    expires_at = DateTimeTZField()  # regardless of activity
    address = TextField()
    agent = TextField()

    class Meta:
        table_name = "sessions"


class SavedViewRow(Table):
    """A named filter of a list.

    Names are unique regardless of case: among the shared views of a list in an organization, and
    among one person's own views of it.
    """

    id = IdentityField()
    organization = ForeignKeyField(OrganizationRow)
    person = ForeignKeyField(PersonRow)  # the author
    name = TextField()
    query = TextField()  # the query string of the list's URL
    shared = BooleanField()  # with all members of the organization
    list_name = TextField(constraints=[SQL("default 'companies'")])  # or `worklist`
    created_at = DateTimeTZField(constraints=[SQL("default now()")])

    class Meta:
        table_name = "saved_views"
        primary_key = CompositeKey("organization", "id")


class NoteMentionRow(Table):
    """A member whom a note about a company mentions; it ends with the note or the membership."""

    organization = ForeignKeyField(OrganizationRow)
    note_id = BigIntegerField()
    person_id = BigIntegerField()
    at = DateTimeTZField()  # when the note was added, or edited so that it mentions them
    read_at = DateTimeTZField(null=True)

    class Meta:
        table_name = "note_mentions"
        primary_key = CompositeKey("organization", "note_id", "person_id")
