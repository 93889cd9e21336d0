"""The text of a note as its parts: words, web addresses, and mentions of members.

A mention is `@` with the email or the name of a member, as a word of its own. It is stored with the
email, which does not change, and shown with the name. Case and invisible characters do not matter,
nor do accents of names. The longest match counts, and an email before a name: nobody can take a
name with which others are not found by their email.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.people.mentions import NamedMember

AT = "@"

_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"“”]+", re.IGNORECASE)

_AFTER_AN_ADDRESS = ".,;:!?'*"
"""Characters that end the sentence rather than the address before them."""

_BEFORE_A_DOMAIN = "_.%+-@"
"""Characters before an `@` that is inside an email address."""

_ACCENTS = ("\u0300", "\u036f")
"""The first and the last of the combining accents, as in `models.folding`."""

_INSIDE_A_NAME = "_.+-@"
"""Characters that a name or an email continues with if another letter or digit follows."""


@dataclass(frozen=True)
class WebAddress:
    """An address of http or https."""

    text: str


@dataclass(frozen=True)
class Mention:
    """A mention as it is written. There are several `members` if they share the name."""

    text: str
    members: Sequence[NamedMember]


Part = str | WebAddress | Mention


def parts_of(text: str, members: Sequence[NamedMember] = ()) -> Iterator[Part]:
    """Yield the parts of a text, which may mention these members; together they are the text."""
    directory = _Directory(members)
    end = 0
    for match in _ADDRESS.finditer(text):
        address = _without_punctuation(match[0])
        yield from directory.split(text[end : match.start()], _before(text, end))
        yield WebAddress(address)
        end = match.start() + len(address)
    yield from directory.split(text[end:], _before(text, end))


def _before(text: str, place: int) -> str:
    """Return the character before a place, empty at the beginning."""
    return text[max(place - 1, 0) : place]


def _without_punctuation(address: str) -> str:
    """Return an address without what follows it, such as the bracket around it."""
    while address[-1] in _AFTER_AN_ADDRESS or _closes_nothing(address):
        address = address[:-1]
    return address


def _closes_nothing(address: str) -> bool:
    """Whether an address ends with a bracket that it does not open."""
    opening = {")": "(", "]": "["}.get(address[-1])
    return opening is not None and address.count(address[-1]) > address.count(opening)


class _Index:
    """Members by a folded text, and the lengths of these texts, the longest first."""

    def __init__(self, members: Iterable[tuple[str, NamedMember]]) -> None:
        self.members: dict[str, list[NamedMember]] = {}
        for written, member in members:
            key = _Folded(written).text.strip()
            if key:
                self.members.setdefault(key, []).append(member)
        self.lengths = sorted(set(map(len, self.members)), reverse=True)


class _Directory:
    """Finds mentions of members."""

    def __init__(self, members: Sequence[NamedMember]) -> None:
        self._by_email = _Index((member.email, member) for member in members)
        self._by_name = _Index((member.name, member) for member in members)

    def split(self, text: str, before: str) -> Iterator[str | Mention]:
        """Yield the words and mentions of a text without web addresses, after a character."""
        end = 0
        if self._by_email.members:
            folded = _Folded(text)
            for place in folded.find_all(AT):
                start = folded.origins[place]
                mention = None
                if start >= end and not _is_in_an_email(_before(text, start) or before):
                    mention = self._mention_at(text, folded, place)
                if mention:
                    if text[end:start]:
                        yield text[end:start]
                    yield mention
                    end = start + len(mention.text)
        if text[end:]:
            yield text[end:]

    def _mention_at(self, text: str, folded: "_Folded", place: int) -> Mention | None:
        start, first = folded.origins[place], place + 1
        for index in (self._by_email, self._by_name):
            for length in index.lengths:
                word = folded.text[first : first + length]
                members = index.members.get(word, ())
                end = folded.end_of_word(first + len(word)) if members else None
                if end is None or len(word) < length:
                    continue
                written = text[start:end]
                if index is self._by_email:
                    members = [m for m in members if _is_email(written[1:], m.email)]
                if members:
                    return Mention(written, members)
        return None


def _is_email(written: str, email: str) -> bool:
    """Whether a text is an email, accents considered."""
    return _without_invisible(written).lower() == _without_invisible(email).lower()


def _without_invisible(text: str) -> str:
    return "".join(c for c in text if not _is_invisible(c))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def _is_accent(character: str) -> bool:
    first, last = _ACCENTS
    return first <= character <= last


def _is_in_an_email(character: str) -> bool:
    return bool(character) and (character in _BEFORE_A_DOMAIN or _is_of_a_word(character))


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


class _Folded:
    """A text in the form in which it is compared, and where each of its characters came from."""

    def __init__(self, written: str) -> None:
        self._written = written
        folded: list[str] = []
        self.origins: list[int] = []
        for place, character in enumerate(written):
            for part in _fold(character):
                folded.append(part)
                self.origins.append(place)
        self.text = "".join(folded)

    def find_all(self, character: str) -> Iterator[int]:
        """Yield each place of a character."""
        place = self.text.find(character)
        while place >= 0:
            yield place
            place = self.text.find(character, place + 1)

    def end_of_word(self, place: int) -> int | None:
        """Return where the written text before a place ends; None if a word continues there."""
        origin = self.origins[place - 1]
        if place < len(self.text) and self.origins[place] == origin:
            return None
        end = origin + 1
        while end < len(self._written) and _is_accent(self._written[end]):
            end += 1
        return None if self._continues(place) else end

    def _continues(self, place: int) -> bool:
        following = self.text[place : place + 2]
        if following[:1] in _INSIDE_A_NAME:
            following = following[1:]
        return bool(following) and _is_of_a_word(following[0])


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """Return a character without case, accents and what cannot be seen."""
    if _is_invisible(character):
        return ""
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return "".join(part for part in decomposed if not _is_accent(part))
