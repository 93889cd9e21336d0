import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress import strict_json
from ingress.strict_json import DEEPEST, UnreadableBody, storage_faults
from tests.support.json_values import json_values

TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b'"a"', b'"\\u0061"', b'"\\ud800"', b"\\", b"0", b"-",
    b"1e999", b"NaN", b"Infinity", b"null", b"true", b" ", b"\n", b"\x00", b"\xff", b"\xc3\xa9",
    b"\xed\xa0\x80", b"\xef\xbb\xbf",
]  # fmt: skip


def read_json(body: bytes) -> Any:
    return strict_json.read_json(body).value


def is_storable(body: bytes) -> bool:
    return strict_json.read_json(body).is_storable()


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
any_json = json_values(text, max_size=4, max_leaves=20)


def nested(levels: int, innermost: Any = 1) -> Any:
    """Return alternating objects and lists, an object outermost, with this number of levels."""
    value = innermost
    for level in range(levels, 0, -1):
        value = {"a": value} if level % 2 else [value]
    return value


def test_json_is_read_with_its_types() -> None:
    body = '{"s":"é😀","i":1,"f":1.0,"t":true,"n":null,"l":[{}],"o":{"":""}}'.encode()
    value = read_json(body)
    assert value == {
        "s": "é😀",
        "i": 1,
        "f": 1.0,
        "t": True,
        "n": None,
        "l": [{}],
        "o": {"": ""},
    }
    assert type(value["i"]) is int
    assert type(value["f"]) is float


def test_a_pair_of_escaped_surrogates_is_one_character() -> None:
    assert read_json(b'"\\ud83d\\ude00"') == "😀"


def test_the_largest_integers_of_64_bits_are_read_exactly() -> None:
    assert read_json(b"[18446744073709551615,-9223372036854775808]") == [2**64 - 1, -(2**63)]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"nan", b"+1", b"01", b"1."])
def test_numbers_that_json_does_not_have_are_refused_at_any_depth(number: bytes) -> None:
    for body in (number, b'{"a":' + number + b"}", b"[[[" + number + b"]]]"):
        with pytest.raises(UnreadableBody):
            read_json(body)


@pytest.mark.parametrize("body", [b"1e400", b"-1e400", b'{"a":1e999}', b"9" * 400, b"9" * 30_000])
def test_a_number_too_large_for_a_double_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read_json(body)


def test_a_number_with_many_decimals_is_a_number() -> None:
    assert read_json(b"0." + b"3" * 30_000) == pytest.approx(1 / 3)
    assert read_json(b"1e-400") == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"\\u0061":2}',
        b'{"":1,"":2}',
        '{"é":1,"\\u00e9":2}'.encode(),
        b'[{"a":1,"a":2}]',
        b'{"company":{"id":"1","id":"2"}}',
        b'{"data":{"x":[[{"y":{"a":1,"a":2}}]]}}',
        b'{"a":{"b":1,"b":2},"a":3}',
        b"[" * 9 + b'{"a":1,"a":2}' + b"]" * 9,
        b'{"a":' * 9 + b'{"a":1,"a":2}' + b"}" * 9,
    ],
)
def test_an_object_that_repeats_a_key_is_refused_at_any_depth(body: bytes) -> None:
    with pytest.raises(UnreadableBody, match="stands twice in one object"):
        read_json(body)


def test_a_repeated_key_is_named() -> None:
    with pytest.raises(UnreadableBody, match=r'the key "company" stands twice'):
        read_json(b'{"company":{},"company":{}}')


def test_the_same_key_in_different_objects_is_accepted() -> None:
    assert read_json(b'{"a":{"a":1},"b":[{"a":2},{"a":3}]}') == {
        "a": {"a": 1},
        "b": [{"a": 2}, {"a": 3}],
    }


