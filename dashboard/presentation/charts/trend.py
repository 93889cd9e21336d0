"""A sparkline: the course of a number without axes; the page shows the numbers elsewhere."""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 160, 28
MARGIN = 2
"""Drawing units above and below the line, for its own thickness."""


def draw_trend(numbers: Sequence[int], title: str) -> Markup:
    """Draw the line, oldest number first; empty if there are fewer than two."""
    if len(numbers) < 2:
        return Markup()
    top = max(*numbers, 1)
    step = WIDTH / (len(numbers) - 1)
    points = [
        (round(index * step, 1), round(HEIGHT - MARGIN - number / top * (HEIGHT - 2 * MARGIN), 1))
        for index, number in enumerate(numbers)
    ]
    line = "M" + "L".join(f"{x} {y}" for x, y in points)
    return Markup(
        '<svg class="chart trend" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><path class="area" d="{}V{}H0Z"/><path class="line" d="{}"/></svg>'
    ).format(WIDTH, HEIGHT, title, line, HEIGHT, line)
