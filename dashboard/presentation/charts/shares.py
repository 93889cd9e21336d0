"""A bar that shows the shares of a whole, each in its colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 1000
HEIGHT = 14
GAP = 4
MIN_WIDTH = 4
"""Drawing units: the space between shares, and the width of the smallest that is not zero."""


@dataclass(frozen=True)
class Share:
    """A part of the whole; `tone` is the CSS class of its colour."""

    name: str
    number: int
    tone: str


def draw_shares(title: str, shares: Sequence[Share]) -> Markup:
    """Draw the bar; empty if the whole is 0. Show the numbers in a table beside it."""
    visible = [share for share in shares if share.number > 0]
    whole = sum(share.number for share in visible)
    if not whole:
        return Markup()
    description = ", ".join(f"{share.number:,} {share.name}" for share in visible)
    rectangles, x = Markup(), 0.0
    divisible_width = WIDTH - GAP * (len(visible) - 1) - MIN_WIDTH * len(visible)
    for share in visible:
        width = MIN_WIDTH + divisible_width * share.number / whole
        rectangles += Markup(
            '<rect class="{}" x="{:.1f}" y="0" width="{:.1f}" height="{}"><title>{}: {:,}</title>'
            "</rect>"
        ).format(share.tone, x, width, HEIGHT, share.name, share.number)
        x += width + GAP
    return Markup(
        '<svg class="chart shares" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, escape(f"{title}: {description}"), rectangles)
