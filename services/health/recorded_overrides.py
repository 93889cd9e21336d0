"""Records which overrides have started, and which have ended and by whom."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from models.health import flag_overrides
from models.health.flag_overrides import StoredOverride
from rules.book import RuleBook
from rules.judging.state import Settlement


def save_overrides(
    stored: Iterable[StoredOverride], settlements: Sequence[tuple[RuleBook, int, Settlement]]
) -> None:
    """Record what settlements of a company found about its overrides."""
    started = {o.id for o in settlements[-1][2].state.overrides if o.started}
    ended = {
        end.override.id: (end, number)
        for _, number, settlement in settlements
        for end in settlement.ended
    }
    for row in stored:
        if row.id in started and not row.start_recorded:
            flag_overrides.save(replace(row, start_recorded=True))
        elif row.id in ended:
            end, number = ended[row.id]
            over = replace(row, start_recorded=True, end_recorded=True)
            if end.missing is not None:
                because = f"version {number} of the rules does not have {end.missing}"
                over = replace(over, ended_by="rules", ended_because=because, ended_at=end.at)
            elif row.ended_at is None:
                over = replace(over, ended_by="time", ended_at=end.at)
            flag_overrides.save(over)
