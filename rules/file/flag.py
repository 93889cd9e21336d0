"""Reads the flags of a rule file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from ruamel.yaml.nodes import MappingNode, Node

from rules.book import EventSetting
from rules.facts import Selector
from rules.faults import did_you_mean, unknown_status
from rules.file.filters import read_applies_to, read_where
from rules.file.phrase import PhraseReader, read_phrase_text
from rules.file.source import Source, is_null, read_name
from rules.file.warnings import warn_about_flag
from rules.flags import Flag
from rules.language.parser import parse_duration, parse_ignore_if, parse_new_company
from rules.language.tree import Vocabulary
from rules.phrases.condition import Condition, Level
from rules.phrases.fields import as_number
from rules.statuses import NOT_APPLICABLE

ANY_EVENT = "any"

LARGEST_WEIGHT = 1_000
MILDEST_EXAMPLE = "less than 5 times in 7 days"

KEYS = (
    "flag",
    "enabled",
    "event",
    "when",
    "recover",
    "for",
    "new_company",
    "where",
    "applies_to",
    "if_missing",
    "ignore_if",
    "weight",
    "note",
)


@dataclass(frozen=True)
class ParsedFlag:
    """A flag with the nodes of its entries, and whether it is evaluated."""

    flag: Flag
    nodes: Mapping[str, Node]
    enabled: bool = True


def read_wait(source: Source, node: Node) -> timedelta:
    """Read `new_company`: how long a company must be known before it is evaluated."""
    return read_phrase_text(source, node, "`new_company`", parse_new_company) or timedelta(0)


class FlagReader:
    """Reads the flags of a file in order and records faults at their positions.

    `statuses` is None if they could not be read; any status is accepted then.
    """

    def __init__(
        self,
        source: Source,
        statuses: tuple[str, ...] | None,
        events: Mapping[str, EventSetting],
        default_wait: timedelta,
    ) -> None:
        self.source = source
        self.statuses = statuses
        self.events = events
        self.default_wait = default_wait
        self.lines: dict[str, int] = {}

    def read(self, node: Node) -> ParsedFlag | None:
        """Read one flag; return None if an essential part is missing."""
        entries = self.source.mapping(node, "a flag", KEYS, required=("flag", "when"))
        nodes = {key: value for key, (_, value) in entries.items()}
        name = self._name(nodes["flag"]) if "flag" in nodes else None
        vocabulary = Vocabulary(
            self.statuses or Vocabulary().statuses, self._ignored(nodes.get("ignore_if"))
        )
        reader = PhraseReader(self.source, vocabulary)
        conditions, phrase_nodes = self._conditions(nodes.get("when"), reader)
        recover = reader.read(nodes["recover"], "`recover`") if "recover" in nodes else None
        phrases = [phrase for _, phrase in conditions] + ([recover] if recover else [])
        selector = self._selector(node, nodes, phrases)
        wait, lasting = self.default_wait, None
        if "new_company" in nodes:
            wait = read_wait(self.source, nodes["new_company"])
        if "for" in nodes:
            lasting = read_phrase_text(self.source, nodes["for"], "`for`", parse_duration)
        flag = Flag(
            name or "",
            selector,
            conditions,
            wait,
            recover=recover,
            lasting=lasting or timedelta(0),
            applies_to=read_applies_to(self.source, nodes["applies_to"])
            if "applies_to" in nodes
            else (),
            if_missing=self._if_missing(nodes["if_missing"]) if "if_missing" in nodes else None,
            weight=self._weight(nodes["weight"]) if "weight" in nodes else Decimal(1),
            note=self.source.text(nodes["note"], "`note`") if "note" in nodes else None,
            line=node.start_mark.line + 1,
        )
        if name is None or not conditions:
            return None
        if self.statuses:
            warn_about_flag(self.source, self.statuses, flag, nodes, phrase_nodes)
        enabled = "enabled" not in nodes or self.source.boolean(nodes["enabled"], "`enabled`")
        return ParsedFlag(flag, nodes, enabled is not False)

    def _name(self, node: Node) -> str | None:
        name = read_name(self.source, node, "`flag`")
        if name is None:
            return None
        if name in self.lines:
            first = self.lines[name]
            self.source.fault(node, f"the flag `{name}` is defined twice, first on line {first}")
        self.lines.setdefault(name, node.start_mark.line + 1)
        return name

    def _selector(
        self, node: Node, nodes: Mapping[str, Node], phrases: list[Condition]
    ) -> Selector:
        where = read_where(self.source, nodes["where"]) if "where" in nodes else ()
        counts = any(part.counts_events for phrase in phrases for part in phrase)
        if "event" in nodes:
            event_key = self._event_key(nodes["event"])
        else:
            event_key = None
            if counts and not self.source.damaged:
                self.source.fault(node, "a flag that counts events lacks `event`")
        return Selector(None if event_key == ANY_EVENT else event_key, where)

    def _event_key(self, node: Node) -> str | None:
        key = self.source.text(node, "`event`")
        if key is None or key == ANY_EVENT:
            return key
        if key not in self.events:
            if not self.source.damaged:
                by_name = {e.name: f"; write its key `{k}`" for k, e in self.events.items()}
                near = did_you_mean(key, [*self.events, ANY_EVENT])
                hint = by_name.get(key) or near or "; add it there"
                self.source.fault(node, f"the event `{key}` is not listed under `events`{hint}")
        elif not self.events[key].enabled:
            self.source.fault(node, f"the event `{key}` is disabled, so it can never be counted")
        return key

    def _conditions(
        self, node: Node | None, reader: PhraseReader
    ) -> tuple[tuple[tuple[int, Condition], ...], dict[int, Node]]:
        """Read the phrase of each level, worst first, and return them with their nodes."""
        if node is None:
            return (), {}
        raised = self.statuses[1:] if self.statuses else ()
        conditions: dict[int, Condition] = {}
        phrase_nodes: dict[int, Node] = {}
        example = f"write for example `{raised[0] if raised else 'At Risk'}: {MILDEST_EXAMPLE}`"
        if not isinstance(node, MappingNode):
            if not self.source.damaged:
                self.source.fault(node, f"`when` needs a phrase for each status; {example}")
            return (), {}
        entries = self.source.mapping(node, "`when`")
        if not entries and not self.source.damaged:
            self.source.fault(node, f"`when` is empty; {example}")
        for status, (key_node, value) in entries.items():
            level = self._raised_level(status, key_node)
            if level is None and is_null(value):
                continue
            condition = reader.read(value, f"the phrase for `{status}`")
            if condition is not None and level is not None:
                conditions[level], phrase_nodes[level] = condition, value
        return tuple(sorted(conditions.items(), reverse=True)), phrase_nodes

    def _raised_level(self, status: str, node: Node) -> int | None:
        if self.statuses is None:
            return 1
        best, *raised = self.statuses
        if status == best:
            self.source.fault(node, f"`{status}` means that nothing is raised; it takes no phrase")
        elif status not in raised:
            self.source.fault(node, unknown_status(status, raised))
        else:
            return self.statuses.index(status)
        return None

    def _if_missing(self, node: Node) -> Level:
        status = self.source.text(node, "`if_missing`")
        if status is None or status == NOT_APPLICABLE or self.statuses is None:
            return None
        if status not in self.statuses:
            self.source.fault(node, unknown_status(status, (*self.statuses, NOT_APPLICABLE)))
            return None
        return self.statuses.index(status)

    def _ignored(self, node: Node | None) -> Decimal:
        if node is None:
            return Decimal(0)
        return read_phrase_text(self.source, node, "`ignore_if`", parse_ignore_if) or Decimal(0)

    def _weight(self, node: Node) -> Decimal:
        value = self.source.scalar(node, "`weight`")
        weight = as_number(value) if isinstance(value, int | float) else None
        if weight is None or not 0 <= weight <= LARGEST_WEIGHT:
            self.source.fault(
                node, f"`weight` must be a number from 0 to {LARGEST_WEIGHT}, such as 2"
            )
            return Decimal(1)
        return weight
