"""Compressed bodies are inflated up to a limit, and refused if they are damaged."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.batch import LARGEST_BATCH
from ingress.body import inflate
from ingress.event.valid_event import LARGEST_EVENT
from ingress.strict_json import UnreadableBody
from tests.support.ingress.application import (
    EXAMPLE,
    SMALL,
    Serve,
    check,
    error_of,
    rate_limit_of,
    tenant,
)


def raw_deflate(body: bytes) -> bytes:
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflating.compress(body) + deflating.flush()


COMPRESSIONS = pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)],
    ids=["gzip", "zlib", "raw"],
)
Compress = Callable[[bytes], bytes]


@COMPRESSIONS
def test_a_compressed_event_is_accepted(serve: Serve, encoding: str, compress: Compress) -> None:
    ingress, acme = serve(), tenant()
    for name in (encoding, encoding.upper()):
        body = compress(json.dumps(EXAMPLE).encode())
        response = ingress.track(body, acme.key, headers={"Content-Encoding": name})
        assert response.status_code == 200
        assert ingress.queued_events()[-1]["company"] == EXAMPLE["company"]


@COMPRESSIONS
def test_a_compressed_batch_is_accepted(serve: Serve, encoding: str, compress: Compress) -> None:
    ingress, acme = serve(), tenant()
    body = compress(json.dumps({"events": [EXAMPLE] * 100}).encode().ljust(LARGEST_BATCH))
    response = ingress.batch(body, acme.key, headers={"Content-Encoding": encoding})
    assert response.get_json()["accepted"] == 100


@COMPRESSIONS
def test_the_limit_of_an_event_applies_to_its_inflated_size(
    serve: Serve, encoding: str, compress: Compress
) -> None:
    ingress, acme = serve(), tenant()
    for size, status in ((LARGEST_EVENT, 200), (LARGEST_EVENT + 1, 413)):
        body = compress(json.dumps(SMALL).encode().ljust(size))
        response = ingress.track(body, acme.key, headers={"Content-Encoding": encoding})
        assert response.status_code == status


@COMPRESSIONS
def test_a_decompression_bomb_gets_413_and_is_not_inflated(
    serve: Serve, encoding: str, compress: Compress
) -> None:
    ingress, acme = serve(), tenant()
    bomb = compress(b" " * 20_000_000)
    assert len(bomb) < LARGEST_EVENT
    tracemalloc.start()
    response = ingress.track(bomb, acme.key, headers={"Content-Encoding": encoding})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    details = [{"message": "An event is at most 32 KB"}]
    check(response, 413, {"error": "Request body too large", "details": details})


@COMPRESSIONS
def test_damaged_data_gets_400(serve: Serve, encoding: str, compress: Compress) -> None:
    ingress, acme = serve(), tenant()
    whole = compress(json.dumps(SMALL).encode())
    no_data = f"the body is no {encoding} data, or damaged"
    for body, message in (
        (b"", f"the {encoding} data breaks off"),
        (whole[:-1], f"the {encoding} data breaks off"),
        (whole[: len(whole) // 2], f"the {encoding} data breaks off"),
        (whole + b"x", f"more follows the {encoding} data"),
        (json.dumps(SMALL).encode(), no_data),
    ):
        response = ingress.track(body, acme.key, headers={"Content-Encoding": encoding})
        details = [{"path": [], "message": message}]
        check(response, 400, {"error": "Invalid JSON", "details": details})
    assert ingress.queued_events() == []


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "X-GZip"])
def test_gzip_may_have_several_members(serve: Serve, encoding: str) -> None:
    ingress, acme = serve(), tenant()
    body = json.dumps(SMALL).encode()
    members = gzip.compress(body[:9]) + gzip.compress(b"") + gzip.compress(body[9:])
    headers = {"Content-Encoding": encoding}
    assert ingress.track(members, acme.key, headers=headers).status_code == 200
    large = gzip.compress(b" " * LARGEST_EVENT) + gzip.compress(body)
    assert ingress.track(large, acme.key, headers=headers).status_code == 413
    more = ingress.track(members + zlib.compress(body), acme.key, headers=headers)
    assert "more follows" in more.text


def test_a_wrong_checksum_gets_400(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    whole = bytearray(gzip.compress(json.dumps(SMALL).encode()))
    whole[-6] ^= 1
    response = ingress.track(bytes(whole), acme.key, headers={"Content-Encoding": "gzip"})
    assert error_of(response) == (400, "Invalid JSON")


def test_damaged_data_is_reported_at_the_same_step_as_invalid_json(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="1/hour")
    headers = {"Content-Encoding": "gzip"}
    assert ingress.track(b"x", "wrong", headers=headers).status_code == 401
    assert ingress.track(b"x", acme.key, headers=headers).status_code == 400
    assert ingress.track(b"x", acme.key, headers=headers).status_code == 429


@pytest.mark.parametrize("encoding", ["br", "zstd", "identity, gzip", "gzip, gzip", "x", ""])
def test_any_other_encoding_gets_415(serve: Serve, encoding: str) -> None:
    ingress, acme = serve(), tenant()
    message = "Send the body with Content-Encoding gzip or deflate, or without any"
    response = ingress.track(SMALL, acme.key, headers={"Content-Encoding": encoding})
    check(response, 415, {"error": "Unsupported media type", "details": [{"message": message}]})
    assert rate_limit_of(response)[1] == 9_999
    assert ingress.queued_events() == []


@COMPRESSIONS
def test_any_bytes_are_restored_up_to_the_cap(encoding: str, compress: Compress) -> None:
    @given(st.binary(max_size=200), st.integers(1, 200))
    def inflate_again(body: bytes, most: int) -> None:
        assert inflate(compress(body), encoding, most) == body[:most]

    inflate_again()


@COMPRESSIONS
def test_damaged_bytes_are_refused_or_inflated_up_to_the_cap(
    encoding: str, compress: Compress
) -> None:
    @given(st.binary(max_size=100), st.integers(0), st.binary(max_size=3))
    def inflate_damaged(body: bytes, at: int, instead: bytes) -> None:
        whole = compress(body)
        at %= len(whole)
        try:
            inflated = inflate(whole[:at] + instead + whole[at + 1 :], encoding, 50)
        except UnreadableBody:
            return
        assert len(inflated) <= 50

    inflate_damaged()
