"""Rules without YAML: numbers in words, and a form for each flag, edit the text of a draft."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from dashboard.pages.rules.plan_groups import group_plan
from models.database import query, transaction
from rules.file.rule_file import read_rules
from services.rules.plan import collect, plan
from tests.support.dashboard.application import NOW, Dashboard, text_of
from tests.support.dashboard.editor import EditorWorld

RULES = """\
# Ours: keep <this> & "that"
version: 1
team: {owner: company.csm, value: company.arr}

events:
  login: {name: Signed in}   # the one that counts

flags:
  # Who is away
  - flag: Gone quiet
    event: login
    when:
      At Risk: no activity for 7 days   # a week
      Critical:
        all: [no activity for 20 days, not: company.plan is Free]
    recover: at least twice in 7 days
    note: Call them.
"""
STRICTER = RULES.replace("for 7 days ", "for 2 days ")


@pytest.fixture
def acme(dashboard: Dashboard) -> EditorWorld:
    world = EditorWorld(dashboard, RULES)
    world.add_company("quiet", 3, csm="ann@acme.com", arr=100.5)
    world.add_company("<b>busy</b>", 0.5)
    world.editor.get("/o/acme/rules")
    return world


def post(acme: EditorWorld, step: str, text: str = RULES, **fields: Any) -> TestResponse:
    """Send a draft as a browser does, with the fields of a form; `__` stands for a dot."""
    form = {name.replace("__", "."): value for name, value in fields.items()}
    sent = {"text": text.replace("\n", "\r\n"), "began_from": 1, **form}
    return acme.editor.post(f"/o/acme/rules/{step}", **sent)


def planned_text(page: TestResponse) -> str:
    """The text that the button of a plan applies."""
    area = page.text.rpartition('aria-label="Planned rules">')[2].partition("</textarea>")[0]
    return unescape(area.removeprefix("\n"))


def test_the_flags_are_shown_in_words_with_their_numbers_as_fields(acme: EditorWorld) -> None:
    page = acme.editor.get("/o/acme/rules")
    fields = re.findall(r'name="(number\.\d+)" value="([^"]*)"', page.text)
    assert fields == [("number.0", "7"), ("number.1", "20"), ("number.2", "2"), ("number.3", "7")]
    text = text_of(page)
    assert "Gone quiet" in text
    assert "Counts Signed in" in text
    assert "not (company.plan is Free)" in text
    assert "Call them." in text
    viewer = acme.member("vi@acme.com", "viewer").get("/o/acme/rules")
    assert 'name="number.' not in viewer.text
    assert "no activity for 7 days" in text_of(viewer)


def test_a_number_is_changed_and_who_would_change_is_shown_at_once(acme: EditorWorld) -> None:
    page = post(acme, "flags", number__0="2", number__1="20")
    assert page.status_code == 200
    assert planned_text(page) == STRICTER
    text = text_of(page)
    assert "1 of 2 companies would change status: 1 to worse, 0 to better" in text
    assert "1 company, worth 100.50 by Gone quiet" in text
    assert "ann · 100.50" in text
    assert "1 line added, 1 removed" in text
    assert acme.sources() == [RULES], "nothing is applied yet"
    applied = acme.editor.post("/o/acme/rules/apply", text=planned_text(page), began_from=1)
    assert applied.status_code == 303
    assert acme.sources() == [RULES, STRICTER]


@pytest.mark.parametrize(
    ("value", "message"), [("", "A number is missing"), ("x", "is not a number"), ("0", "is empty")]
)
def test_a_number_that_makes_no_sense_is_refused(
    acme: EditorWorld, value: str, message: str
) -> None:
    page = post(acme, "flags", number__0=value)
    assert message in unescape(text_of(page))
    assert "Apply as version" not in page.text


def test_a_flag_is_paused_resumed_and_removed(acme: EditorWorld) -> None:
    paused = planned_text(post(acme, "flags", pause="Gone quiet"))
    assert paused == RULES.replace("Gone quiet\n", "Gone quiet\n    enabled: false\n")
    resumed = post(acme, "flags", paused, resume="Gone quiet")
    assert "Apply as version" not in resumed.text, "these rules are active already"
    removed = planned_text(post(acme, "flags", remove="Gone quiet"))
    assert removed == RULES[: RULES.index("  # Who is away")]
    assert "no flag" in text_of(post(acme, "flags", remove="Nope"))


def fields_of(page: TestResponse) -> dict[str, str]:
    """The fields of the form of a flag as they were rendered."""
    form = page.text.partition('class="card flag-form"')[2].partition("</form>")[0]
    inputs = re.findall(r'<input [^>]*?name="([^"]+)"[^>]*? value="([^"]*)"', form)
    inputs = [(name, value) for name, value in inputs if name != "csrf_token"]
    fields = {name: unescape(value) for name, value in inputs}
    for name, options in re.findall(
        r'<select [^>]*?name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL
    ):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        fields[name] = "" if chosen is None else unescape(chosen[1] or chosen[2])
    note = form.partition('name="note" rows="2">')[2].partition("</textarea>")[0]
    return {**fields, "note": unescape(note.strip())}


def test_the_form_of_a_flag_that_is_saved_as_it_is_changes_nothing(acme: EditorWorld) -> None:
    form = post(acme, "flags/form", flag="Gone quiet")
    assert "all of the fields" not in form.text
    fields = fields_of(form)
    assert fields["kind.1"] == "absence"
    assert fields["kind.2"] == "as written"
    assert (fields["kind.recover"], fields["part.recover.number"]) == ("count", "2")
    saved = post(acme, "flags/save", **{"flag": "Gone quiet", **fields})
    assert "Apply as version" not in saved.text
    assert unescape(saved.text.partition('aria-label="Rules">\n')[2]).startswith(RULES)


def test_a_flag_is_edited_in_its_form_and_all_else_stays(acme: EditorWorld) -> None:
    fields = fields_of(post(acme, "flags/form", flag="Gone quiet"))
    edited = {
        **fields,
        "flag": "Gone quiet",
        "part.1.length": "2",
        "kind.recover": "",
        "wait": "3",
        "wait.unit": "days",
        "field.0": "plan",
        "values.0": 'Team, "A, B"',
        "weight": "2",
        "note": "Call & write.",
    }
    page = post(acme, "flags/save", **edited)
    expected = STRICTER.replace("    recover: at least twice in 7 days\n", "").replace(
        "    note: Call them.\n",
        "    new_company: wait 3 days\n"
        '    applies_to: {company.plan: [Team, "A, B"]}\n'
        "    weight: 2\n"
        '    note: "Call & write."\n',
    )
    assert planned_text(page) == expected
    assert "would change status" in text_of(page)


def test_a_flag_is_added_with_an_event_and_its_plan_is_beside_the_form(acme: EditorWorld) -> None:
    form = post(acme, "flags/form", flag="")
    assert "Signed in (2 in 30 days)" in text_of(form)
    new = {
        "flag": "",
        "name": "Few logins",
        "event": "key.login",
        "kind.1": "count",
        "part.1.comparison": "less than",
        "part.1.number": "5",
        "part.1.length": "30",
        "part.1.unit": "days",
        "kind.2": "",
        "kind.recover": "",
    }
    preview = post(acme, "flags/form", **new)
    assert "2 of 2 companies would change status" in text_of(preview)
    saved = planned_text(post(acme, "flags/save", **new))
    assert saved == planned_text(preview)
    assert saved == RULES + (
        "\n  - flag: Few logins\n    event: login\n    when:\n"
        "      At Risk: less than 5 times in 30 days\n"
    )
    incomplete = post(acme, "flags/save", **{**new, "part.1.number": "many"})
    assert "many is not a whole number" in text_of(incomplete)
    nothing = post(acme, "flags/save", **{**new, "kind.1": ""})
    assert "Choose when the flag is raised" in text_of(nothing)


def test_a_flag_starts_from_one_of_an_example(acme: EditorWorld) -> None:
    page = post(acme, "flags/form", example="usage-drop/Usage drop")
    fields = fields_of(page)
    assert fields["name"] == "Usage drop"
    assert "change" in (fields["kind.1"], fields["kind.2"])


def test_a_draft_is_shown_as_a_text_at_a_line_and_in_words_again(acme: EditorWorld) -> None:
    text = post(acme, "text", number__0="2", line=13)
    assert 'data-line="13"' in text.text
    assert unescape(text.text.partition('<textarea id="text"')[2]).count("for 2 days") == 1
    assert "would change status" in text_of(post(acme, "flags", STRICTER))
    faulty = post(acme, "flags", RULES.replace("7 days   #", "7 dayz #"))
    assert faulty.status_code == 422
    assert 'data-line="13"' in faulty.text


def test_an_outdated_draft_changes_nothing(acme: EditorWorld) -> None:
    acme.apply_rules(STRICTER, applied_by="bob@acme.com")
    for step in ("flags", "flags/form", "flags/save"):
        page = post(acme, step, flag="Gone quiet")
        assert page.status_code == 409
        assert "bob@acme.com applied version 2" in text_of(page)


def test_a_plan_has_each_company_in_one_group_with_the_sum_of_values(acme: EditorWorld) -> None:
    acme.add_company("other", 4, arr="20")
    book = read_rules(STRICTER)
    with transaction():
        planned = collect(acme.organization, book, plan(acme.id, 1, book, NOW), NOW, of=3)
        groups = group_plan(acme.id, planned, book)
        [total] = query(
            "select sum(value) as value, count(*) as number from companies"
            " where organization_id = %(id)s and external_id = any(%(ids)s)",
            {"id": acme.id, "ids": [change.id for change in planned.moving]},
        )
    [group] = groups.moving
    assert (group.number, group.value) == (total["number"], total["value"])
    assert group.value == Decimal("120.50")
    assert (group.flag, group.before, group.after) == ("Gone quiet", "Healthy", "At Risk")
    assert (groups.worse, groups.better) == (2, 0)
    assert [company.change.name for company in group.shown] == ["quiet", "other"]
