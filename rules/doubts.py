"""Doubts what is legal in a flag but surely not meant."""

from collections.abc import Mapping, Sequence

from ruamel.yaml.nodes import Node

from rules.conditions import Condition
from rules.flags import Flag
from rules.implication import implies, opposite
from rules.source import Source


def doubt_levels(
    source: Source,
    statuses: Sequence[str],
    conditions: Sequence[tuple[int, Condition]],
    places: Mapping[int, Node],
) -> None:
    """A level is never reached if a worse one holds whenever it does; conditions worst first."""
    for place, (level, condition) in enumerate(conditions):
        hiding = [(worse, c) for worse, c in conditions[:place] if implies(condition, c)]
        if hiding:
            worse, other = hiding[0]
            source.doubt(
                places[level],
                f"`{statuses[level]}` can never be reached: whenever this holds,"
                f" `{statuses[worse]}` ({other}) does too",
            )


def doubt_recovery(source: Source, flag: Flag, place: Node) -> None:
    """A `recover` that holds whenever the rule does not is no hysteresis."""
    mildest = flag.conditions[-1][1]
    if flag.recover is not None and implies(opposite(mildest), flag.recover):
        source.doubt(
            place,
            f"`recover` is no stricter than the rule: it holds whenever `{mildest}` does not,"
            " so it changes nothing; ask for more, or leave it out",
        )
