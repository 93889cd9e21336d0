"""Files are read in the encodings that spreadsheets write; others are refused with advice."""

import pytest

from services.imports.csv_files.decoding import UnreadableFile, decode

TEXT = "id,name\n1,Zoë Łukasz 北\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
    ],
)
def test_unicode_is_recognized_with_and_without_a_mark(content: bytes, encoding: str) -> None:
    decoded = decode(content)
    assert (decoded.text, decoded.encoding, decoded.guessed) == (TEXT, encoding, False)


def test_anything_else_is_taken_for_windows_1252() -> None:
    decoded = decode("id,name\n1,Zoë – €\n".encode("cp1252"))
    assert (decoded.text, decoded.guessed) == ("id,name\n1,Zoë – €\n", True)


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"PK\x03\x04\x14\x00", "Save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1", "Save the sheet as CSV"),
        (b"\x1f\x8b\x08", "Decompress it"),
        (b"id,name\n1,\xff\n2,\x81\n", "Line 3 is neither UTF-8 nor Windows-1252"),
        (b"\xff\xfei\x00d\x00\x00\xd8x", "This looks like UTF-16, but byte 6 is not"),
        (b"id,na\0me\xff", "it has NUL bytes"),
    ],
)
def test_what_is_no_text_is_refused_with_advice(content: bytes, advice: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        decode(content)
    assert advice in str(refused.value)
