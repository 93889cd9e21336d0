"""A bar that shows the shares of a whole, each in its tone."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 1000
HEIGHT = 14
GAP = 4
LEAST = 4
"""Units of the bar's width: between shares, and of the smallest that is not nothing."""


@dataclass(frozen=True)
class Share:
    """A part of the whole; `tone` is the class that colours it."""

    name: str
    number: int
    tone: str


def shares(title: str, parts: Sequence[Share]) -> Markup:
    """The bar; nothing where the whole is 0. Its numbers belong into a table beside it."""
    present = [part for part in parts if part.number > 0]
    whole = sum(part.number for part in present)
    if not whole:
        return Markup()
    told = ", ".join(f"{part.number:,} {part.name}" for part in present)
    rectangles, x = Markup(), 0.0
    room = WIDTH - GAP * (len(present) - 1) - LEAST * len(present)
    for part in present:
        width = LEAST + room * part.number / whole
        rectangles += Markup(
            '<rect class="{}" x="{:.1f}" y="0" width="{:.1f}" height="{}"><title>{}: {:,}</title>'
            "</rect>"
        ).format(part.tone, x, width, HEIGHT, part.name, part.number)
        x += width + GAP
    return Markup(
        '<svg class="chart shares" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, escape(f"{title}: {told}"), rectangles)
