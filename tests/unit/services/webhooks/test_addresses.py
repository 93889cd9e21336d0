import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhooks.addresses import AddressPolicy, AddressRefused, is_public

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",  # this network
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",  # carrier-grade NAT
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",  # link-local: where clouds keep credentials
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",  # NAT64 discovery
    "192.0.2.1",  # documentation
    "192.88.99.1",  # 6to4 relay anycast
    "192.168.0.1",
    "198.18.0.1",  # benchmarks
    "198.51.100.1",  # documentation
    "203.0.113.1",  # documentation
    "224.0.0.1",  # multicast
    "239.255.255.255",
    "240.0.0.1",  # reserved
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # IPv4-compatible
    "::ffff:10.0.0.1",  # IPv4-mapped
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b:1::7f00:1",
    "100::1",  # discard
    "2001::1",  # Teredo
    "2001:2::1",  # benchmarks
    "2001:10::1",  # ORCHID
    "2001:20::1",  # ORCHIDv2
    "2001:db8::1",  # documentation
    "2002:7f00:1::",  # 6to4
    "2002:808:808::1",
    "3fff::1",  # documentation
    "5f00::1",  # segment routing
    "fc00::1",  # unique local
    "fd12:3456:789a::1",
    "fe80::1",  # link-local
    "fe80::1%eth0",
    "fec0::1",  # site-local
    "ff02::1",  # multicast
    "ff0e::1",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.88.98.1",
    "192.167.255.255",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
]

LOOPBACK_IN_DISGUISE = [
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "localhost",
    "::ffff:127.0.0.1",
    "0",
]

LOOPBACK_NET = ipaddress.ip_network("127.0.0.0/8")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_recognized(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_host_that_resolves_to_an_address_that_is_not_public_is_refused(address: str) -> None:
    host = address.removesuffix("%eth0")
    with pytest.raises(AddressRefused, match="is not public"):
        AddressPolicy().resolve(host, 443, secure=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address: str) -> None:
    expected = ipaddress.ip_address(address)
    assert is_public(expected)
    assert AddressPolicy().resolve(address, 443, secure=True) == [expected]


@given(st.ip_addresses(network="::ffff:0:0/96") | st.ip_addresses(network="2002::/16"))
def test_no_ipv6_address_that_embeds_an_ipv4_address_is_public(
    address: ipaddress.IPv6Address,
) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_no_address_that_python_considers_private_is_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global:
        assert not is_public(address)


@pytest.mark.parametrize("host", LOOPBACK_IN_DISGUISE)
def test_another_spelling_of_a_loopback_address_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="is not public"):
        AddressPolicy().resolve(host, 443, secure=True)


IPV4_NOT_PUBLIC = [ipaddress.IPv4Address(address) for address in NOT_PUBLIC if ":" not in address]


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    """Decimal, hexadecimal, octal, in parts, and inside IPv6 addresses of several kinds."""
    number, (first, *others) = int(address), address.packed
    inside = f"{number >> 16:x}:{number & 0xFFFF:x}"
    return [
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(byte) for byte in address.packed),
        ".".join(f"0{byte:o}" for byte in address.packed),
        f"{first}.{int.from_bytes(others, 'big')}",
        f"::{inside}",  # IPv4-compatible
        f"::ffff:{address}",  # IPv4-mapped
        f"::FFFF:{inside}",
        f"::ffff:0:{inside}",  # IPv4-translated
        f"2002:{inside}::",  # 6to4
        f"2002:{inside}::1",
        f"64:ff9b::{inside}",  # NAT64
        f"64:ff9b:1::{inside}",  # NAT64 of a local kind
    ]


@pytest.mark.parametrize("address", IPV4_NOT_PUBLIC, ids=str)
def test_no_spelling_of_a_private_ipv4_address_is_accepted(
    address: ipaddress.IPv4Address,
) -> None:
    for host in spellings(address):
        with pytest.raises(AddressRefused, match="is not public"):
            AddressPolicy().resolve(host, 443, secure=True)


