"""Reads `notify`: whom to notify of which health changes, and when."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from rules.faults import did_you_mean
from rules.file.filters import read_company_where
from rules.file.phrase import read_phrase_text
from rules.file.source import Source, read_name
from rules.language.parser import parse_digest, parse_notify_when, parse_quiet, parse_together
from rules.language.tree import Vocabulary
from rules.notify.entries import (
    OWNER,
    Becomes,
    ChangeCondition,
    Changes,
    NotifyEntry,
    Service,
    Span,
    Target,
)
from rules.notify.schedule import Schedule

KEYS = ("to", "when", "where", "group", "quiet", "digest")

MOST_ENTRIES = 50
MOST_ADDRESSES = 20

LONGEST_ADDRESS = 254
"""Characters (RFC 5321)."""

LONGEST_URL = 2_000
"""Characters."""

_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+\.[^\s@<>(),;:\\\"\[\]]+")
_URL = re.compile(r"https?://", re.IGNORECASE)

_EXAMPLE = "write for example `to: {slack: cs-alerts}` or `to: {email: owner}`"
_HOW_TO_MAKE_ONE = "the name of a destination, or its URL, which is kept as a secret"


class NotifyReader:
    """Reads the entries of `notify`, and records faults and warnings at their positions.

    `statuses` is None if they could not be read; phrases are not checked then.
    """

    def __init__(
        self, source: Source, statuses: tuple[str, ...] | None, *, has_owner: bool
    ) -> None:
        self.source = source
        self.statuses = statuses
        self.has_owner = has_owner

    def read_all(self, node: Node) -> list[NotifyEntry]:
        """Read the list of entries."""
        items = self.source.items(node, "`notify`")
        if len(items) > MOST_ENTRIES:
            self.source.fault(node, f"`notify` has at most {MOST_ENTRIES} entries")
            return []
        entries = [self.read(item) for item in items]
        return [entry for entry in entries if entry is not None]

    def read(self, node: Node) -> NotifyEntry | None:
        """Read one entry; return None if an essential part is missing."""
        entries = self.source.mapping(node, "an entry of `notify`", KEYS, required=("to",))
        nodes = {key: value for key, (_, value) in entries.items()}
        target = self._target(nodes["to"]) if "to" in nodes else None
        entry = NotifyEntry(
            target or Target(Service.EMAIL, ()),
            self._when(nodes) or (Changes(),),
            read_company_where(self.source, nodes["where"]) if "where" in nodes else (),
            self._schedule(nodes),
            line=node.start_mark.line + 1,
        )
        return entry if target else None

    def check_flags(
        self, nodes: Node, entries: Collection[NotifyEntry], levels: Mapping[str, set[int]]
    ) -> None:
        """Record flags that are not in the file as faults, and statuses they never have.

        `levels` are those that each flag can raise.
        """
        by_line = {item.start_mark.line + 1: item for item in self.source.items(nodes, "`notify`")}
        for entry in entries:
            for condition in entry.when:
                if condition.flag and condition.flag not in levels:
                    hint = did_you_mean(condition.flag, levels) or "; it is not in this file"
                    self.source.fault(
                        _when_node(by_line[entry.line]),
                        f"there is no flag `{condition.flag}`{hint}",
                    )
                elif condition.flag and not _can_hold(condition, levels[condition.flag]):
                    self.source.warn(
                        _when_node(by_line[entry.line]),
                        f"`{condition}` never happens: no phrase of the flag raises that status",
                    )

    def _target(self, node: Node) -> Target | None:
        if not self.source.damaged and not _is_mapping(node):
            self.source.fault(node, f"`to` names a service; {_EXAMPLE}")
            return None
        entries = self.source.mapping(node, "`to`", tuple(Service))
        if len(entries) != 1:
            if not self.source.damaged and not (node.value and not entries):
                self.source.fault(node, f"`to` names one service; {_EXAMPLE}")
            return None
        [(name, (_, value))] = entries.items()
        service = Service(name)
        return self._email(value) if service is Service.EMAIL else self._destination(service, value)

    def _destination(self, service: Service, node: Node) -> Target | None:
        if not isinstance(node, ScalarNode):
            self.source.fault(node, f"`{service}` is {_HOW_TO_MAKE_ONE}")
            return None
        if not _URL.match(str(node.value).strip()):
            name = read_name(self.source, node, f"`{service}`")
            return Target(service, (name,), span=_span(node)) if name else None
        if node.style in ("|", ">"):
            self.source.fault(node, "write the URL on the line of its key")
            return None
        url = self.source.text(node, f"`{service}`")
        if url and len(url) > LONGEST_URL:
            self.source.fault(node, f"a URL has at most {LONGEST_URL:,} characters")
            return None
        return Target(service, (), url=url.strip(), span=_span(node)) if url else None

    def _email(self, node: Node) -> Target | None:
        items = node.value if isinstance(node, SequenceNode) else [node]
        if not items or len(items) > MOST_ADDRESSES:
            self.source.fault(node, f"`email` has from 1 to {MOST_ADDRESSES} addresses")
            return None
        addresses = [self._address(item) for item in items]
        if OWNER in addresses and not self.has_owner and not self.source.damaged:
            self.source.fault(
                node,
                "`owner` needs the field with a company's owner; write for example"
                " `team: {owner: company.csm}`",
            )
        known = dict.fromkeys(address for address in addresses if address)
        return Target(Service.EMAIL, tuple(known)) if len(known) == len(items) else None

    def _address(self, node: Node) -> str | None:
        text = self.source.text(node, "`email`")
        if text is None:
            return None
        address = text.strip()
        if address.casefold() == OWNER:
            return OWNER
        if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
            self.source.fault(node, f"`{address[:60]}` is no email address; write one, or `owner`")
            return None
        return address

    def _when(self, nodes: Mapping[str, Node]) -> tuple[ChangeCondition, ...] | None:
        if "when" not in nodes or self.statuses is None:
            return None
        vocabulary = Vocabulary(self.statuses)
        return read_phrase_text(
            self.source, nodes["when"], "`when`", lambda text: parse_notify_when(text, vocabulary)
        )

    def _schedule(self, nodes: Mapping[str, Node]) -> Schedule:
        together = quiet = digest = None
        if "group" in nodes:
            together = read_phrase_text(self.source, nodes["group"], "`group`", parse_together)
        if "quiet" in nodes:
            quiet = read_phrase_text(self.source, nodes["quiet"], "`quiet`", parse_quiet)
        if "digest" in nodes:
            digest = read_phrase_text(self.source, nodes["digest"], "`digest`", parse_digest)
            for key in ("group", "quiet"):
                if key in nodes:
                    self.source.fault(
                        nodes[key], f"a digest is sent at its own time; leave out `{key}`"
                    )
        return Schedule(together or timedelta(0), quiet, digest)


def _can_hold(condition: ChangeCondition, raised: set[int]) -> bool:
    if not isinstance(condition, Becomes) or condition.level == 0:
        return True
    if condition.or_worse:
        return any(level >= condition.level for level in raised)
    return condition.level in raised


def _is_mapping(node: Node) -> bool:
    return not isinstance(node, ScalarNode | SequenceNode)


def _when_node(entry: Node) -> Node:
    return next((value for key, value in entry.value if key.value == "when"), entry)


def _span(node: Node) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.index, end.index, start.line + 1, start.column + 1)
