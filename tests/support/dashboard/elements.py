"""The elements of an HTML page, for tests that read what it shows."""

import re
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

VOID = frozenset(("br", "col", "hr", "img", "input", "link", "meta", "wbr"))
"""The elements of the pages that have no end."""


def parse(markup: str) -> Element:
    """Return the root of a page or of a part of one.

    Every element has to be closed, as in the pages of the dashboard.
    """
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.finish()


def fetched_by(markup: str) -> list[str]:
    """Return what a page fetches for itself, without its header, or what a part of one fetches."""
    return [
        unescape(url)
        for url in re.findall(r'hx-get="([^"]+)"', markup.rsplit("<main", maxsplit=1)[-1])
    ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._builder = TreeBuilder()
        self._builder.start("page", {})
        self._open = ["page"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._builder.start(tag, {name: value or "" for name, value in attrs})
        self._open.append(tag)
        if tag in VOID:
            self.handle_endtag(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another element"
        self._builder.end(tag)

    def handle_data(self, data: str) -> None:
        self._builder.data(data)

    def finish(self) -> Element:
        assert self._open == ["page"], f"not closed: {self._open}"
        self._builder.end("page")
        return self._builder.close()


def classes(element: Element) -> list[str]:
    return element.get("class", "").split()


def select(root: Element, tag: str, class_: str = "", **attributes: str) -> list[Element]:
    """Return the descendants with a tag, a class, and values of attributes, in their order."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return [
        element
        for element in root.iter(tag)
        if (not class_ or class_ in classes(element))
        and all(element.get(name) == value for name, value in named.items())
    ]


def only(root: Element, tag: str, class_: str = "", **attributes: str) -> Element:
    """Return the one such descendant."""
    found = select(root, tag, class_, **attributes)
    assert len(found) == 1, f"{len(found)} of <{tag} class={class_!r} {attributes}>"
    return found[0]


def text(element: Element) -> str:
    """Return the text of an element with single spaces."""
    return " ".join("".join(element.itertext()).split())


def number(words: str) -> Decimal:
    """Return the number that a text is, with its separators and its sign."""
    match = re.fullmatch(r"([+−]?)([\d,]+(?:\.\d+)?)(?: ?%)?", words.strip())
    assert match, f"no number: {words!r}"
    value = Decimal(match[2].replace(",", ""))
    return -value if match[1] == "−" else value


def rows(table: Element) -> list[list[Element]]:
    """Return the cells of each row of the bodies of a table."""
    return [list(row) for body in table.iter("tbody") for row in body.findall("tr")]


def texts(table: Element) -> list[list[str]]:
    """Return the texts of the cells of each row of the bodies of a table."""
    return [[text(cell) for cell in cells] for cells in rows(table)]
