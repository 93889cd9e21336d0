"""Exports of other products that load without a mapping, recognized by their columns and ids.

The columns are those that the products document or write by themselves:

- Salesforce: reports on accounts and contacts, whose columns have the labels of fields ("Account
  ID", "Account Name", "Account Owner", "Annual Revenue", "Billing State/Province"), and Data Export
  or Data Loader, whose columns have the API names of the objects Account and Contact ("Id", "Name",
  "OwnerId", "AnnualRevenue", "BillingState", "AccountId").
- HubSpot: the export of an index page of companies ("Record ID", "Company name", "Company owner",
  "Create Date", "Company Domain Name", "Lifecycle Stage") or contacts ("Record ID", "First Name",
  "Last Name", "Email", "Contact owner", "Associated Company IDs").
- Stripe: the dashboard's export of customers ("id", "Description", "Email", "Name",
  "Created (UTC)", "Delinquent", "Plan", "Status", "Total Spend", and metadata such as
  "account_id (metadata)").
- Brazebee: its own export of companies, whose health is left out.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice

from services.imports.csv_files.field_names import field_name
from services.imports.csv_files.table import CsvTable
from services.imports.customers.targets import (
    COMPANIES,
    COMPANY_PROVIDER_ID,
    LEFT_OUT,
    PROVIDER_ID,
    USERS,
    Subject,
)

_CHECKED = 50
"""Ids that are compared with those of a product."""


@dataclass(frozen=True)
class Preset:
    """The export of companies or users by a product.

    `provider` is its name in the fields of a company, and `pays` whether it is a payment provider.
    `signatures` are columns that an export has together; the first of them has the product's id,
    which matches `id_form`. `fields` maps columns to fields, and a value of `name_from` is the name
    if there is no other, in this order. Columns are by the names of their fields.
    """

    name: str
    title: str
    subject: Subject
    signatures: Collection[tuple[str, ...]]
    id_form: re.Pattern[str]
    fields: Mapping[str, str] = field(default_factory=dict)
    provider: str | None = None
    pays: bool = False
    name_from: tuple[str, ...] = ()

    @property
    def product(self) -> str:
        """The name of the product as it spells it, such as HubSpot."""
        return self.title.rpartition(" of ")[2]

    @property
    def provider_fields(self) -> tuple[str, str]:
        """The fields of the name of the product and of its id."""
        return (
            ("payment_provider", "payment_provider_id")
            if self.pays
            else ("crm_provider", "crm_provider_id")
        )

    def target(self, header: str) -> str | None:
        """Return what a column is mapped to, None if the preset does not say."""
        return self.fields.get(field_name(header))

    def fits(self, table: CsvTable) -> bool:
        """Whether a file is such an export."""
        columns = {field_name(table.header[number]): number for number in table.used}
        for signature in self.signatures:
            if set(signature) <= columns.keys():
                ids = list(islice(table.values(columns[signature[0]]), _CHECKED))
                if ids and all(map(self.id_form.fullmatch, ids)):
                    return True
        return False


_SALESFORCE_FIELDS = {
    "numberofemployees": "employees", "number_of_employees": "employees",
    "billing_state_province": "billing_state", "billing_zip_postal_code": "billing_postal_code",
    "shipping_state_province": "shipping_state",
    "shipping_zip_postal_code": "shipping_postal_code",
    "mailing_state_province": "mailing_state", "mailing_zip_postal_code": "mailing_postal_code",
}  # fmt: skip
"""The labels of reports, as the API names of the same fields."""

PRESETS = (
    Preset(
        name="salesforce",
        title="accounts of Salesforce",
        subject=COMPANIES,
        provider="salesforce",
        signatures=[("account_id", "account_name"), ("id", "name")],
        id_form=re.compile(r"001[A-Za-z0-9]{12}(?:[A-Z0-5]{3})?"),
        fields=_SALESFORCE_FIELDS
        | {
            "account_id": PROVIDER_ID,
            "id": PROVIDER_ID,
            "account_name": "name",
            "name": "name",
        },
    ),
    Preset(
        name="salesforce",
        title="contacts of Salesforce",
        subject=USERS,
        provider="salesforce",
        signatures=[("contact_id", "email"), ("id", "email", "last_name")],
        id_form=re.compile(r"003[A-Za-z0-9]{12}(?:[A-Z0-5]{3})?"),
        fields=_SALESFORCE_FIELDS
        | {
            "contact_id": PROVIDER_ID,
            "id": PROVIDER_ID,
            "account_id": COMPANY_PROVIDER_ID,
            "email": "email",
            "name": "name",
            "full_name": "name",
        },
    ),
    Preset(
        name="hubspot",
        title="companies of HubSpot",
        subject=COMPANIES,
        provider="hubspot",
        signatures=[
            ("record_id", "company_name", "company_owner"),
            ("record_id", "company_name", "company_domain_name"),
            ("record_id", "company_name", "create_date"),
            ("hs_object_id", "name", "domain"),
        ],
        id_form=re.compile(r"\d+"),
        fields={
            "record_id": PROVIDER_ID,
            "hs_object_id": PROVIDER_ID,
            "company_name": "name",
            "name": "name",
        },
    ),
    Preset(
        name="hubspot",
        title="contacts of HubSpot",
        subject=USERS,
        provider="hubspot",
        signatures=[
            ("record_id", "first_name", "last_name", "email"),
            ("record_id", "email", "contact_owner"),
            ("hs_object_id", "email", "lastname"),
        ],
        id_form=re.compile(r"\d+"),
        fields={
            "record_id": PROVIDER_ID,
            "hs_object_id": PROVIDER_ID,
            "email": "email",
            "firstname": "first_name",
            "lastname": "last_name",
            "primary_associated_company_id": COMPANY_PROVIDER_ID,
            "associated_company_ids_primary": COMPANY_PROVIDER_ID,
            "associated_company_id": COMPANY_PROVIDER_ID,
            "associatedcompanyid": COMPANY_PROVIDER_ID,
            "associated_company_ids": COMPANY_PROVIDER_ID,
        },
    ),
    Preset(
        name="stripe",
        title="customers of Stripe",
        subject=COMPANIES,
        provider="stripe",
        pays=True,
        signatures=[("id", "created_utc"), ("id", "email", "delinquent"), ("id", "description")],
        id_form=re.compile(r"cus_\w+"),
        fields={
            "id": PROVIDER_ID,
            "name": "name",
            "created_utc": "created",
            "status": "subscription_status",
        },
        name_from=("name", "description", "email"),
    ),
    Preset(
        name="brazebee",
        title="companies of Brazebee",
        subject=COMPANIES,
        signatures=[("id", "name", "status", "previous_status", "since", "score", "last_event_at")],
        id_form=re.compile(r"(?s).+"),
        fields={
            "id": "id",
            "name": "name",
            "status": LEFT_OUT,
            "previous_status": LEFT_OUT,
            "since": LEFT_OUT,
            "score": LEFT_OUT,
            "last_event_at": LEFT_OUT,
            "other_fields": LEFT_OUT,
        },
    ),
)

PRESET_NAMES = tuple(dict.fromkeys(preset.name for preset in PRESETS))


def detect(table: CsvTable, subject: Subject) -> Preset | None:
    """Return the preset of a file that has companies, or users; None if there is none."""
    return next(
        (preset for preset in PRESETS if preset.subject is subject and preset.fits(table)), None
    )


def find_preset(name: str, subject: Subject) -> Preset | None:
    """Return the preset of this name for companies or users, None if there is none."""
    return next(
        (preset for preset in PRESETS if preset.name == name and preset.subject is subject), None
    )
