"""Code in messages: what rules, imports and commands quote by backticks, as on the command line."""

from markupsafe import Markup, escape

_CODE = Markup("<code>{}</code>")


def with_code(text: str) -> Markup:
    """Return a text in which what is between backticks is code; a last backtick alone stays."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return Markup("").join(
        _CODE.format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )
