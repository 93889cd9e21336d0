"""The destinations that a rule file names: URLs become destinations, and names have to exist.

A URL of Slack or Teams is a secret. When rules are applied, each is stored encrypted as a
destination, and its name takes its place in the text, before anything is stored or compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from config.settings import Network
from models.notifications import destinations
from rules.book import RuleBook
from rules.edits.positions import scalar
from rules.faults import Fault, RuleFileError, did_you_mean
from rules.file.rule_file import check_rules
from rules.notify.entries import NotifyEntry, Service, Span
from services.accounts.audit import Maker
from services.notifications import destinations as changes
from services.notifications.destinations import NewDestination
from services.webhooks.subscriptions import InvalidSubscription, check_url


@dataclass(frozen=True)
class UrlKeeper:
    """What keeping the URLs of a text depends on; without `may_add`, only known ones are kept."""

    secret_keys: Sequence[str] = field(repr=False)
    allowed_nets: Sequence[Network]
    maker: Maker
    may_add: bool = True


@dataclass(frozen=True)
class KeptUrl:
    """A URL that a destination's name replaced; `is_new` if the destination was made for it."""

    service: Service
    name: str
    line: int
    is_new: bool

    def __str__(self) -> str:
        made = "was kept as" if self.is_new else "is the one of"
        return (
            f"the URL on line {self.line} {made} the {self.service.title} destination"
            f" `{self.name}`; write `{self.service.value}: {scalar(self.name)}` instead"
        )


@dataclass(frozen=True)
class KeptText:
    """A text without URLs, and those that were replaced."""

    text: str
    kept: tuple[KeptUrl, ...] = ()


def keep_urls(
    organization_id: int, text: str, book: RuleBook, keeper: UrlKeeper | None, now: datetime
) -> KeptText:
    """Replace each URL in a text by the name of its destination, which is made if there is none.

    Raises:
        RuleFileError: a URL cannot be kept, or nothing may be sent to it.
    """
    found = [(entry, entry.target.span) for entry in book.notify if entry.target.url]
    kept: list[KeptUrl] = []
    # From the end, so that earlier places stay where they are.
    for entry, span in sorted(found, key=lambda pair: -pair[1].start if pair[1] else 0):
        if span is None:
            continue
        if keeper is None or not keeper.secret_keys:
            raise _fault(span, "the URL cannot be kept as a secret here; write the name of one")
        url = _keep(organization_id, entry, span, keeper, now)
        text = _with_name(text, span, entry.target.url or "", url.name)
        kept.append(url)
    return KeptText(text, tuple(reversed(kept)))


def with_known_names(organization_id: int, text: str, secret_keys: Sequence[str]) -> str:
    """Return a text with names in place of the URLs of existing destinations; others stay."""
    book = check_rules(text).book
    targets = [entry.target for entry in book.notify if entry.target.url] if book else []
    for target in sorted(targets, key=lambda target: -target.span.start if target.span else 0):
        existing = destinations.find_by_url(
            organization_id, target.service.value, target.url or "", secret_keys=secret_keys
        )
        if existing is not None and target.span is not None:
            text = _with_name(text, target.span, target.url or "", existing.name)
    return text


def unknown_names(
    organization_id: int, book: RuleBook, former: RuleBook | None = None
) -> list[Fault]:
    """Return a fault for each name of a destination that does not exist.

    Names that the `former` rules have are left out: an edit of something else is not refused
    because a destination was removed. What is recorded for such a name is kept until there is one.
    """
    named = [entry.target for entry in book.notify if entry.target.service is not Service.EMAIL]
    if not named:
        return []
    before = {entry.target for entry in former.notify} if former else set()
    known = names_by_service(organization_id)
    faults = []
    for target in named:
        names = known.get(target.service.value, [])
        for name in target.names:
            if name not in names and target.span and target not in before:
                hint = did_you_mean(name, names)
                remedy = hint or (
                    "; add it under Settings, Notifications, or write its URL, which is kept as a"
                    " secret"
                )
                message = f"there is no {target.service.title} destination `{name}`{remedy}"
                faults.append(Fault(target.span.line, target.span.column, message))
    return sorted(set(faults))


def names_by_service(organization_id: int) -> dict[str, list[str]]:
    """Return the names of the destinations by service."""
    names: dict[str, list[str]] = {Service.SLACK.value: [], Service.TEAMS.value: []}
    for destination in destinations.list_for_organization(organization_id):
        names[destination.service].append(destination.name)
    return names


def _keep(
    organization_id: int, entry: NotifyEntry, span: Span, keeper: UrlKeeper, now: datetime
) -> KeptUrl:
    service, url = entry.target.service, entry.target.url or ""
    existing = destinations.find_by_url(
        organization_id, service.value, url, secret_keys=keeper.secret_keys
    )
    if existing is not None:
        return KeptUrl(service, existing.name, span.line, is_new=False)
    if not keeper.may_add:
        raise _fault(span, "only an administrator may add a destination; write the name of one")
    try:
        check_url(url, keeper.allowed_nets)
        name = _free_name(organization_id, service)
        changes.add(
            organization_id,
            NewDestination(service, name, url),
            secret_keys=keeper.secret_keys,
            maker=keeper.maker,
            at=now,
        )
    except (InvalidSubscription, changes.DestinationRefused) as error:
        raise _fault(span, str(error)) from None
    return KeptUrl(service, name, span.line, is_new=True)


def _free_name(organization_id: int, service: Service) -> str:
    taken = names_by_service(organization_id)[service.value]
    return next(name for n in count(1) if (name := f"{service.value}-{n}") not in taken)


def _with_name(text: str, span: Span, url: str, name: str) -> str:
    """Return a text with a name in place of a URL; an anchor before it stays.

    Raises:
        RuleFileError: the URL is written with escapes.
    """
    start = text.find(url, span.start, span.end)
    if start < 0:
        raise _fault(span, "write the URL without escapes")
    end = start + len(url)
    if text[start - 1] in "\"'" and text[end : end + 1] == text[start - 1]:
        start, end = start - 1, end + 1
    return f"{text[:start]}{scalar(name)}{text[end:]}"


def _fault(span: Span, message: str) -> RuleFileError:
    return RuleFileError([Fault(span.line, span.column, message)])
