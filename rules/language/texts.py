"""Names and values as phrases write them."""

from lark import Token


def unquote(token: Token) -> str:
    """Return a name or value without its quotes, and without superfluous white space."""
    return token[1:-1].replace('""', '"') if token.startswith('"') else " ".join(token.split())
