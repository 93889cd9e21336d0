"""The pages of outcomes: entering, changing and deleting one, the report, and the import."""

import io
import re
from datetime import date, timedelta
from html import unescape
from random import Random
from typing import Any

import pytest
from werkzeug.test import TestResponse

from dashboard.pages.insights.frame import percent
from models.database import execute, transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from services.insights.questions import OutcomeReport, write_question
from services.outcomes import runs
from services.rules.rule_books import RuleBooks
from tests.support.companies.outcomes import Recounter, add_random_history
from tests.support.dashboard.application import NOW, Dashboard, text_of
from tests.support.dashboard.editor import EditorWorld
from tests.support.in_transactions import compute_answer
from tests.support.world import RULES

BASE = "/o/acme/outcomes"
LEFT = {"kind": "left", "day": "2026-01-05", "amount": "12,000.50", "note": "Went away"}


@pytest.fixture
def world(dashboard: Dashboard) -> EditorWorld:
    world = EditorWorld(dashboard, RULES)
    world.track("acme", -timedelta(days=9))
    world.editor.get(f"{BASE}/all")
    return world


def rows(world: EditorWorld) -> list[dict[str, Any]]:
    return world.rows(
        "select id, kind, day, amount, note, entered_by from outcomes where organization_id ="
        " %(id)s order by day, id"
    )


def test_an_outcome_is_entered_changed_and_deleted_with_audit_entries(world: EditorWorld) -> None:
    address = "/o/acme/companies/acme"
    assert (
        f'name="day" required type="date" value="{NOW.date()}"'
        in world.editor.get(f"{address}/outcomes").text
    )
    entered = world.editor.post(f"{address}/outcomes", **LEFT)
    assert entered.status_code == 303, text_of(entered)
    [row] = rows(world)
    assert (row["kind"], row["day"], str(row["amount"]), row["note"], row["entered_by"]) == (
        "left", date(2026, 1, 5), "12000.50", "Went away", "ed@acme.com",
    )  # fmt: skip
    assert "left 5 Jan 2026" in text_of(world.editor.get(address))
    assert "Left 12,000.50 Went away" in text_of(
        world.editor.get(f"{address}/timeline?kind=outcomes")
    )
    assert "left 5 Jan 2026" in text_of(world.editor.get("/o/acme/companies?left=only"))
    assert "No matching companies" in text_of(world.editor.get("/o/acme/companies?left=no"))
    form = world.editor.get(f"{BASE}/all/{row['id']}?back=company")
    assert 'value="12000.50"' in form.text
    changed = world.editor.post(
        f"{BASE}/all/{row['id']}?back=company", **{**LEFT, "kind": "renewed", "amount": ""}
    )
    assert changed.location == f"{address}/outcomes"
    assert "left 5 Jan 2026" not in text_of(world.editor.get(address))
    world.editor.post(f"{BASE}/all/{row['id']}/delete")
    assert rows(world) == []
    assert [(who, action) for who, action, _ in world.audited()[:3]] == [
        ("ed@acme.com", "Outcome deleted"),
        ("ed@acme.com", "Outcome changed"),
        ("ed@acme.com", "Outcome added"),
    ]


def test_an_outcome_is_entered_once_for_a_company_a_kind_and_a_day(world: EditorWorld) -> None:
    world.editor.post(f"{BASE}/all", company="acme", **LEFT)
    again = world.editor.post(f"{BASE}/all", company="ACME", **{**LEFT, "amount": "5"})
    assert "Its amount and note were changed" in text_of(world.editor.get(again.location))
    same = world.editor.post(f"{BASE}/all", company="acme", **{**LEFT, "amount": "5"})
    assert "The outcome exists already" in text_of(world.editor.get(same.location))
    assert [str(row["amount"]) for row in rows(world)] == ["5.00"]
    world.editor.post(f"{BASE}/all", company="acme", **{**LEFT, "kind": "grew"})
    [_, grew] = rows(world)
    clash = world.editor.post(f"{BASE}/all/{grew['id']}", **LEFT)
    assert clash.status_code == 422
    assert "has an outcome of this kind on this day already" in text_of(clash)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"company": "nobody"}, "No company has this ID or name."),
        ({"company": ""}, "Enter the ID or the name of a company."),
        ({"company": "a"}, "2 companies match. Enter an ID"),
        ({"day": ""}, "Enter a day."),
        ({"day": "2027-01-05"}, "An outcome cannot be in the future."),
        ({"amount": "1.200"}, "Enter an amount such as"),
        ({"amount": "-5"}, "An amount is 0 or more"),
        ({"note": "x" * 2_001}, "A note can have at most 2,000 characters."),
    ],
)
def test_an_outcome_that_cannot_be_entered_says_why(
    world: EditorWorld, form: dict[str, str], message: str
) -> None:
    world.track("atlas")
    refused = world.editor.post(f"{BASE}/all", **{"company": "acme", **LEFT, **form})
    assert refused.status_code == 422
    assert message in unescape(text_of(refused))
    assert rows(world) == []