@pytest.mark.parametrize(
    "body",
    [
        b'"\\ud800"',
        b'"\\udc00"',
        b'"\\ud800\\ud800"',
        b'"\\udc00\\ud800"',
        b'"a\\ud83d"',
        b'{"\\ud800":1}',
        b'{"a":[{"b":"\\udfff"}]}',
    ],
)
def test_lone_surrogates_are_refused_in_values_and_keys(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b'"\xff"',
        b'{"a":"\xc3"}',
        b'{"\xc3":1}',
        b'"\xc0\x80"',  # an overlong NUL
        b'"\xed\xa0\x80"',  # a surrogate
        b'"\xf4\x90\x80\x80"',  # beyond the last code point
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32"),
        b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}',
        '"é"'.encode("latin-1"),
    ],
)
def test_anything_but_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read_json(body)


def test_a_byte_order_mark_is_ignored() -> None:
    assert read_json(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 2**63, 10**18])
def test_an_integer_of_64_bits_is_kept_exactly(number: int) -> None:
    value = read_json(b'{"a":[%d]}' % number)
    assert value == {"a": [number]}
    assert list(storage_faults(value)) == []
    assert orjson.loads(orjson.dumps(value)) == value


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30])
def test_a_larger_integer_is_refused_instead_of_rounded(number: int) -> None:
    body = b'{"a":[%d]}' % number
    assert not is_storable(body)
    [fault] = storage_faults(read_json(body))
    assert fault["path"] == ["a", 0]
    assert "64 bits" in fault["message"]


def test_many_digits_of_strings_and_fractions_are_no_fault() -> None:
    value = read_json(b'{"a": "123456789012345678901234", "b": 0.1234567890123456789012}')
    assert list(storage_faults(value)) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[", b'"', b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b"[1,]",
        b"{}{}", b"{} {}", b"{}]", b"tru", b"nul", b"True", b"None", b"undefined", b"'a'", b"{a:1}",
        b'"\\x"', b'"\\u12"', b'"\n"', b'"\x00"', b"\x00", b"{}\x00", b"/* */{}", b"{}//", b"-",
        b"event_key=a&company=b", b"<event/>",
    ],
)  # fmt: skip
def test_truncated_invalid_or_trailing_json_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read_json(body)


def test_every_proper_prefix_of_an_object_is_refused() -> None:
    body = '{"event_key":"é","company":{"id":"c","n":[1.5e3,true,null,"\\u00e9"]}}'.encode()
    assert read_json(body)
    for length in range(len(body)):
        with pytest.raises(UnreadableBody):
            read_json(body[:length])


@pytest.mark.parametrize("levels", [1_000, 1_024, 1_025, 5_000, 16_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")]
)
def test_a_nesting_bomb_is_refused_cleanly(opening: bytes, closing: bytes, levels: int) -> None:
    for body in (opening * levels, opening * levels + b"1" + closing * levels):
        try:
            value = read_json(body)
        except UnreadableBody:
            continue
        assert list(storage_faults(value))


@given(any_json, st.booleans(), st.sampled_from([None, 2]))
def test_every_json_value_is_read_as_it_was_written(
    value: Any,
    ascii_only: bool,  # noqa: FBT001 -- hypothesis passes by name
    indent: int | None,
) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only, indent=indent, allow_nan=False)
    assert read_json(written.encode()) == value


@given(st.binary() | st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join))
def test_any_bytes_are_refused_or_read_as_a_value_that_can_be_written(body: bytes) -> None:
    try:
        value = read_json(body)
    except UnreadableBody:
        return
    assert orjson.loads(orjson.dumps(value)) == value


@given(any_json.map(lambda value: orjson.dumps({"a": value})), st.data())
def test_a_damaged_body_is_read_or_refused(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body) - 1))
    damaged = body[:at] + data.draw(st.binary(max_size=3)) + body[at + 1 :]
    try:
        value = read_json(damaged)
    except UnreadableBody:
        return
    assert not any(isinstance(leaf, float) and not math.isfinite(leaf) for leaf in leaves(value))


def test_nul_in_a_value_is_a_fault_with_its_path() -> None:
    value = {"a": "x\x00", "b": ["", {"c": "\x00"}], "d": "fine"}
    assert list(storage_faults(value)) == [
        {"path": ["a"], "message": "NUL characters are not allowed"},
        {"path": ["b", 1, "c"], "message": "NUL characters are not allowed"},
    ]


