"""Rules in the dashboard: reading, checking, planning, applying, versions and backtests."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from dashboard.pages.rules.trials import Deadline, backtest_within
from models.database import transaction
from models.organizations import audit_log, organizations, rule_versions
from models.organizations.organizations import Organization
from models.organizations.rule_versions import RuleVersion
from rules.file.rule_file import read_rules
from services.rules.apply_rules import apply_rules
from services.rules.backtest import ReplayPeriod
from services.rules.plan import collect, plan
from tests.support.dashboard import NOW, Browser, Dashboard, text_of
from tests.support.dashboard_companies import store_company

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


class Acme:
    """An organization with an editor who is signed in."""

    def __init__(self, dashboard: Dashboard, rules: str | None = RULES) -> None:
        self.dashboard = dashboard
        self.organization = dashboard.organization("acme")
        if rules is not None:
            self.apply(rules)
        self.editor = self.member("ed@acme.com", "editor")

    def member(self, email: str, role: str) -> Browser:
        return self.dashboard.signed_in(email, (self.organization, role))

    def apply(self, rules: str, by: str = "brazebee up") -> None:
        with transaction():
            apply_rules(self.organization.id, rules, file="r", applied_by=by, now=NOW)

    def versions(self) -> list[RuleVersion]:
        with transaction():
            return rule_versions.list_after(self.organization.id, 0)

    def log(self) -> list[tuple[str, str, str]]:
        with transaction():
            entries = audit_log.read_page(self.organization.id, limit=10)
        return [(one.made_by, one.action, one.subject) for one in entries]

    def company(self, name: str, *days_ago: float) -> None:
        store_company(self.organization, name, *days_ago)

    def current(self) -> Organization:
        with transaction():
            found = organizations.find("acme")
        assert found is not None
        return found


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


def draft(text: str, began_from: int = 1, **more: Any) -> dict[str, Any]:
    """A form as a browser sends it: with carriage returns."""
    return {"text": text.replace("\n", "\r\n"), "began_from": began_from, **more}


def test_the_rules_in_force_stand_in_the_editor_as_they_were_written(acme: Acme) -> None:
    page = acme.editor.get("/o/acme/rules")
    area = page.text.split('<textarea id="text"')[1].split("</textarea>")[0].split(">\n", 1)[1]
    assert unescape(area) == RULES
    assert "Version 1 is in force since" in text_of(page)
    assert "by brazebee up" in text_of(page)


def test_where_there_are_no_rules_the_example_is_offered_and_can_be_applied(
    dashboard: Dashboard,
) -> None:
    acme = Acme(dashboard, rules=None)
    assert "No rules have been applied yet" in text_of(acme.editor.get("/o/acme/rules"))
    assert acme.editor.post("/o/acme/rules/apply", **draft(RULES, 0)).status_code == 303
    assert [one.source for one in acme.versions()] == [RULES]


def test_the_page_with_the_editor_lets_only_its_own_scripts_in(acme: Acme) -> None:
    page = acme.editor.get("/o/acme/rules")
    policy = page.headers["Content-Security-Policy"]
    nonce = page.text.split('<script type="importmap" nonce="')[1].split('"')[0]
    assert policy.count(f"'self' 'nonce-{nonce}'") == 2
    assert "unsafe" not in policy
    assert nonce not in acme.editor.get("/o/acme/rules").text


def test_faults_and_doubts_are_told_as_the_command_line_tells_them(acme: Acme) -> None:
    acme.editor.get("/o/acme/rules")
    headers = {"Accept": "application/json", "X-CSRFToken": acme.editor.token or ""}
    answer = acme.editor.client.post("/o/acme/rules/check", data=draft(FAULTY), headers=headers)
    [fault] = answer.get_json()["faults"]
    assert (fault["line"], fault["column"]) == (10, 39)
    assert "did you mean `days`?" in fault["message"]
    page = acme.editor.post("/o/acme/rules/check", **draft(FAULTY))
    assert "Line 10 : " in text_of(page)
    assert "No errors." in text_of(acme.editor.post("/o/acme/rules/check", **draft(RULES)))


def test_completion_knows_the_keys_events_statuses_and_phrases(acme: Acme) -> None:
    offered = acme.editor.get("/o/acme/rules/completions").get_json()
    assert {"label": "login", "detail": "Signed in"} in offered["events"]
    assert offered["statuses"] == ["Healthy", "At Risk", "Critical"]
    assert {"flag", "event", "when", "recover"} <= {one["label"] for one in offered["keys"]["flag"]}
    assert "less than 5 times in 7 days" in offered["phrases"]


def test_a_plan_says_which_companies_would_change_as_the_actors_say(acme: Acme) -> None:
    acme.company("<b>Quiet & Co</b>", 3)
    acme.company("busy", 0.5)
    acme.editor.get("/o/acme/rules")
    page = acme.editor.post("/o/acme/rules/plan", **draft(STRICTER))
    assert page.status_code == 200
    assert "1 of 2 companies would change status" in text_of(page)
    assert "&lt;b&gt;Quiet &amp; Co&lt;/b&gt;" in page.text
    assert "<b>Quiet" not in page.text
    organization, book = acme.current(), read_rules(STRICTER)
    with transaction():
        found = collect(organization, book, plan(acme.organization.id, 1, book, NOW), of=2)
    [one] = found.moving
    assert unescape(text_of(page)).count(one.flags[0].description) == 1
    assert "Apply as version 2" in page.text
    assert "1 line added, 1 removed" in text_of(page)
    assert len(acme.versions()) == 1


def test_what_was_planned_is_applied_with_a_number_and_who_did_it(acme: Acme) -> None:
    acme.editor.get("/o/acme/rules")
    applied = acme.editor.post("/o/acme/rules/apply", **draft(STRICTER))
    assert applied.status_code == 303
    assert "Version 2 is in force" in text_of(acme.editor.get("/o/acme/rules"))
    version = acme.versions()[-1]
    assert (version.source, version.applied_by) == (STRICTER, "ed@acme.com")
    assert version.in_dashboard
    assert ("ed@acme.com", "Rules applied", "version 2") in acme.log()


def test_line_breaks_stay_those_of_the_file(acme: Acme) -> None:
    windows = RULES.replace("\n", "\r\n")
    acme.apply(windows)
    acme.editor.get("/o/acme/rules")
    acme.editor.post("/o/acme/rules/apply", **draft(STRICTER, 2))
    assert acme.versions()[-1].source == STRICTER.replace("\n", "\r\n")


def test_the_same_text_again_changes_nothing(acme: Acme) -> None:
    acme.editor.get("/o/acme/rules")
    acme.editor.post("/o/acme/rules/apply", **draft(RULES))
    assert len(acme.versions()) == 1
    assert "already contains these rules" in text_of(acme.editor.get("/o/acme/rules"))


def test_faulty_rules_are_not_applied_and_the_text_is_kept(acme: Acme) -> None:
    acme.editor.get("/o/acme/rules")
    refused = acme.editor.post("/o/acme/rules/apply", **draft(FAULTY))
    assert refused.status_code == 422
    assert "7 dayz" in refused.text
    assert "Line 10" in refused.text
    assert len(acme.versions()) == 1


@pytest.mark.parametrize("step", ["plan", "apply"])
def test_an_edit_that_began_from_an_older_version_is_not_applied(acme: Acme, step: str) -> None:
    acme.editor.get("/o/acme/rules")
    theirs = RULES.replace("Signed in", "Logged <in>")
    acme.apply(theirs, by="bob@acme.com")
    page = acme.editor.post(f"/o/acme/rules/{step}", **draft(STRICTER))
    assert page.status_code == 409
    assert [one.source for one in acme.versions()] == [RULES, theirs]
    said = unescape(text_of(page))
    assert "Nothing was applied. You began from version 1, and bob@acme.com put version 2" in said
    assert unescape(page.text).count("no activity for 2 days") >= 2  # difference and editor
    assert "Logged &lt;in&gt;" in page.text
    assert 'name="began_from" value="2"' in page.text
    applied = acme.editor.post("/o/acme/rules/apply", **draft(STRICTER, 2))
    assert applied.status_code == 303
    assert acme.versions()[-1].source == STRICTER


def test_versions_are_listed_compared_and_brought_back(acme: Acme) -> None:
    acme.apply(STRICTER, by="bob@acme.com")
    page = text_of(acme.editor.get("/o/acme/rules/versions"))
    assert page.index("Version 2") < page.index("Version 1")
    one = acme.editor.get("/o/acme/rules/versions/2")
    assert "From version 1 to version 2" in text_of(one)
    assert "1 line added, 1 removed" in text_of(one)
    planned = acme.editor.post("/o/acme/rules/versions/1/bring-back")
    assert "Apply as version 3" in planned.text
    assert len(acme.versions()) == 2
    acme.editor.post("/o/acme/rules/apply", **draft(RULES, 2, brought_back=1))
    latest = acme.versions()[-1]
    assert (latest.source, latest.brought_back) == (RULES, 1)
    assert acme.log()[0][1:] == ("Rules rolled back", "version 3")


def test_many_versions_are_paged(acme: Acme) -> None:
    for number in range(30):
        acme.apply(f"{RULES}# {number}\n")
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


def test_a_backtest_shows_what_the_report_of_the_command_line_says(acme: Acme) -> None:
    acme.company("on and off", 60, 40, 20)
    acme.company("busy", *range(60))
    acme.editor.get("/o/acme/rules")
    page = acme.editor.post("/o/acme/rules/backtest", **draft(RULES, days=90))
    assert page.status_code == 200
    assert "2 companies over the last 90 days" in text_of(page)
    assert "<svg" in page.text
    report, total = backtest_within(
        Deadline(), acme.current(), read_rules(RULES), ReplayPeriod(NOW - timedelta(days=90), NOW)
    )
    assert total == 2
    [flag, _any] = report.changes()
    assert flag["raised"] == 3
    said = text_of(page)
    assert f"Gone quiet {flag['raised']} {flag['cleared']} {flag['companies']}" in said
    for week in report.weeks():
        assert f"{week['week_from']} Gone quiet {week['raised']} {week['cleared']}" in said


def test_a_backtest_without_companies_and_of_faulty_rules_says_so(acme: Acme) -> None:
    acme.editor.get("/o/acme/rules")
    empty = acme.editor.post("/o/acme/rules/backtest", **draft(RULES, days="x"))
    assert "There are no companies to replay yet." in text_of(empty)
    faulty = acme.editor.post("/o/acme/rules/backtest", **draft(FAULTY))
    assert faulty.status_code == 422
    assert "Line 10" in faulty.text


def test_what_there_is_no_time_for_is_left_out_and_told(acme: Acme) -> None:
    for number in range(60):
        acme.company(f"c{number}", 1)
    organization = acme.current()
    period = ReplayPeriod(NOW - timedelta(days=30), NOW)
    out_of_time = Deadline(timedelta(0), clock=lambda: 0.0)
    report, total = backtest_within(out_of_time, organization, read_rules(RULES), period)
    assert (len(report.replayed), total) == (30, 60)
    numbers = {int(one.company[1:]) for one in report.replayed}
    assert min(numbers) < 5
    assert max(numbers) > 55


def test_htmx_gets_the_outcome_alone(acme: Acme) -> None:
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


def test_viewers_read_but_change_nothing(acme: Acme) -> None:
    viewer = acme.member("vi@acme.com", "viewer")
    page = viewer.get("/o/acme/rules")
    assert "readonly" in page.text
    assert "Plan changes" not in page.text
    assert viewer.get("/o/acme/rules/versions").status_code == 200
    assert "Plan rollback to version" not in viewer.get("/o/acme/rules/versions/1").text
    for step in ("check", "plan", "apply", "backtest", "versions/1/bring-back"):
        assert viewer.post(f"/o/acme/rules/{step}", **draft(STRICTER)).status_code == 403
    assert len(acme.versions()) == 1


def test_others_learn_of_nothing_and_forms_need_their_token(acme: Acme) -> None:
    other = acme.dashboard.organization("other")
    stranger = acme.dashboard.signed_in("eve@other.com", (other, "administrator"))
    for address in ("", "/versions", "/versions/1", "/completions"):
        assert stranger.get(f"/o/acme/rules{address}").status_code == 404
    assert stranger.post("/o/acme/rules/apply", **draft(STRICTER)).status_code == 404
    acme.editor.token = None
    assert acme.editor.post("/o/acme/rules/apply", **draft(STRICTER)).status_code == 400
    assert len(acme.versions()) == 1
