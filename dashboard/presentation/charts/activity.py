"""The activity of a company in a list: a small column for each of the last weeks."""

from collections.abc import Sequence

from markupsafe import Markup

STEP, WIDTH, HEIGHT = 5, 4, 14
"""Drawing units: from one column to the next, and the size of the highest."""

MOST = 7
"""Days of a week."""


def draw_activity(days: Sequence[int]) -> Markup:
    """Draw the days with events by week, oldest first; a week without any is a thin line."""
    columns = Markup().join(
        Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(
            number * STEP, HEIGHT - height, WIDTH, height
        )
        for number, height in enumerate(max(count / MOST * HEIGHT, 1) for count in days)
    )
    label = f"Days with events by week: {', '.join(map(str, days))}"
    return Markup(
        '<svg class="sparkline" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        "<title>{}</title>{}</svg>"
    ).format(len(days) * STEP - STEP + WIDTH, HEIGHT, label, label, columns)
