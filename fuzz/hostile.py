"""Hostile values: bytes, texts and JSON that unprepared code mishandles."""

import random
from typing import Any

ALPHABET = (
    "abcXYZ019 \t\n\r\0\x07\x1b\x7f\"'\\/<>&%{}[]()$#;:,.=+-_*?!|~`^@"
    "é߀\u00a0\u0301\u200b\u200d\u202e\u2028\ufeff\ufffd\U0001f600\U0010ffff"
)
TEXTS = (
    "", " ", "\0", "null", "None", "true", "NaN", "-0", "1e999", "0x10", "٣", "1_000", "9" * 400,
    "../../etc/passwd", "..%2f..%2f", "%", "%00", "%zz", "%ff%fe", "{{7*7}}", "${jndi:ldap://x}",
    "<script>alert(1)</script>", "' or 1=1 --", "\\", "=cmd|' /C calc'!A0", "\r\nX-Injected: 1",
    "\ud800", "\u202eabc", "a\u0301" * 100, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "ß" * 201,
    "2024-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "24:00",
    "2016-12-31T23:59:60Z", "-1", "2147483648", "9223372036854775808", "1.7976931348623157e309",
    "00000000-0000-0000-0000-000000000000", "(a+)+$", "*", "__proto__", "constructor",
)  # fmt: skip
"""Some are lone surrogates, which UTF-8 has no bytes for: see `encode`."""

NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, 0.1)
DEEP = 60
LONG = (200, 201, 5_000, 70_000)


def text(chance: random.Random) -> str:
    """Return a text; most are short."""
    match chance.randrange(10):
        case 0 | 1 | 2 | 3:
            return chance.choice(TEXTS)
        case 4:
            return chance.choice(ALPHABET) * chance.choice(LONG)
        case _:
            return "".join(chance.choices(ALPHABET, k=chance.randrange(40)))


def value(chance: random.Random, depth: int = 0) -> Any:
    """Return any value of JSON, sometimes deep or with many members."""
    match chance.randrange(12 if depth < 3 else 6):
        case 0 | 1 | 2:
            return text(chance)
        case 3:
            return chance.choice(NUMBERS)
        case 4:
            return chance.choice((None, True, False))
        case 5:
            return []
        case 6:
            return _deep(chance)
        case 7 | 8:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            return {text(chance): value(chance, depth + 1) for _ in range(chance.randrange(5))}


def mutated(chance: random.Random, given: Any) -> Any:
    """Return a value of JSON with something in it replaced, added, removed or renamed."""
    if isinstance(given, dict) and given and chance.random() < 0.8:
        changed = dict(given)
        name = chance.choice(list(changed))
        match chance.randrange(8):
            case 0:
                del changed[name]
            case 1:
                changed[text(chance)] = value(chance)
            case 2:
                changed[text(chance)] = changed.pop(name)
            case _:
                changed[name] = mutated(chance, changed[name])
        return changed
    if isinstance(given, list) and given and chance.random() < 0.8:
        place = chance.randrange(len(given))
        return [*given[:place], mutated(chance, given[place]), *given[place + 1 :]]
    return value(chance)


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Return the data with a few bytes replaced, inserted, removed or repeated at random."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                changed[place:place] = chance.randbytes(chance.randrange(1, 9))
            case 2:
                del changed[place : place + chance.randrange(1, 20)]
            case _:
                changed[place:place] = changed[place : place + chance.randrange(1, 60)]
    return bytes(changed)


def encode(given: str) -> bytes:
    """Return a text as UTF-8; lone surrogates as the invalid bytes that some clients send."""
    return given.encode("utf-8", "surrogatepass")


def _deep(chance: random.Random) -> Any:
    inner: Any = text(chance)
    is_list = chance.random() < 0.5
    for _ in range(chance.randrange(1, DEEP)):
        inner = [inner] if is_list else {"a": inner}
    return inner