@pytest.mark.parametrize("address", [a for a in NOT_PUBLIC if ":" in a and "%" not in a])
def test_no_spelling_of_a_private_ipv6_address_is_accepted(address: str) -> None:
    written = ipaddress.IPv6Address(address)
    for host in (written.exploded, written.compressed.upper()):
        with pytest.raises(AddressRefused, match="is not public"):
            AddressPolicy().resolve(host, 443, secure=True)


@pytest.mark.parametrize("address", [a for a in NOT_PUBLIC if "%" not in a])
def test_a_trailing_dot_allows_no_address_even_if_the_resolver_accepts_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda host, port, **how: look_up(host.removesuffix("."), port, **how)
    )
    with pytest.raises(AddressRefused, match="is not public"):
        AddressPolicy().resolve(f"{address}.", 443, secure=True)


@pytest.mark.parametrize("host", ["127.0.0.1.", "localhost.", "0x7f000001."])
def test_a_trailing_dot_does_not_hide_a_loopback_address(host: str) -> None:
    with pytest.raises((AddressRefused, OSError)):  # some resolvers do not support them
        AddressPolicy().resolve(host, 443, secure=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "//example.com/hook",
        "https://",
        "https:///hook",
        "https://:443/hook",
        "ftp://example.com/hook",
        "file:///etc/passwd",
        "gopher://example.com",
        "unix:///run/app.sock",
        "javascript:alert(1)",
        "https://example.com:99999/hook",
        "https://example.com:0/hook",
        "https://example.com:port/hook",
        "https://[::1/hook",
        "https://user@example.com/hook",
        "https://user:secret@example.com/hook",
        "https://:secret@example.com/hook",
        "https://exa mple.com/hook",
        "https://example.com/a b",
        "https://example.com/\x7f",
        "https://bücher.example/hook",
        "https://example.com/ü",
        "https://example.com/" + "a" * 2_000,
    ],
)
def test_an_invalid_webhook_url_is_refused(url: str) -> None:
    for policy in (AddressPolicy(), AddressPolicy([LOOPBACK_NET])):
        with pytest.raises(AddressRefused):
            policy.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hook?token=a%20b#part",
        "https://example.com:8443/hook",
        "HTTPS://EXAMPLE.COM/hook",
        "https://93.184.216.34/hook",
        "https://[2606:4700:4700::1111]/hook",
        "https://xn--bcher-kva.example/hook",
        "https://example.com/" + "a" * (2_000 - len("https://example.com/")),
    ],
)
def test_an_https_url_passes(url: str) -> None:
    AddressPolicy().check_url(url)


def test_plain_http_is_refused_unless_a_network_is_allowed() -> None:
    with pytest.raises(AddressRefused, match="must start with https://"):
        AddressPolicy().check_url("http://example.com/hook")


def test_an_allowed_network_may_be_reached_by_http_and_https() -> None:
    policy = AddressPolicy([LOOPBACK_NET])
    policy.check_url("http://127.0.0.1:8080/hook")
    for secure in (False, True):
        assert policy.resolve("127.0.0.1", 8080, secure=secure) == [
            ipaddress.ip_address("127.0.0.1")
        ]


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.0.1", "169.254.169.254", "::1"])
def test_an_allowed_network_allows_no_other_private_network(host: str) -> None:
    policy = AddressPolicy([LOOPBACK_NET])
    for secure in (False, True):
        with pytest.raises(AddressRefused, match="is not public"):
            policy.resolve(host, 80, secure=secure)


def test_an_allowed_network_does_not_allow_plain_http_to_public_addresses() -> None:
    policy = AddressPolicy([LOOPBACK_NET])
    with pytest.raises(AddressRefused, match="must be reached by https"):
        policy.resolve("8.8.8.8", 80, secure=False)
    assert policy.resolve("8.8.8.8", 443, secure=True) == [ipaddress.ip_address("8.8.8.8")]


def test_the_bounds_of_an_allowed_network_are_exact() -> None:
    policy = AddressPolicy([ipaddress.ip_network("10.1.0.0/16")])
    for inside in ("10.1.0.0", "10.1.255.255"):
        assert policy.resolve(inside, 80, secure=False)
    for outside in ("10.0.255.255", "10.2.0.0"):
        with pytest.raises(AddressRefused):
            policy.resolve(outside, 80, secure=False)