def test_nul_in_a_key_is_a_fault_of_the_object_that_has_it() -> None:
    assert list(storage_faults({"a": {"\x00": 1, "b\x00": 2}})) == [
        {"path": ["a"], "message": "NUL characters are not allowed in keys"},
        {"path": ["a"], "message": "NUL characters are not allowed in keys"},
    ]


def test_the_deepest_allowed_nesting_has_no_fault() -> None:
    assert list(storage_faults(nested(DEEPEST))) == []


@pytest.mark.parametrize("innermost", [{}, [], {"x": "\x00"}])
def test_one_level_more_is_one_fault(innermost: Any) -> None:
    faults = list(storage_faults(nested(DEEPEST, innermost)))
    assert [fault["message"] for fault in faults] == ["Nested more than 10 levels deep"]
    assert len(faults[0]["path"]) == DEEPEST


@given(any_json)
def test_a_value_without_faults_has_no_nul_and_is_not_too_deep(value: Any) -> None:
    if not list(storage_faults(value)):
        assert "\x00" not in "".join(leaf for leaf in leaves(value) if isinstance(leaf, str))
        assert depth(value) <= DEEPEST


def leaves(value: Any) -> list[Any]:
    """Return every part of a value that contains no other, including keys."""
    if isinstance(value, dict):
        return [*value, *(leaf for inner in value.values() for leaf in leaves(inner))]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


def depth(value: Any) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)
    return 0


keys = st.sampled_from(['"a"', '"\\u0061"', '"b"', '""', '"\\":"', '"a\\\\"', '": "', '"\\u0000"'])
gaps = st.text(" \t\n\r", max_size=2)


@st.composite
def object_texts(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """Draw objects as text, with blanks anywhere and keys that may be repeated."""
    members = draw(st.lists(st.tuples(keys, gaps, gaps, inner), max_size=4))
    return "{" + ",".join(f"{key}{gap}:{after}{value}" for key, gap, after, value in members) + "}"


written = st.recursive(
    keys | st.sampled_from(["1", "null", "{}", "[]"]),
    lambda inner: (
        object_texts(inner) | st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
    ),
    max_leaves=20,
)


def repeats_a_key(body: bytes) -> bool:
    """Return whether a body has a repeated key, by the standard library."""
    repeats = []

    def record(pairs: list[tuple[str, Any]]) -> None:
        repeats.append(len({key for key, _ in pairs}) < len(pairs))

    json.loads(body, object_pairs_hook=record)
    return any(repeats)


@given(written.map(str.encode))
def test_a_body_is_refused_for_a_repeated_key_if_and_only_if_it_has_one(body: bytes) -> None:
    try:
        read_json(body)
        refused = False
    except UnreadableBody:
        refused = True
    assert refused == repeats_a_key(body)


@given(
    st.builds(nested, st.integers(DEEPEST - 3, DEEPEST + 3), any_json).map(orjson.dumps)
    | any_json.map(lambda value: json.dumps(value).encode()),
    st.integers(0, 3),
)
def test_a_body_is_storable_if_nothing_below_its_outer_levels_has_storage_faults(
    body: bytes, levels_around: int
) -> None:
    read = strict_json.read_json(body)
    inner = [read.value]
    for _ in range(levels_around):
        inner = [
            below
            for value in inner
            if isinstance(value, dict | list)
            for below in (value.values() if isinstance(value, dict) else value)
        ]
    if read.is_storable(levels_around):
        assert not any(fault for value in inner for fault in storage_faults(value))


@pytest.mark.parametrize("value", ["\x00", {"\x00": 1}, ["a\x00"], nested(DEEPEST + 1)])
def test_nul_and_deep_nesting_are_not_storable(value: Any) -> None:
    assert not is_storable(json.dumps(value).encode())
    assert not is_storable(orjson.dumps(value))


@pytest.mark.parametrize("value", [nested(DEEPEST), {"a": [{}] * 40}, "text", 1])
def test_a_value_within_the_depth_limit_is_storable_whatever_its_size(value: Any) -> None:
    assert is_storable(orjson.dumps(value))
