"""A line without axes that shows at a glance how a number went; its numbers stand elsewhere."""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 160, 28
EDGE = 2
"""Units of the drawing above and below the line, for its own thickness."""


def trend(numbers: Sequence[int], title: str) -> Markup:
    """The line, from the oldest number to the latest; nothing where there are fewer than two."""
    if len(numbers) < 2:
        return Markup()
    top = max(*numbers, 1)
    step = WIDTH / (len(numbers) - 1)
    points = [
        (round(place * step, 1), round(HEIGHT - EDGE - number / top * (HEIGHT - 2 * EDGE), 1))
        for place, number in enumerate(numbers)
    ]
    line = "M" + "L".join(f"{x} {y}" for x, y in points)
    return Markup(
        '<svg class="chart trend" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><path class="area" d="{}V{}H0Z"/><path class="line" d="{}"/></svg>'
    ).format(WIDTH, HEIGHT, title, line, HEIGHT, line)
