"""What the columns of a file are mapped to."""

from dataclasses import dataclass

from models.companies.companies import CORE_FIELDS

LEFT_OUT = ""
"""The column is left out."""

TIME = "@time"
"""The column has the time as of which the values of a row apply."""

PROVIDER_ID = "@provider_id"
"""The column has the id by which the product that wrote the file knows the company or user."""

COMPANY_PROVIDER_ID = "@company_provider_id"
"""The column has the id by which that product knows the company of a user."""

COMPANY_ID = "company_id"
"""The column of a file of users that has the ids of their companies."""


@dataclass(frozen=True)
class Subject:
    """What a file has a row for; `core` are its core fields.

    `ids` and `names` are names of columns that probably have the id and the name, the likeliest
    first.
    """

    one: str
    many: str
    core: tuple[str, ...]
    ids: tuple[str, ...]
    names: tuple[str, ...]

    def count(self, number: int) -> str:
        """Return a number of them: `1 company`, `1,200 companies`."""
        return f"{number:,} {self.one if number == 1 else self.many}"


_COMPANY_IDS = tuple(
    f"{what}_id"
    for what in ("company", "account", "customer", "organization", "organisation", "org",
                 "workspace", "tenant", "team", "group", "external")
)  # fmt: skip

COMPANIES = Subject(
    "company",
    "companies",
    CORE_FIELDS,
    ("id", *_COMPANY_IDS),
    ("name", "company_name", "company", "account_name", "account", "customer_name", "customer",
     "organization_name", "organization", "organisation", "workspace_name", "title"),
)  # fmt: skip
USERS = Subject(
    "user",
    "users",
    ("email", "name"),
    ("id", "user_id", "userid", "member_id", "external_id"),
    ("name", "full_name", "fullname", "user_name", "display_name"),
)
COMPANIES_OF_USERS = _COMPANY_IDS
"""Names of columns in a file of users that probably have the ids of their companies."""

EMAILS = ("email", "email_address", "e_mail", "mail")
