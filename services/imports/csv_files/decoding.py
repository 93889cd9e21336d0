"""Decodes the bytes of a CSV file: UTF-8, UTF-16, and otherwise Windows-1252."""

import codecs
from dataclasses import dataclass

from services.errors import ServiceError

_NOT_TEXT = {
    b"PK\x03\x04": "This is a workbook or an archive. Save the sheet as CSV, and load that file.",
    b"\xd0\xcf\x11\xe0": "This is an Excel workbook. Save the sheet as CSV, and load that file.",
    b"\x1f\x8b": "This file is compressed. Decompress it, and load the CSV file in it.",
    b"%PDF": "This is a PDF document. Export CSV instead.",
}
"""The first bytes of files that are often mistaken for CSV."""

_SAMPLE = 1_000
"""Bytes at the beginning in which NUL bytes give UTF-16 away."""


class UnreadableFile(ServiceError):
    """Raised when a file cannot be read as CSV: the message says where and how to mend it."""


@dataclass(frozen=True)
class DecodedText:
    """The text of a file, and the name of its encoding.

    `guessed` is whether nothing but a lack of alternatives speaks for the encoding.
    """

    text: str
    encoding: str
    guessed: bool = False


def decode(content: bytes) -> DecodedText:
    """Return the text of a file without its byte order mark.

    Excel writes UTF-8 with a mark as "CSV UTF-8", UTF-16 as "Unicode Text", and Windows-1252 as
    plain "CSV" on a Windows of Western Europe or America. UTF-8 never matches by chance.

    Raises:
        UnreadableFile: it is not text, or in none of these encodings.
    """
    for first_bytes, advice in _NOT_TEXT.items():
        if content.startswith(first_bytes):
            raise UnreadableFile(advice)
    encoding = _utf_16(content)
    try:
        if encoding:
            return DecodedText(content.decode(encoding).removeprefix("\ufeff"), "UTF-16")
        return DecodedText(content.decode("utf-8-sig"), "UTF-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise UnreadableFile(
                f"This looks like UTF-16, but byte {error.start:,} is not. Save it as UTF-8."
            ) from None
    if b"\0" in content:
        raise UnreadableFile("This is not text: it has NUL bytes. Export it as CSV in UTF-8.")
    try:
        return DecodedText(content.decode("cp1252"), "Windows-1252", guessed=True)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableFile(
            f"Line {line:,} is neither UTF-8 nor Windows-1252. Save the file as UTF-8."
        ) from None


def _utf_16(content: bytes) -> str | None:
    """Return the name of the kind of UTF-16 that a text is in, None for others."""
    if content.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if content.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = content[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd * 2 > len(sample[1::2]) and not even:
        return "utf-16-le"
    if even * 2 > len(sample[::2]) and not odd:
        return "utf-16-be"
    return None
