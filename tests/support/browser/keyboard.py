"""A person at the keyboard: presses keys, and expects to see where the focus is after each."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

FOCUS = Path(__file__).with_name("focus.js").read_text(encoding="utf-8")

MOST_TABS = 40


class Keyboard:
    """The keys of a page. `presses` counts them; a text counts as one.

    After each press the focus must be visible: outlined, in the window, and not covered. `faults`
    has where it was not.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0
        self.faults: list[str] = []

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.presses += 1

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self.page.keyboard.type(text)
        self.presses += 1

    def tab_to(self, name: str, *, back: bool = False, most: int = MOST_TABS) -> None:
        """Press Tab until what has the focus is called `name`, a regular expression."""
        passed = []
        for _ in range(most):
            self.press("Shift+Tab" if back else "Tab")
            passed.append(self.focused())
            if re.fullmatch(name, passed[-1]):
                return
        raise AssertionError(f"{most} times Tab do not reach {name}, but {passed}")

    def focused(self) -> str:
        """Return the accessible name of what has the focus; note what hides it."""
        found = self.page.evaluate(FOCUS)
        if found["fault"]:
            element = f"{found.get('tag')} “{found['name'][:60]}”"
            self.faults.append(f"{found['fault']}: {element} on {self.page.url}")
        return str(found["name"])

    def skip(self) -> None:
        """Go to the content of a page that was just opened, past its header."""
        self.tab_to("Skip to content", most=1)
        self.press("Enter")
        self.focused()

    def go(self, key: str, title: str) -> None:
        """Open a page by its key, and go to its content."""
        self.press("g", key)
        self.opens(title)

    def opens(self, title: str) -> None:
        """Wait for the page with a heading, and go to its content."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        self.skip()

    def settle(self) -> None:
        """Wait until htmx has replaced what it asks for."""
        expect(self.page.locator(".htmx-request")).to_have_count(0)
