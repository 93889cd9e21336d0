"""Rules in the dashboard: reading, checking, planning, applying, versions and backtests."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from dashboard.pages.rules.trials import Deadline, backtest_within, spread
from models.database import transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from rules.file.rule_file import read_rules
from services.rules.backtest import ReplayPeriod
from services.rules.plan import collect, plan
from tests.support.dashboard.application import NOW, Dashboard, text_of
from tests.support.dashboard.editor import EditorWorld

RULES = """\
# Ours: keep <this> & "that"
version: 1

events:
  login: {name: Signed in}   # the one that counts

flags:
  - flag: Gone quiet
    event: login
    when: {At Risk: no activity for 7 days}
"""
STRICTER = RULES.replace("no activity for 7 days", "no activity for 2 days")
FAULTY = RULES.replace("7 days", "7 dayz")


@pytest.fixture
def acme(dashboard: Dashboard) -> EditorWorld:
    return EditorWorld(dashboard, RULES)


def draft(text: str, began_from: int = 1, **more: Any) -> dict[str, Any]:
    """A form as a browser sends it: with carriage returns."""
    return {"text": text.replace("\n", "\r\n"), "began_from": began_from, **more}


def test_the_editor_shows_the_current_rules_as_written(acme: EditorWorld) -> None:
    page = acme.editor.get("/o/acme/rules?view=text")
    area = page.text.split('<textarea id="text"')[1].split("</textarea>")[0].split(">\n", 1)[1]
    assert unescape(area) == RULES
    assert "Version 1 is active, applied" in text_of(page)
    assert "by brazebee up" in text_of(page)


def test_without_rules_an_example_is_shown_and_can_be_applied(
    dashboard: Dashboard,
) -> None:
    acme = EditorWorld(dashboard, None)
    assert "No rules have been applied yet" in text_of(acme.editor.get("/o/acme/rules"))
    assert acme.editor.post("/o/acme/rules/apply", **draft(RULES, 0)).status_code == 303
    assert acme.sources() == [RULES]


def test_the_page_with_the_editor_allows_only_its_own_scripts(acme: EditorWorld) -> None:
    page = acme.editor.get("/o/acme/rules?view=text")
    policy = page.headers["Content-Security-Policy"]
    nonce = page.text.split('<script type="importmap" nonce="')[1].split('"')[0]
    assert policy.count(f"'self' 'nonce-{nonce}'") == 2
    assert "unsafe" not in policy
    assert nonce not in acme.editor.get("/o/acme/rules?view=text").text


def test_errors_are_reported_like_on_the_command_line(acme: EditorWorld) -> None:
    acme.editor.get("/o/acme/rules")
    headers = {"Accept": "application/json", "X-CSRFToken": acme.editor.token or ""}
    answer = acme.editor.client.post("/o/acme/rules/check", data=draft(FAULTY), headers=headers)
    [fault] = answer.get_json()["faults"]
    assert (fault["line"], fault["column"]) == (10, 39)
    assert "did you mean `days`?" in fault["message"]
    page = acme.editor.post("/o/acme/rules/check", **draft(FAULTY))
    assert "Line 10 : " in text_of(page)
    assert "No errors." in text_of(acme.editor.post("/o/acme/rules/check", **draft(RULES)))


def test_completions_include_keys_events_statuses_and_phrases(acme: EditorWorld) -> None:
    offered = acme.editor.get("/o/acme/rules/completions").get_json()
    assert {"label": "login", "detail": "Signed in"} in offered["events"]
    assert offered["statuses"] == ["Healthy", "At Risk", "Critical"]
    assert {"flag", "event", "when", "recover"} <= {key["label"] for key in offered["keys"]["flag"]}
    assert "less than 5 times in 7 days" in offered["phrases"]


def test_a_plan_lists_the_companies_that_would_change(acme: EditorWorld) -> None:
    acme.add_company("<b>Quiet & Co</b>", 3)
    acme.add_company("busy", 0.5)
    acme.editor.get("/o/acme/rules")
    page = acme.editor.post("/o/acme/rules/plan", **draft(STRICTER))
    assert page.status_code == 200
    assert "1 of 2 companies would change status" in text_of(page)
    assert "left" not in text_of(page)
    assert "&lt;b&gt;Quiet &amp; Co&lt;/b&gt;" in page.text
    assert "<b>Quiet" not in page.text
    organization, book = acme.organization, read_rules(STRICTER)
    with transaction():
        planned = collect(organization, book, plan(acme.id, 1, book, NOW), NOW, of=2)
    [change] = planned.moving
    assert unescape(text_of(page)).count(change.flags[0].description) == 1
    assert "Apply as version 2" in page.text
    assert "1 line added, 1 removed" in text_of(page)
    assert len(acme.versions()) == 1


def test_the_plan_of_an_edit_of_who_is_notified_counts_the_messages(acme: EditorWorld) -> None:
    acme.editor.get("/o/acme/rules")
    notifying = RULES + "notify:\n  - {to: {email: ann@acme.com}}\n"
    text = text_of(acme.editor.post("/o/acme/rules/plan", **draft(notifying)))
    assert "With these rules, 0 messages would have been sent in the last 30 days" in text
    acme.apply_rules(notifying)
    edited = notifying.replace("7 days", "6 days")
    text = text_of(acme.editor.post("/o/acme/rules/plan", **draft(edited, 2)))
    assert "companies would change status" in text
    assert "would have been sent" not in text


def test_a_plan_and_a_backtest_count_companies_that_left_and_say_so(acme: EditorWorld) -> None:
    acme.add_company("gone", 3)
    acme.add_company("busy", 0.5)
    left = NewOutcome(acme.company_id("gone"), OutcomeKind.LEFT, NOW.date(), None, "")
    with transaction():
        outcomes.enter(acme.id, [left], "test", NOW)
    acme.editor.get("/o/acme/rules")
    text = text_of(acme.editor.post("/o/acme/rules/plan", **draft(STRICTER)))
    assert "1 of 2 companies would change status: 1 to worse, 0 to better." in text
    assert "1 of all 2 have left; rules judge them as before." in text
    assert f"gone left {NOW.day} Jan 2026" in text
    text = text_of(acme.editor.post("/o/acme/rules/backtest", **draft(STRICTER), days="30"))
    assert "2 companies over the last 30 days" in text
    assert "those that left are among them" in text


def test_a_planned_text_is_applied_as_a_version_with_its_author(acme: EditorWorld) -> None:
    acme.editor.get("/o/acme/rules")
    applied = acme.editor.post("/o/acme/rules/apply", **draft(STRICTER))
    assert applied.status_code == 303
    assert "Version 2 is active" in text_of(acme.editor.get("/o/acme/rules"))
    version = acme.versions()[-1]
    assert (version.source, version.applied_by) == (STRICTER, "ed@acme.com")
    assert version.in_dashboard
    assert ("ed@acme.com", "Rules applied", "version 2") in acme.audited()


def test_line_breaks_of_the_file_are_kept(acme: EditorWorld) -> None:
    windows = RULES.replace("\n", "\r\n")
    acme.apply_rules(windows)
    acme.editor.get("/o/acme/rules")
    acme.editor.post("/o/acme/rules/apply", **draft(STRICTER, 2))
    assert acme.sources()[-1] == STRICTER.replace("\n", "\r\n")


def test_applying_the_same_text_again_changes_nothing(acme: EditorWorld) -> None:
    acme.editor.get("/o/acme/rules")
    acme.editor.post("/o/acme/rules/apply", **draft(RULES))
    assert len(acme.versions()) == 1
    assert "already contains these rules" in text_of(acme.editor.get("/o/acme/rules"))


def test_faulty_rules_are_not_applied_and_the_text_is_kept(acme: EditorWorld) -> None:
    acme.editor.get("/o/acme/rules")
    refused = acme.editor.post("/o/acme/rules/apply", **draft(FAULTY))
    assert refused.status_code == 422
    assert "7 dayz" in refused.text
    assert "Line 10" in refused.text
    assert len(acme.versions()) == 1


@pytest.mark.parametrize("step", ["plan", "apply"])
def test_an_edit_based_on_an_older_version_is_not_applied(acme: EditorWorld, step: str) -> None:
    acme.editor.get("/o/acme/rules")
    theirs = RULES.replace("Signed in", "Logged <in>")
    acme.apply_rules(theirs, applied_by="bob@acme.com")
    page = acme.editor.post(f"/o/acme/rules/{step}", **draft(STRICTER))
    assert page.status_code == 409
    assert acme.sources() == [RULES, theirs]
    text = unescape(text_of(page))
    assert (
        "Nothing was applied. You started from version 1, but bob@acme.com applied version 2"
        in text
    )
    assert unescape(page.text).count("no activity for 2 days") >= 2  # difference and editor
    assert "Logged &lt;in&gt;" in page.text
    assert 'name="began_from" value="2"' in page.text
    applied = acme.editor.post("/o/acme/rules/apply", **draft(STRICTER, 2))
    assert applied.status_code == 303
    assert acme.sources()[-1] == STRICTER


def test_versions_are_listed_compared_and_rolled_back(acme: EditorWorld) -> None:
    acme.apply_rules(STRICTER, applied_by="bob@acme.com")
    page = text_of(acme.editor.get("/o/acme/rules/versions"))
    assert page.index("Version 2") < page.index("Version 1")
    version_page = acme.editor.get("/o/acme/rules/versions/2")
    assert "From version 1 to version 2" in text_of(version_page)
    assert "1 line added, 1 removed" in text_of(version_page)
    planned = acme.editor.post("/o/acme/rules/versions/1/bring-back")
    assert "Apply as version 3" in planned.text
    assert len(acme.versions()) == 2
    acme.editor.post("/o/acme/rules/apply", **draft(RULES, 2, brought_back=1))
    latest = acme.versions()[-1]
    assert (latest.source, latest.brought_back) == (RULES, 1)
    assert acme.audited()[0][1:] == ("Rules rolled back", "version 3")


def test_many_versions_are_paged(acme: EditorWorld) -> None:
    for number in range(30):
        acme.apply_rules(f"{RULES}# {number}\n")
    first = acme.editor.get("/o/acme/rules/versions")
    assert "Version 31" in first.text
    assert "before=7" in first.text
    second = acme.editor.get("/o/acme/rules/versions?before=7")
    assert "Version 6" in text_of(second)
    assert "Version 7" not in text_of(second)
    for address in ("?before=99999999999999999999", "?before=x"):
        assert acme.editor.get(f"/o/acme/rules/versions{address}").status_code == 200
    for address in ("/99999999999999999", "/99", "/1?against=77"):
        assert acme.editor.get(f"/o/acme/rules/versions{address}").status_code == 404


def test_a_backtest_shows_the_same_report_as_the_command_line(acme: EditorWorld) -> None:
    acme.add_company("on and off", 60, 40, 20)
    acme.add_company("busy", *range(60))
    acme.editor.get("/o/acme/rules")
    page = acme.editor.post("/o/acme/rules/backtest", **draft(RULES, days=90))
    assert page.status_code == 200
    assert "2 companies over the last 90 days" in text_of(page)
    assert '<svg class="chart' in page.text
    totals, total = backtest_within(
        Deadline(),
        acme.organization,
        read_rules(RULES),
        ReplayPeriod(NOW - timedelta(days=90), NOW),
    )
    assert total == 2
    [flag, _any] = totals.changes()
    assert flag["raised"] == 3
    text = text_of(page)
    assert f"Gone quiet {flag['raised']} {flag['cleared']} {flag['companies']}" in text
    for week in totals.weeks():
        assert f"{week['week_from']} Gone quiet {week['raised']} {week['cleared']}" in text


def test_a_backtest_reports_missing_companies_and_invalid_rules(acme: EditorWorld) -> None:
    acme.editor.get("/o/acme/rules")
    empty = acme.editor.post("/o/acme/rules/backtest", **draft(RULES, days="x"))
    assert "There are no companies to replay yet." in text_of(empty)
    faulty = acme.editor.post("/o/acme/rules/backtest", **draft(FAULTY))
    assert faulty.status_code == 422
    assert "Line 10" in faulty.text


def test_a_backtest_past_its_deadline_is_a_sample_and_reports_the_total(acme: EditorWorld) -> None:
    for number in range(60):
        acme.add_company(f"c{number}", 1)
    organization = acme.organization
    period = ReplayPeriod(NOW - timedelta(days=30), NOW)
    out_of_time = Deadline(timedelta(0), clock=lambda: 0.0)
    totals, total = backtest_within(out_of_time, organization, read_rules(RULES), period)
    assert (totals.replayed, total) == (30, 60)
    assert list(spread(range(5))) == [range(5)]
    assert list(spread(range(60))) == [range(0, 60, 2), range(1, 60, 2)]


def test_htmx_gets_the_outcome_alone(acme: EditorWorld) -> None:
    acme.editor.get("/o/acme/rules")
    for step in ("plan", "backtest"):
        for text in (STRICTER, FAULTY):
            answer = acme.editor.client.post(
                f"/o/acme/rules/{step}",
                data={**draft(text), "csrf_token": acme.editor.token},
                headers={"HX-Request": "true"},
            )
            assert answer.status_code == 200
            assert "<html" not in answer.text
            assert ("Line 10" in answer.text) == (text == FAULTY)


def test_viewers_read_but_change_nothing(acme: EditorWorld) -> None:
    viewer = acme.member("vi@acme.com", "viewer")
    page = viewer.get("/o/acme/rules?view=text")
    assert "readonly" in page.text
    assert "Plan changes" not in page.text
    assert viewer.get("/o/acme/rules/versions").status_code == 200
    assert "Plan rollback to version" not in viewer.get("/o/acme/rules/versions/1").text
    for step in (
        "check",
        "plan",
        "flags",
        "flags/form",
        "flags/save",
        "text",
        "apply",
        "backtest",
        "versions/1/bring-back",
    ):
        assert viewer.post(f"/o/acme/rules/{step}", **draft(STRICTER)).status_code == 403
    assert len(acme.versions()) == 1


def test_others_see_nothing_and_forms_need_a_csrf_token(acme: EditorWorld) -> None:
    other = acme.dashboard.organization("other")
    stranger = acme.dashboard.signed_in("eve@other.com", (other, "administrator"))
    for address in ("", "/versions", "/versions/1", "/completions"):
        assert stranger.get(f"/o/acme/rules{address}").status_code == 404
    assert stranger.post("/o/acme/rules/apply", **draft(STRICTER)).status_code == 404
    acme.editor.token = None
    assert acme.editor.post("/o/acme/rules/apply", **draft(STRICTER)).status_code == 400
    assert len(acme.versions()) == 1
