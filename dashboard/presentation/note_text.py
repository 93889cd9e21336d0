"""The text of a note as HTML: web addresses are links, and mentions show the names of members."""

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.presentation.wording import visible_or
from models.people.mentions import NamedMember
from services.notes.text import Mention, Part, WebAddress, parts_of

_LINK = Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>')
"""A link that does not send the address of this page."""

_MENTION = Markup('<span class="mention{own}" title="{email}">@<bdi>{name}</bdi></span>')


def note_text(
    text: str, mentioned: Sequence[NamedMember] = (), reader_id: int | None = None
) -> Markup:
    """Return a text as HTML, in which mentions of the reader are marked."""
    return Markup().join(_as_html(part, reader_id) for part in parts_of(text, mentioned))


def _as_html(part: Part, reader_id: int | None) -> Markup:
    if isinstance(part, WebAddress):
        return _LINK.format(part.text)
    if isinstance(part, Mention) and len(part.members) == 1:
        [member] = part.members
        return _MENTION.format(
            own=" own" if member.person_id == reader_id else "",
            email=member.email,
            name=visible_or(member.name, member.email),
        )
    return Markup.escape(part.text if isinstance(part, Mention) else part)
