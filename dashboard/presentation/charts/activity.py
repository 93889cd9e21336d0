"""The activity of a company in a list: a small column for each of the last weeks."""

from collections.abc import Sequence

from markupsafe import Markup

STEP, WIDTH, HEIGHT = 5, 4, 14
"""Drawing units: from one column to the next, and the size of the highest."""

MOST = 7
"""Days of a week."""


def draw_activity(days: Sequence[int]) -> Markup:
    """Draw the days with events by week, oldest first; a week without any is a thin line.

    All columns are one path, because a list has a drawing in each of its rows.
    """
    heights = (max(count / MOST * HEIGHT, 1) for count in days)
    columns = "".join(
        f"M{number * STEP} {HEIGHT}v-{height:.1f}h{WIDTH}V{HEIGHT}z"
        for number, height in enumerate(heights)
    )
    label = f"Days with events by week: {', '.join(map(str, days))}"
    width = len(days) * STEP - STEP + WIDTH
    return Markup(
        '<svg class="sparkline" viewBox="0 0 {} {}" role="img">'
        '<title>{}</title><path d="{}"/></svg>'
    ).format(width, HEIGHT, label, columns)
