"""What a person does most often in the dashboard, each with one press of a key or button."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

from playwright.sync_api import Page

Action = Callable[[Page], object]


@dataclass(frozen=True)
class Interaction:
    """One press of a key or button on the page at `address`.

    The result is a new page, a part that htmx replaces, or, of what only scripts of the page do,
    the first element that matches `shows`. `prepare` comes before the press and is not timed.
    """

    name: str
    address: str
    press: Action
    prepare: Action = lambda _: None
    shows: str = ""
    within: str = "/o/demo"


def click(selector: str) -> Action:
    """Return a press that clicks the first matching element."""
    return lambda page: page.locator(selector).first.click(no_wait_after=True)


def key(name: str) -> Action:
    """Return a press of a key."""
    return lambda page: page.keyboard.press(name)


def choose(selector: str, first: str, other: str = "") -> Action:
    """Return presses of the letter of an option, or of another one if it is chosen already, and of
    Enter, with which the choice counts.
    """

    def press(page: Page) -> None:
        field = page.locator(selector).first
        field.focus()
        chosen = field.evaluate("field => field.selectedOptions[0].text")
        page.keyboard.press(other if str(chosen).lower().startswith(first) else first)
        page.keyboard.press("Enter")

    return press


def write(selector: str, text: str, last: str = "") -> Action:
    """Return a press of the last key of a text, or of `last` after it."""

    def press(page: Page) -> None:
        page.locator(selector).first.select_text()  # to clear it would be a change of its own
        page.keyboard.type(text)
        if last:
            page.keyboard.press(last)

    return press


def interactions(company: str) -> Iterator[Interaction]:
    """Yield what is measured; `company` is one with much to show."""
    yield from of_today()
    yield from of_companies()
    yield from of_a_company(f"/companies/{company}")
    yield from of_the_worklist()
    yield from of_rules()
    yield from of_other_pages()


def of_today() -> Iterator[Interaction]:
    for title in ("Companies", "Worklist", "Insights", "Rules", "Events", "Settings"):
        yield Interaction(f"Today: {title}", "/", click(f"nav.pages a:text-is('{title}')"))
    for title in ("Changes", "Upcoming", "Portfolio"):
        yield Interaction(f"Today: {title}", "/", click(f"nav.tabs a:text-is('{title}')"))
    yield Interaction("Today: Mine", "/", click(".whose a:text-is('Mine')"))
    yield Interaction("Today: a large figure", "/", click(".large-figures a"))
    yield Interaction(
        "Today: more changes", "/", click(".rows .more a"), shows=".rows li:nth-child(9)"
    )
    for span in ("24 hours", "30 days"):
        yield Interaction(f"Changes: {span}", "/changes", click(f".pills a:text-is('{span}')"))
    by_owner = choose("#owner", "m")
    yield Interaction("Upcoming: an owner", "/upcoming", by_owner)
    yield Interaction("Upcoming: a day", "/upcoming", click(".by-day tbody a"))
    yield Interaction("Upcoming: a direction", "/upcoming", click(".directions a"))


def of_companies() -> Iterator[Interaction]:
    yield Interaction("Companies: Today", "/companies", click("nav.pages a:text-is('Today')"))
    yield Interaction("Companies: a status", "/companies", click(".pills a:has-text('At Risk')"))
    yield Interaction("Companies: mine", "/companies", click(".quick a:text-is('Mine')"))
    yield Interaction("Companies: sorted by value", "/companies", click("#sort-value"))
    yield Interaction("Companies: next page", "/companies", click("a[rel=next]"))
    yield Interaction("Companies: search", "/companies", write("#q", "a"))
    filters, columns = (
        f".companies-filters summary:text-is('{title}')" for title in ("Add filter", "Columns")
    )
    yield Interaction("Companies: filters", "/companies", click(filters))
    yield Interaction("Companies: columns", "/companies", click(columns))
    yield Interaction(
        "Companies: a column more", "/companies", click(".addable a"), prepare=click(columns)
    )
    yield Interaction(
        "Companies: select a row", "/companies", click("[data-pick]"), shows=".bulk.shown"
    )
    yield Interaction("Companies: a company", "/companies", click(".companies tbody th a"))


def of_a_company(address: str) -> Iterator[Interaction]:
    for tab in ("Timeline", "Users", "Fields", "Deliveries", "Notes", "Outcomes"):
        yield Interaction(f"A company: {tab}", address, click(f".tabs a:has-text('{tab}')"))
    flag = click(".flag:not([open]) > summary")
    yield Interaction("A company: a flag", address, flag)
    yield Interaction("A company: report", address, click("a:text-is('Report')"))
    yield Interaction("A company: Companies", address, click(".crumb a"))


def of_the_worklist() -> Iterator[Interaction]:
    address = "/worklist?whose=team"
    details = click("[data-opens]")
    yield Interaction("Worklist: details", address, details)
    yield Interaction(
        "Worklist: a state", address, choose(".item-form select[name=state]", "s", "o"),
        prepare=lambda page: (details(page), page.locator(".item-form").wait_for()),
    )  # fmt: skip
    yield Interaction("Worklist: select a row", address, click("[data-pick]"), shows=".bulk.shown")
    yield Interaction(
        "Worklist: select the page", address, click("[data-pick-page]"), shows=".bulk.shown",
        prepare=click("[data-pick]"),
    )  # fmt: skip
    by_flag = choose("select[name=flag]", "g")
    yield Interaction("Worklist: a flag", address, by_flag)
    yield Interaction("Worklist: sorted by value", address, click("#sort-value"))
    yield Interaction("Worklist: Unassigned", address, click(".pills a:has-text('Unassigned')"))
    yield Interaction("Worklist: next page", address, click("a[rel=next]"))
    yield Interaction("Worklist: response times", address, click("a:text-is('Response times')"))
    yield Interaction("Worklist: Companies", address, click("nav.pages a:text-is('Companies')"))


def another_number() -> Action:
    """Return a press that fills in other days of a flag each time: a text that was read is kept."""
    numbers = cycle([*range(15, 22), *range(7, 14)])

    def press(page: Page) -> None:
        write("#number-1", str(next(numbers)), last="Enter")(page)

    return press


def of_rules() -> Iterator[Interaction]:
    number = another_number()
    yield Interaction("Rules: a number, begun", "/rules", number, shows="#outcome.htmx-request")
    yield Interaction("Rules: a number, planned", "/rules", number)
    yield Interaction("Rules: edit a flag", "/rules", click(".flag-actions button:text-is('Edit')"))
    yield Interaction("Rules: add a flag", "/rules", click("button:text-is('Add a flag')"))
    yield Interaction("Rules: Text", "/rules", click(".tabs :text-is('Text')"))
    yield Interaction("Rules: Flags", "/rules?view=text", click(".tabs :text-is('Flags')"))
    yield Interaction("Rules: versions", "/rules", click("a:text-is('All versions')"))


def of_other_pages() -> Iterator[Interaction]:
    yield Interaction("Insights: an event", "/insights", click("tbody th a"))
    yield Interaction("Insights: Outcomes", "/insights", click("nav.tabs a:text-is('Outcomes')"))
    yield Interaction("Outcomes: a flag", "/outcomes", click("tbody th a:has-text('Gone quiet')"))
    yield Interaction("Outcomes: all", "/outcomes", click("nav.tabs a:text-is('Outcomes')"))
    for title in ("People", "Notifications"):
        tab = click(f"nav.tabs a:text-is('{title}')")
        yield Interaction(f"Settings: {title}", "/settings/developers", tab)
    yield Interaction("Header: search", "/", write("header input[type=search]", "a"))
    yield Interaction("Header: keys", "/", key("?"), shows="#keys[open]")
    yield Interaction("Header: account", "/", click(".menu.account > summary"))
