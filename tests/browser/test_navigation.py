"""Moving between pages, which replaces the body of one document where that is possible."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect

from models.database import transaction
from models.organizations.organizations import Organization
from services.rules.apply_rules import apply_rules
from tests.support.browser.browsing import OpenPage, sign_in
from tests.support.browser.customers import RULES, add_customers
from tests.support.browser.running_dashboard import RunningDashboard

IS_MARKED = "document.documentElement.dataset.marked === 'yes'"


@pytest.fixture
def page(organization: Organization, browser_page: OpenPage) -> Page:
    """Today, as an editor sees it; its document has a mark."""
    add_customers(organization, more=24)
    page = browser_page("editor")
    mark(page)
    return page


def mark(page: Page) -> None:
    """Mark the document, which another one would not have."""
    page.evaluate("document.documentElement.dataset.marked = 'yes'")


def follow(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()


def heading(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_a_link_shows_another_page_in_the_same_document(page: Page) -> None:
    page.evaluate("scrollTo(0, 200)")
    follow(page, "Companies")
    heading(page, "Companies")
    assert page.evaluate(IS_MARKED)
    assert page.url.endswith("/companies")
    expect(page).to_have_title(re.compile(r"^Companies"))
    announced = page.locator("body > p[aria-live]")
    expect(announced).to_have_text(page.title())  # as a screen reader reads the title of a document
    assert page.evaluate("[scrollY, document.activeElement.localName]") == [0, "body"]
    current = page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")
    expect(current).to_have_text("Companies")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_what_is_typed_and_checked_and_where_the_page_was_is_there_again_one_step_back(
    page: Page,
) -> None:
    follow(page, "Worklist")
    heading(page, "Worklist")
    page.get_by_role("link", name=re.compile("^Team")).click()
    pick = page.locator("[data-pick]").nth(10)
    pick.check()
    page.get_by_label("Reason or note").fill("They are on holiday.")
    page.evaluate("scrollTo(0, 300)")
    page.evaluate("document.querySelector('nav.pages [data-go=c]').click()")  # where it is
    heading(page, "Companies")
    page.go_back()
    expect(pick).to_be_checked()
    expect(page.get_by_label("Reason or note")).to_have_value("They are on holiday.")
    expect(page.locator("[data-selected]")).to_have_text("1 selected")
    page.wait_for_function("() => scrollY === 300")
    page.go_forward()
    heading(page, "Companies")
    assert page.evaluate(IS_MARKED)


def test_a_note_that_was_not_sent_is_there_again_one_step_back(page: Page) -> None:
    follow(page, "Companies")
    page.get_by_role("link", name="Acorn", exact=True).click()
    page.get_by_role("textbox", name="Note").fill("Ask about the renewal.")
    follow(page, "Today")
    heading(page, "Today")
    page.go_back()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Ask about the renewal.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".notes .written")).to_have_text("Ask about the renewal.")


def test_a_choice_on_the_same_page_keeps_the_focus(page: Page) -> None:
    page.get_by_role("link", name="Since Friday").click()
    heading(page, "What changed")
    span = page.get_by_role("link", name="30 days")
    span.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pills [aria-current]")).to_have_text("30 days")
    expect(span).to_be_focused()
    assert page.evaluate(IS_MARKED)


def test_a_search_in_the_same_document_keeps_the_focus_and_leads_back(page: Page) -> None:
    page.get_by_role("link", name="Upcoming", exact=True).click()
    heading(page, "Upcoming changes")
    owner = page.locator("#owner")
    owner.focus()
    page.keyboard.press("B")
    page.keyboard.press("Enter")
    page.wait_for_url("**/upcoming?*owner=Ben*")
    expect(owner).to_be_focused()
    assert page.evaluate(IS_MARKED)
    page.go_back()
    expect(owner).to_have_value("")


def test_a_link_shows_the_address_that_it_is_redirected_to(page: Page) -> None:
    follow(page, "Worklist")
    heading(page, "Worklist")
    page.evaluate("location.assign('?after=unreadable')")
    page.wait_for_url("**/worklist")
    heading(page, "Worklist")
    page.evaluate("location.assign('/')")
    page.wait_for_url("**/o/*/")
    heading(page, "Today")
    assert page.evaluate(IS_MARKED)


def test_the_editor_of_rules_and_answers_to_forms_have_their_own_documents(page: Page) -> None:
    follow(page, "Companies")
    page.get_by_role("link", name="Acorn", exact=True).click()
    page.get_by_role("link", name="version 1, line").first.click()
    expect(page.locator(".cm-activeLine")).to_have_text("  - flag: Reports")
    assert not page.evaluate(IS_MARKED)
    mark(page)
    follow(page, "Today")
    heading(page, "Today")
    assert not page.evaluate(IS_MARKED)
    page.go_back()
    expect(page.locator(".cm-activeLine")).to_have_text("  - flag: Reports")
    page.goto("/account")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".wrong").first).to_be_visible()
    mark(page)
    page.get_by_role("link", name="Brazebee").click()
    heading(page, "Today")
    assert not page.evaluate(IS_MARKED)


def test_what_an_extension_of_the_browser_adds_does_not_matter(page: Page) -> None:
    page.evaluate("document.head.append(document.createElement('script'))")
    follow(page, "Companies")
    heading(page, "Companies")
    assert page.evaluate(IS_MARKED)


def test_a_newer_version_of_the_scripts_is_loaded(page: Page) -> None:
    def upgrade(route: Route) -> None:
        answer = route.fetch()
        newer = answer.text().replace("focus.js?v=", "focus.js?v=0")
        route.fulfill(response=answer, body=newer)

    page.route("**/companies", upgrade)
    follow(page, "Companies")
    heading(page, "Companies")
    assert not page.evaluate(IS_MARKED)


def hold(page: Page, url: str) -> list[Route]:
    """Let requests for a URL wait from now on; the list gets each one."""
    held: list[Route] = []

    def add(route: Route) -> None:
        held.append(route)

    page.route(url, add)
    return held


def arrived(page: Page, held: list[Route]) -> Route:
    """Wait until one request is held, and return it."""
    for _ in range(500):
        if held:
            break
        page.wait_for_timeout(10)
    return held.pop()


def test_what_htmx_still_reads_does_not_change_the_next_page(page: Page) -> None:
    follow(page, "Companies")
    held = hold(page, "**/companies?sort=name")
    page.locator("#sort-name").click()
    answer = arrived(page, held)
    follow(page, "Worklist")
    heading(page, "Worklist")
    with page.expect_response("**/companies?sort=name"):
        answer.continue_()
    page.wait_for_timeout(200)
    assert page.url.endswith("/worklist")
    heading(page, "Worklist")


def test_what_htmx_still_reads_does_not_stop_a_link(page: Page) -> None:
    follow(page, "Companies")
    held = hold(page, "**/companies?sort=name")
    page.locator("#sort-name").click()
    answer = arrived(page, held)
    held = hold(page, "**/worklist")
    follow(page, "Worklist")
    next_page = arrived(page, held)
    with page.expect_response("**/companies?sort=name"):
        answer.continue_()
    page.wait_for_timeout(100)
    next_page.continue_()
    heading(page, "Worklist")
    assert page.evaluate(IS_MARKED)


def test_the_later_of_two_sorts_counts(page: Page) -> None:
    follow(page, "Companies")
    first, second = hold(page, "**/companies?sort=name"), hold(page, "**/companies?sort=owner")
    page.locator("#sort-name").click()
    page.locator("#sort-owner").click()
    arrived(page, first).continue_()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Company")
    arrived(page, second).continue_()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Owner")
    assert page.url.endswith("/companies?sort=owner")


def test_the_answer_to_a_form_does_not_replace_what_was_opened_after_sending_it(
    page: Page,
) -> None:
    follow(page, "Companies")
    page.get_by_role("link", name="Acorn", exact=True).click()
    page.get_by_role("textbox", name="Note").fill("Sent.")
    held = hold(page, "**/notes")
    page.evaluate(
        """() => {
            document.querySelector("form:has(#text)").requestSubmit();
            setTimeout(() => document.querySelector("[data-go=w]").click(), 300);
        }"""
    )
    answer = arrived(page, held)
    heading(page, "Worklist")
    answer.continue_()
    page.wait_for_timeout(300)
    heading(page, "Worklist")
    assert page.url.endswith("/worklist")


def test_a_step_back_that_is_stopped_changes_neither_page_nor_address(page: Page) -> None:
    follow(page, "Companies")
    heading(page, "Companies")
    follow(page, "Worklist")
    heading(page, "Worklist")
    held = hold(page, "**/companies")
    page.evaluate("history.back()")
    arrived(page, held)
    page.context.new_cdp_session(page).send("Page.stopLoading")
    page.wait_for_timeout(100)
    assert page.url.endswith("/worklist")
    heading(page, "Worklist")


def test_keys_that_were_turned_off_in_another_tab_do_not_act_on_the_next_page(page: Page) -> None:
    other = page.context.new_page()
    other.goto("/account")
    other.get_by_label("Single-key shortcuts").uncheck()
    other.locator("form:has([name=single_keys]) button").click()
    expect(other.get_by_text("Single-key shortcuts are off.")).to_be_visible()
    follow(page, "Companies")
    heading(page, "Companies")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.localName") == "body"
    assert page.evaluate(IS_MARKED)


def test_a_step_back_after_the_session_ended_shows_the_sign_in_page_at_its_address(
    page: Page,
) -> None:
    follow(page, "Companies")
    heading(page, "Companies")
    page.context.clear_cookies()
    page.go_back()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert "/sign-in?next=" in page.url


def test_what_a_person_typed_is_not_there_for_another_who_signed_in_in_another_tab(
    organization: Organization, dashboard: RunningDashboard, page: Page
) -> None:
    follow(page, "Companies")
    page.get_by_role("link", name="Acorn", exact=True).click()
    page.get_by_role("textbox", name="Note").fill("Ask about the renewal.")
    follow(page, "Today")
    heading(page, "Today")
    page.context.clear_cookies()
    other = page.context.new_page()
    sign_in(other, dashboard.person(f"other@{organization.name}.example", organization, "editor"))
    other.wait_for_url("**/o/**")
    page.go_back()
    heading(page, re.compile("^Acorn"))
    expect(page.get_by_role("textbox", name="Note")).to_have_value("")
    assert not page.evaluate(IS_MARKED)


def test_what_is_typed_until_the_next_page_arrives_is_there_again(page: Page) -> None:
    follow(page, "Companies")
    page.get_by_role("link", name="Acorn", exact=True).click()
    heading(page, re.compile("^Acorn"))
    held = hold(page, "**/worklist")
    follow(page, "Worklist")
    next_page = arrived(page, held)
    page.get_by_role("textbox", name="Note").fill("One more thing.")
    next_page.continue_()
    heading(page, "Worklist")
    page.go_back()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("One more thing.")


def test_what_was_typed_in_a_row_does_not_come_back_in_another_row(
    page: Page, organization: Organization
) -> None:
    def configure(*keys: str) -> None:
        events = "events: {" + ", ".join(f"{key}: {{name: {key}}}" for key in keys) + "}"
        rules = re.sub("events: .*", events, RULES)
        with transaction():
            apply_rules(
                organization.id, rules, file="r.yaml", applied_by="t", now=datetime.now(UTC)
            )

    configure("first", "report")
    page.evaluate(f"location.assign('/o/{organization.name}/events')")
    heading(page, re.compile("^Events"))
    page.locator("#name-1").evaluate("field => { field.value = 'New name of the first' }")
    follow(page, "Companies")
    heading(page, "Companies")
    configure("report")
    page.go_back()
    heading(page, re.compile("^Events"))
    expect(page.locator("#name-1")).to_have_value("report")


def test_a_reader_who_is_signed_out_signs_in_and_arrives(page: Page) -> None:
    page.context.clear_cookies()
    follow(page, "Companies")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert "/sign-in" in page.url


def test_without_the_navigation_api_links_load_documents(
    organization: Organization, browser_page: OpenPage
) -> None:
    add_customers(organization)
    page = browser_page("editor")
    page.add_init_script("delete window.navigation; delete window.NavigationPrecommitController")
    page.reload()
    mark(page)
    follow(page, "Companies")
    heading(page, "Companies")
    assert not page.evaluate(IS_MARKED)
    page.locator("#sort-name").click()
    page.wait_for_url("**/companies?sort=name")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Company")
    page.go_back()
    page.wait_for_url("**/companies")
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(0)