def test_the_report_and_its_lists_show_what_a_recount_finds(world: EditorWorld) -> None:
    add_random_history(world, Random(3), NOW, companies=20)
    runs.refresh(RuleBooks())
    waiting = text_of(world.editor.get(BASE))
    assert "This is being counted for the first time." in waiting
    compute_answer(world.id, write_question(OutcomeReport(60)), NOW)
    recount = Recounter(world.id).count("Reports", None, 60, NOW.date())
    page = world.editor.get(f"{BASE}?within=60&flag=Reports")
    row = re.search(r">Reports</bdi></a>.*?</tr>", page.text, re.DOTALL)
    assert row
    cells = re.findall(r"<td.*?>(.*?)</td>", row[0], re.DOTALL)
    numbers = [re.sub(r"<.*?>|,", "", cell) for cell in cells]
    days = "–" if recount.days is None else f"{recount.days:.1f}".replace(".0", "")
    false = recount.false_alarms
    share = percent(false / (false + recount.warned))
    assert numbers[:5] == [
        str(recount.warned), str(recount.missed), f"{false} {share}", str(recount.undecided), days,
    ]  # fmt: skip
    assert [float(n) if n != "–" else 0 for n in numbers[5:]] == [
        float(recount.warned_amount),
        float(recount.missed_amount),
    ]
    for kind, number in (
        ("warned", recount.warned),
        ("missed", recount.missed),
        ("lost", recount.warned + recount.missed),
        ("false-alarms", recount.false_alarms),
        ("undecided", recount.undecided),
    ):
        listed = text_of(world.editor.get(f"{BASE}/companies/{kind}?within=60&flag=Reports"))
        assert f"{number} compan" in listed, kind
    assert world.editor.get(f"{BASE}/companies/others").status_code == 404
    assert world.editor.get(f"{BASE}/companies/lost?after=x").status_code == 303


def test_names_of_companies_and_flags_are_text(world: EditorWorld) -> None:
    name = "<b>x</b>\u202e" + "n" * 180
    with transaction():
        execute("update companies set name = %(name)s", {"name": name})
        new = NewOutcome(world.company_id("acme"), OutcomeKind.LEFT, date(2026, 1, 2), None, name)
        outcomes.enter(world.id, [new], name, NOW)
    for page in ("/all", "/companies/lost"):
        text = world.editor.get(f"{BASE}{page}").text
        assert "<b>x</b>" not in text
        assert "&lt;b&gt;x" in text


def upload(world: EditorWorld, text: str) -> TestResponse:
    return world.editor.post(f"{BASE}/import", file=(io.BytesIO(text.encode()), "outcomes.csv"))


def test_a_file_is_previewed_mapped_and_then_imported_as_shown(world: EditorWorld) -> None:
    sent = upload(
        world, "customer,when,worth\nacme,2026-01-05,1200\nnobody,2026-01-05,1\nacme,2026-01-04,?\n"
    )
    address = sent.location
    page = world.editor.get(address)
    assert "No column has the days." in text_of(page)
    world.editor.post(address, kind="left", **{"column-1": "day", "column-2": "amount"})
    page = world.editor.get(address)
    shown = unescape(text_of(page))
    assert "Created 1 outcome" in shown
    assert "is about nobody , which is no company" in shown.replace("Is", "is")
    preview = re.search(r'name="preview" value="(\w+)"', page.text)
    assert preview
    stale = world.editor.post(f"{address}/apply", preview="0")
    assert "The mapping has changed since" in text_of(world.editor.get(stale.location))
    world.editor.post(f"{address}/apply", preview=preview[1])
    assert "outcomes.csv is imported" in text_of(world.editor.get(address))
    assert [(row["kind"], str(row["amount"])) for row in rows(world)] == [("left", "1200.00")]
    assert world.audited()[0] == ("ed@acme.com", "Outcomes imported", "outcomes.csv")
    refused = world.editor.get(f"{address}/refused.csv")
    assert "nobody" in refused.text
    assert "4,has `?` in the column `worth`, which is no amount" in refused.text.replace('"', "")
    assert upload(world, "").status_code == 422
    of_companies = world.editor.get(address.replace("/outcomes/import", "/import"))
    assert of_companies.status_code == 303
