"""The titles of columns in the cells of a table, for screens on which each row is a card."""

import re
from collections.abc import Sequence

from markupsafe import Markup

_TAG = re.compile(r"<(tr|td|th)\b([^<>]*)>(\s*(?=</td>))?")


def titled(rows: Markup, columns: Sequence[str]) -> Markup:
    """Return rows whose cells have the titles of their columns as `data-title`.

    A leading `#` or `~` of a title is that of the macro `table`: the title of a `~` column is left
    out, and so is that of a cell that spans columns, has a title, or is the head of its row. Cells
    without content become empty, so that a card can leave them out. The rows come from a template,
    where only tags have angle brackets.
    """
    titles = [title.lstrip("#") for title in columns]
    place = 0

    def tag(match: re.Match[str]) -> str:
        nonlocal place
        name, attributes, _blank = match.groups()
        if name == "tr":
            place = 0
            return match[0]
        title = titles[place] if place < len(titles) else "~"
        place += 1
        if (
            name == "th"
            or title.startswith("~")
            or re.search(r"\b(colspan|data-title)=", attributes)
        ):
            return f"<{name}{attributes}>"
        return f'<{name}{attributes} data-title="{Markup.escape(title)}">'

    return Markup(_TAG.sub(tag, rows))  # noqa: S704 - titles are escaped
