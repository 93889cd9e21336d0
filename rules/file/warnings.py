"""Warns about what is valid in a flag but certainly not intended."""

from collections.abc import Iterator, Mapping, Sequence

from ruamel.yaml.nodes import Node

from rules.file.source import Source
from rules.flags import Flag
from rules.phrases.amounts import Amount, Change, Measure
from rules.phrases.condition import Condition
from rules.phrases.counting import Absence, Count
from rules.phrases.distinct import Distinct
from rules.phrases.fields import FieldIs, FieldMissing
from rules.phrases.implication import implies, opposite
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not

_WORDS_FOR_MISSING = ("empty", "blank", "unknown", "null", "none", "unset")


def warn_about_flag(
    source: Source,
    statuses: Sequence[str],
    flag: Flag,
    nodes: Mapping[str, Node],
    phrase_nodes: Mapping[int, Node],
) -> None:
    """Record every warning about a flag; `phrase_nodes` are the nodes of its phrases, by level."""
    for level, message in _level_warnings(statuses, flag):
        source.warn(phrase_nodes[level], message)
    for level, phrase in flag.conditions:
        for message in _phrase_warnings(phrase):
            source.warn(phrase_nodes[level], message)
    for key, message in _key_warnings(flag, nodes):
        source.warn(nodes[key], message)


def warn_about_reference(source: Source, node: Node, phrase: FlagIs, other: Flag) -> None:
    """Warn about a reference to a status that the other flag can never or will always have."""
    levels = {None, 0, other.if_missing, *(level for level, _ in other.conditions)}
    reachable = phrase.level in levels
    if phrase.or_worse and phrase.level is not None:
        reachable = any(level is not None and level >= phrase.level for level in levels)
    if not reachable:
        source.warn(node, f"`{other.name}` can never be `{phrase.status}`, so this is never met")
    elif phrase.or_worse and phrase.level == 0:
        source.warn(node, f"`{phrase}` is always met, unless the flag is N/A")


def _level_warnings(statuses: Sequence[str], flag: Flag) -> Iterator[tuple[int, str]]:
    """Warn about levels that are never reached since a worse one is met whenever they are."""
    mildest = flag.conditions[-1][0]
    for number, (level, condition) in enumerate(flag.conditions):
        if level == flag.if_missing or (flag.recover is not None and level == mildest):
            continue
        for worse, other in flag.conditions[:number]:
            if implies(condition, other):
                hidden, hiding = statuses[level], f"`{statuses[worse]}` ({other})"
                yield (
                    level,
                    f"`{hidden}` can never be reached: whenever this is met, {hiding} is too",
                )
                break


def _phrase_warnings(phrase: Condition) -> Iterator[str]:
    for part in phrase:
        if isinstance(part, AllOf):
            operands = part.operands
            for number, operand in enumerate(operands):
                earlier = operands[:number]
                clash = next((o for o in earlier if implies(operand, opposite(o))), None)
                if clash is not None:
                    yield f"`{clash}` and `{operand}` can never both be met"
        if isinstance(part, FieldIs) and part.expected.casefold() in _WORDS_FOR_MISSING:
            yield f"did you mean `company.{part.field} is missing`?"


def _key_warnings(flag: Flag, nodes: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    parts = [part for phrase in flag.phrases for part in phrase]
    mildest = flag.conditions[-1][1]
    if flag.recover is not None and implies(opposite(mildest), flag.recover):
        message = (
            f"`recover` is no stricter than the rule: it is met whenever `{mildest}` is not,"
            " so it changes nothing; ask for more, or leave it out"
        )
        yield "recover", message
    elif flag.recover is not None and implies(flag.recover, mildest):
        yield (
            "recover",
            f"`recover` can never end it: whenever it is met, the rule `{mildest}` is too",
        )
    if "ignore_if" in nodes and not any(isinstance(part, Change) for part in parts):
        yield "ignore_if", "`ignore_if` is for phrases with `down` and `up`, and there is none"
    if "if_missing" in nodes and not any(_can_be_missing(part) for part in parts):
        yield "if_missing", "`if_missing` has no effect here: its phrases can always be evaluated"


def _can_be_missing(part: Condition) -> bool:
    if isinstance(part, Amount):
        return part.measure is not Measure.SUM
    always = Count | Absence | Distinct | FieldMissing | FlagIs | AllOf | AnyOf | Not
    return not isinstance(part, always)
