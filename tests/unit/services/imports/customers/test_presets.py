"""Exports of other products are recognized by the columns that they document, and mapped."""

import pytest

from services.imports.csv_files.table import read_table
from services.imports.customers.mapping import ColumnMapping, map_columns
from services.imports.customers.presets import detect, find_preset
from services.imports.customers.salesforce_ids import lengthen
from services.imports.customers.targets import (
    COMPANIES,
    COMPANY_PROVIDER_ID,
    PROVIDER_ID,
    USERS,
    Subject,
)

ACCOUNT, CONTACT = "0015g00000BhYbTAAV", "0035g00000DkLmNAAV"


def export(header: str, first: str) -> bytes:
    """A file with a value in the first column only."""
    header = header.strip()
    return f"{header}\n{first}{',' * header.count(',')}\n".encode()


def mapped(content: bytes, subject: Subject) -> ColumnMapping:
    table = read_table(content)
    return map_columns(table, subject, detect(table, subject), {})


REPORT = "Account ID,Account Name,Account Owner,Billing State/Province,Annual Revenue,Employees"
DATA_EXPORT = """
Id,IsDeleted,MasterRecordId,Name,Type,ParentId,BillingState,AnnualRevenue,NumberOfEmployees,OwnerId,\
CreatedDate,SystemModstamp,Seats__c"""
CONTACT_REPORT = "Contact ID,First Name,Last Name,Title,Email,Phone,Account ID,Account Name"
CONTACT_EXPORT = "Id,IsDeleted,AccountId,LastName,FirstName,Name,Email,Title"
HUBSPOT_VIEW = """
Record ID,Company name,Company owner,Create Date,Phone Number,Last Activity Date,City,\
Country/Region,Industry"""
HUBSPOT_FIELDS = "Record ID,Company name,Company Domain Name,Lifecycle Stage,Annual Revenue"
HUBSPOT_CONTACTS = """
Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company IDs,Lead Status,\
Create Date"""
STRIPE_CUSTOMERS = """
id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend,Payment Count,\
Refunded Volume,Dispute Losses,account_id (metadata)"""
OWN = "id,name,status,previous_status,since,score,last_event_at,plan"


@pytest.mark.parametrize(
    ("header", "first", "subject", "title"),
    [
        (REPORT, ACCOUNT[:15], COMPANIES, "accounts of Salesforce"),
        (DATA_EXPORT, ACCOUNT, COMPANIES, "accounts of Salesforce"),
        (CONTACT_REPORT, CONTACT[:15], USERS, "contacts of Salesforce"),
        (CONTACT_EXPORT, CONTACT, USERS, "contacts of Salesforce"),
        (HUBSPOT_VIEW, "7431006011", COMPANIES, "companies of HubSpot"),
        (HUBSPOT_FIELDS, "9001", COMPANIES, "companies of HubSpot"),
        (HUBSPOT_CONTACTS, "151", USERS, "contacts of HubSpot"),
        (STRIPE_CUSTOMERS, "cus_NffrFeUfNV2Hib", COMPANIES, "customers of Stripe"),
        (OWN, "acme", COMPANIES, "companies of Brazebee"),
    ],
)
def test_an_export_is_recognized(header: str, first: str, subject: Subject, title: str) -> None:
    preset = detect(read_table(export(header, first)), subject)
    assert preset is not None
    assert preset.title == title
    other = USERS if subject is COMPANIES else COMPANIES
    assert detect(read_table(export(header, first)), other) is None


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("Account ID,Account Name", "1234"),
        ("Account ID,Account Name", CONTACT),
        ("id,name", ACCOUNT[:14]),
        ("id,Description,Email,Name,Created (UTC)", "17"),
        ("Record ID,Company name,Company owner", "abc"),
    ],
)
def test_the_same_columns_with_other_ids_are_no_export(header: str, first: str) -> None:
    assert detect(read_table(export(header, first)), COMPANIES) is None


def test_reports_and_data_exports_of_salesforce_set_the_same_fields() -> None:
    report = mapped(
        export(
            "Account ID,Account Name,Annual Revenue,Employees,Billing State/Province,"
            "Billing Zip/Postal Code",
            ACCOUNT,
        ),
        COMPANIES,
    )
    data = mapped(
        export("Id,Name,AnnualRevenue,NumberOfEmployees,BillingState,BillingPostalCode", ACCOUNT),
        COMPANIES,
    )
    targets = [
        PROVIDER_ID, "name", "annual_revenue", "employees", "billing_state", "billing_postal_code",
    ]  # fmt: skip
    assert [column.target for column in report.columns] == targets
    assert [column.target for column in data.columns] == targets
    assert report.takes_provider_id


def test_the_primary_company_of_a_contact_goes_before_all_of_them() -> None:
    header = "Record ID,Email,Contact owner,Associated Company IDs,Primary Associated Company ID"
    targets = [column.target for column in mapped(export(header, "1"), USERS).columns]
    assert targets == [
        PROVIDER_ID, "email", "contact_owner", "associated_company_ids", COMPANY_PROVIDER_ID,
    ]  # fmt: skip


def test_the_health_in_an_export_of_our_own_is_left_out() -> None:
    targets = [column.target for column in mapped(export(OWN, "acme"), COMPANIES).columns]
    assert targets == ["id", "name", "", "", "", "", "", "plan"]


def test_a_status_of_stripe_is_not_taken_for_health() -> None:
    mapping = mapped(export("id,Created (UTC),Status", "cus_1"), COMPANIES)
    assert [column.target for column in mapping.columns][1:] == ["created", "subscription_status"]


def test_presets_are_found_by_name_for_what_they_export() -> None:
    found = find_preset("stripe", COMPANIES)
    assert found is not None
    assert found.provider_fields == ("payment_provider", "payment_provider_id")
    assert find_preset("stripe", USERS) is None


@pytest.mark.parametrize("record_id", [ACCOUNT, CONTACT, "001D000000IqhSLIAZ"])
def test_ids_of_salesforce_are_lengthened_by_their_capitals(record_id: str) -> None:
    assert lengthen(record_id[:15])[:15] == record_id[:15]
    assert lengthen("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert lengthen(record_id) == record_id
