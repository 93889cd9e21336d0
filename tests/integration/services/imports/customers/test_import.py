"""A file creates and changes companies and users, after showing exactly that; twice is once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.settings import Settings
from models.database import transaction
from models.organizations import audit_log
from services.accounts.audit import COMMAND_LINE, Maker
from services.events.updates import plan_updates
from services.health.history import QUIET
from services.imports.customers import loading
from services.imports.customers.chunks import in_chunks
from services.imports.customers.comparison import Comparison, compare
from services.imports.customers.explanation import advice_on_ids, likely_id_columns, notes_on
from services.imports.customers.file import (
    CustomerFile,
    ImportOptions,
    UnusableOptions,
    read_file,
)
from services.imports.customers.loading import Source, load
from services.imports.customers.targets import COMPANIES, USERS, Subject
from tests.support.evaluations import FEW_LOGINS
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")

STRIPE = (
    "id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend,app_id (metadata)\n"
    "cus_1,,b@x.com,Acme,2024-02-01 09:30,false,price_1,active,10.50,acme\n"
    "cus_2,,c@x.com,,2024-02-02 09:30,true,price_1,past_due,0.00,globex\n"
)

SOURCE = Source("customers.csv", "0" * 64, None, Maker(COMMAND_LINE))


def read(
    world: World, text: str, subject: Subject = COMPANIES, **options: Any
) -> tuple[CustomerFile, Comparison]:
    chosen = ImportOptions(**options)
    with transaction():
        file = read_file(world.id, text.encode(), subject, chosen, world.now)
        assert file.faults == ()
        return file, compare(world.id, file, world.now)


def run(world: World, text: str, subject: Subject = COMPANIES, **options: Any) -> Comparison:
    """Import a file; the preview agrees with what the service of updates plans."""
    _, comparison = read(world, text, subject, **options)
    updates = [
        loading._update(world.id, subject, row_id, row, world.now)  # noqa: SLF001
        for row_id, rows in comparison.rows.items()
        for row in rows
    ]
    with transaction():
        planned = plan_updates(world.id, updates)
    outcomes = [p.outcome.value for p in planned if p.subject.value == subject.one]
    assert outcomes.count("created") == comparison.created
    assert outcomes.count("changed") == comparison.changed
    chunks = load(world.id, subject, comparison, world.rulebooks, SOURCE, world.now)
    assert sum(chunk.number for chunk in chunks) == len(comparison.rows)
    return comparison


def counts(comparison: Comparison) -> tuple[int, int, int, int]:
    return (
        comparison.created,
        comparison.changed,
        comparison.unchanged,
        len(comparison.refused),
    )


def rows_of(world: World) -> list[dict[str, Any]]:
    """Everything about companies and users that an import may write."""
    return world.rows(
        "select external_id, name, crm_provider_id, payment_provider_id, traits, fields_at::text,"
        " said::text, last_event_at from companies where organization_id = %(id)s union all"
        " select external_id, name, email, company_id::text, traits, fields_at::text, said::text,"
        " company_at from users where organization_id = %(id)s order by 1"
    )


def test_a_file_creates_changes_and_then_changes_nothing(world: World) -> None:
    world.track("acme", plan="free", seats=3)
    text = "id,name,plan,seats,renewal\nacme,Acme Inc,pro,3,1/31/2027\nbolt,Bolt,,5,\n,x,,,\n"
    comparison = run(world, text)
    assert counts(comparison) == (1, 1, 0, 1)
    [changed] = comparison.changed_examples
    assert (changed.id, changed.line) == ("acme", 2)
    assert changed.changes == {
        "name": ("Acme", "Acme Inc"), "plan": ("free", "pro"), "renewal": (None, "2027-01-31"),
    }  # fmt: skip
    assert world.company("acme").traits.custom == {
        "plan": "pro", "seats": 3, "renewal": "2027-01-31",
    }  # fmt: skip
    assert world.company("bolt").traits.custom == {"seats": 5}
    assert len(world.rows("select from events where organization_id = %(id)s")) == 1
    before = rows_of(world)
    world.advance(days=1)
    again = run(world, text)
    assert counts(again) == (0, 0, 2, 1)
    assert rows_of(world) == before


def test_the_health_of_a_new_company_is_history_and_sends_no_webhook(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    world.track("acme", 0)
    before = world.transitions("acme")
    world.advance(seconds=5)
    run(world, "id,plan\nacme,pro\nbolt,free\n")
    world.advance(seconds=QUIET.total_seconds())
    world.judge("acme", world.now)
    world.judge("bolt", world.now)
    assert [t.cause for t in world.transitions("bolt")] == ["import"]
    assert world.company("bolt").health_status == "At Risk"
    assert world.transitions("acme")[: len(before)] == before
    assert all(payload["company"]["id"] == "acme" for payload in world.payloads())


PLANS = """
version: 1
events: {login: }
flags:
  - flag: Free
    when: {At Risk: company.plan is free}
