"""What one client controls of the addresses that requests come from, for limits that count it."""

import functools
import ipaddress

IPV6_PREFIX = 64
"""Bits of an address that a provider assigns; a customer chooses the others (RFC 6177)."""


@functools.lru_cache(10_000)
def client_network(address: str) -> str:
    """Return an IPv4 address as it is, and of IPv6 the network; any other text as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed.packed, IPV6_PREFIX), strict=False))
