"""The steps of a recorded change that explain it: a recovery is explained by what ended."""

from collections.abc import Mapping, Sequence
from typing import Any

Step = Mapping[str, Any]
"""A flag that changed: `flag`, `from`, `to`, `threshold`, and maybe `reason`."""


def explaining_steps(
    changes: Sequence[Step], before: str, after: str, statuses: Sequence[str]
) -> Sequence[Step]:
    """Return the flags that went the way of the company's status, or all of them if none did.

    `before` and `after` are the statuses of the company, `statuses` those of the rules, best first.
    A status that stays is explained by the flags that became worse.
    """
    ranks = {status: rank for rank, status in enumerate(statuses)}

    def is_worse(change_from: str, change_to: str, *, or_equal: bool = False) -> bool:
        earlier, later = ranks.get(change_from, 0), ranks.get(change_to, 0)
        return later > earlier or (or_equal and later == earlier)

    became_worse = is_worse(before, after, or_equal=True)
    return [
        step for step in changes if is_worse(step["from"], step["to"]) is became_worse
    ] or changes