"""


def test_a_field_that_a_company_did_not_have_is_history_and_one_that_changes_is_news(
    settings: Settings,
) -> None:
    world = World.create(PLANS)
    world.subscribe(settings)
    world.track("acme", 0)
    world.advance(seconds=600)
    run(world, "id,plan\nacme,free\n")
    world.advance(seconds=QUIET.total_seconds())
    world.judge("acme", world.now)
    assert world.crossings() == [(0, "At Risk", "import")]
    assert world.payloads() == []
    world.advance(seconds=600)
    run(world, "id,plan\nacme,pro\n")
    world.judge("acme", world.now)
    assert world.crossings()[1:] == [(1203, "Healthy", "event")]
    assert [payload["cause"] for payload in world.payloads()] == ["event"]


def test_a_column_whose_values_are_ids_of_companies_is_taken_for_the_ids(world: World) -> None:
    world.track("acme", 0)
    text = STRIPE.replace("globex", "acme2")
    file, comparison = read(world, text)
    assert (file.own_ids, comparison.created) == (None, 2)  # half of them are not most of them
    world.track("acme2", 0)
    file, comparison = read(world, text)
    assert file.own_ids == "app_id (metadata)"
    assert (comparison.created, comparison.changed) == (0, 2)
    assert any("most of its values are ids" in note for note in notes_on(file, comparison))
    file, _ = read(world, text, targets={"app_id (metadata)": "app_id"})
    assert file.own_ids is None


def test_values_apply_as_of_the_import_or_a_time_that_is_given(world: World) -> None:
    world.track("acme", 0, plan="free")
    early = world.ago(days=2)
    assert counts(run(world, "id,plan\nacme,old\n", as_of=early)) == (0, 0, 1, 0)
    assert world.company("acme").traits.custom["plan"] == "free"
    dated = "id,plan,at\nacme,later,2027-01-01\n"
    world.advance(days=500)
    run(world, dated, targets={"at": "@time"})
    world.track("acme", datetime(2026, 12, 31, tzinfo=UTC), plan="in between")
    assert world.company("acme").traits.custom["plan"] == "later"
    history = world.rows(
        "select at, value from field_changes where organization_id = %(id)s and field = 'plan'"
        " order by at"
    )
    assert [row["value"] for row in history] == ["old", "free", "in between", "later"]


def test_a_value_of_another_type_than_so_far_is_refused_unless_it_is_accepted(
    world: World,
) -> None:
    world.track("acme", seats=3, tier="1")
    text = "id,seats,tier\nacme,4,2\nbolt,many,3\n"
    file, comparison = read(world, text)
    assert counts(comparison) == (0, 1, 0, 1)
    assert "the field `seats` has been a number" in comparison.refused[0].reason
    assert comparison.changed_examples[0].changes == {"seats": (3, 4), "tier": ("1", "2")}
    assert file.new_fields == []
    _, accepted = read(world, text, change_types=True)
    assert accepted.changed_examples[0].changes == {"seats": (3, "4"), "tier": ("1", 2)}


def test_an_export_finds_the_companies_that_events_have_named(world: World) -> None:
    world.track("acme", payment_provider="Stripe", payment_provider_id="cus_1")
    file, comparison = read(world, STRIPE)
    assert counts(comparison) == (1, 1, 0, 0)
    assert comparison.changed_examples[0].id == "acme"
    assert comparison.created_examples[0].id == "cus_2"
    assert comparison.created_examples[0].name == "c@x.com"
    assert advice_on_ids(file)[0] == "1 company of the file is known by the id of Stripe."
    assert likely_id_columns(file) == ["app_id (metadata)"]
    run(world, STRIPE)
    assert counts(run(world, STRIPE)) == (0, 0, 2, 0)


def test_a_column_may_have_the_ids_of_events(world: World) -> None:
    run(world, STRIPE, targets={"app_id (metadata)": "id"})
    company = world.company("globex")
    assert company.traits.core["payment_provider_id"] == "cus_2"
    assert company.traits.custom["delinquent"] is True


def test_either_form_of_an_id_of_salesforce_is_found_and_kept(world: World) -> None:
    world.track("acme", crm_provider="salesforce", crm_provider_id="001D000000IqhSL")
    report = "Account ID,Account Name\n001D000000IqhSL,Acme\n"
    data = "Id,Name\n001D000000IqhSLIAZ,Acme\n"
    for text in (report, data):
        assert counts(run(world, text)) in [(0, 1, 0, 0), (0, 0, 1, 0)]
    assert world.company("acme").traits.core["crm_provider_id"] == "001D000000IqhSL"
    assert len(world.company_ids()) == 1


def test_an_id_that_several_companies_have_is_refused(world: World) -> None:
    for name in ("acme", "bolt"):
        world.track(name, crm_provider="hubspot", crm_provider_id="9")
    _, comparison = read(world, "Record ID,Company name,Company owner\n9,Acme,Sam\n")
    assert "is about several companies" in comparison.refused[0].reason


def test_users_belong_to_companies_and_contacts_find_both(world: World) -> None:
    world.track("acme", user="u1", user_fields={"email": "Ann@x.com"}, crm_provider="hubspot",
                crm_provider_id="9001")  # fmt: skip
    world.advance(hours=1)
    contacts = (
        "Record ID,First Name,Last Name,Email,Contact owner,Associated Company IDs\n"
        "7,Ann,Lee,ann@x.com,Sam,9001\n8,Bo,,bo@x.com,Sam,9001\n9,Cy,,cy@x.com,Sam,9002\n"
        "10,Di,,di@x.com,Sam,\n"
    )
    file, comparison = read(world, contacts, USERS)
    assert counts(comparison) == (2, 1, 0, 1)
    assert comparison.new_companies == {"9002"}
    assert any("1 company does not exist yet" in note for note in notes_on(file, comparison))
    assert "names no company" in comparison.refused[0].reason
    run(world, contacts, USERS)
    listed = world.rows(
        "select u.external_id, u.name, u.traits->>'crm_provider_id' as crm,"
        " c.external_id as company"
        " from users u join companies c on c.organization_id = u.organization_id"
        " and c.id = u.company_id where u.organization_id = %(id)s order by 1"
    )
    assert [tuple(row.values()) for row in listed] == [
        ("8", "Bo", "8", "acme"), ("9", "Cy", "9", "9002"), ("u1", "Ann Lee", "7", "acme"),
    ]  # fmt: skip
    assert world.company("9002").name == "9002"
    assert counts(run(world, contacts, USERS)) == (0, 0, 3, 1)
    plain = "user_id,company_id,role\nu1,bolt,admin\n"
    assert run(world, plain, USERS).changed_examples[0].changes == {
        "role": (None, "admin"), "company_id": ("acme", "bolt"),
    }  # fmt: skip


def test_companies_without_events_are_judged(world: World) -> None:
    _, comparison = read(world, "id,name\nquiet,Quiet\n")
    [chunk] = load(world.id, COMPANIES, comparison, world.rulebooks, SOURCE, world.now)
    assert chunk.to_evaluate == [world.company_id("quiet")]
    world.judge("quiet", world.now + timedelta(seconds=20))
    assert world.status("quiet") == "At Risk"


def test_rows_are_written_in_chunks_each_in_a_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "in_chunks", lambda items: in_chunks(items, 2))
    text = "id,name\n" + "".join(f"c{number},C\n" for number in range(5))
    _, comparison = read(world, text)
    chunks = load(world.id, COMPANIES, comparison, world.rulebooks, SOURCE, world.now)
    assert next(chunks).number == 2
    assert len(world.company_ids()) == 2
    chunks.close()
    assert counts(run(world, text)) == (3, 0, 2, 0)


def test_an_import_is_recorded_once_in_the_audit_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "in_chunks", lambda items: in_chunks(items, 1))
    run(world, "id,name\nacme,Acme\nbolt,Bolt\n,x\n")
    run(world, "id,name\nacme,Acme\n")
    with transaction():
        [entry] = audit_log.read_page(world.id, limit=10)[:1]
        actions = [each.action for each in audit_log.read_page(world.id, limit=10)]
    assert (entry.made_by, entry.subject) == (COMMAND_LINE, "customers.csv")
    assert actions.count("Companies imported") == 1
    assert (entry.detail["created"], entry.detail["refused"]) == (2, 1)


def test_options_that_exclude_each_other_are_faults(world: World) -> None:
    with transaction(), pytest.raises(UnusableOptions, match="no preset `stripe` for users"):
        read_file(world.id, b"id\n1\n", USERS, ImportOptions("stripe"), world.now)
    options = ImportOptions(targets={"at": "@time"}, as_of=world.now)
    with transaction():
        file = read_file(world.id, b"id,at\na,2025-01-01\n", COMPANIES, options, world.now)
    assert file.faults == ("The time is given twice: by a column, and for all rows. Choose one.",)
    assert ImportOptions.from_json(options.as_json()) == options
