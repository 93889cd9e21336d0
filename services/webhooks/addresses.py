"""The addresses that webhooks may be sent to: public ones, and networks allowed by a setting.

`requests-hardened` checks only the first address of a name and has no allowed networks;
`ipaddress.is_global` alone accepts multicast, 6to4, NAT64 and site-local addresses.
"""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.errors import ServiceError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL = 2_000
"""Characters."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""RFC 4291: all IPv6 addresses in public use are in this network, unlike NAT64, IPv4-mapped and
-compatible, unique local, link-local, site-local, multicast and segment routing addresses."""

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(net)
    for net in (
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.88.99.0/24",  # 6to4 relay anycast, RFC 7526
        "2001::/23",  # IETF protocol assignments, Teredo and ORCHID among them, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4: an IPv4 address inside, RFC 3056
        "3fff::/20",  # documentation, RFC 9637
    )
)


class AddressRefused(ServiceError):
    """Raised when webhooks may not be sent to a URL or to an address of its host."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet."""
    if any(address in net for net in _NOT_PUBLIC if net.version == address.version):
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@dataclass(frozen=True)
class AddressPolicy:
    """Allows public addresses by https, and `allowed_nets` by https or plain http."""

    allowed_nets: Sequence[Network] = ()

    def check_url(self, url: str) -> None:
        """Check what the URL alone shows.

        Raises:
            AddressRefused: webhooks may not be sent to it; the message says why.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
            (host or "").encode("idna")  # as resolving it will do
        except ValueError:
            raise AddressRefused(f"`{url}` is not a URL") from None
        if parts.scheme not in ("https", "http") or not host or port == 0:
            raise AddressRefused(
                f"`{url}` is not a webhook URL; expected for example https://example.com/webhooks"
            )
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise AddressRefused(
                f"a webhook URL is at most {LONGEST_URL} printable ASCII characters without spaces"
            )
        if parts.username is not None or parts.password is not None:
            raise AddressRefused("a webhook URL must not contain a user name or password")
        if parts.scheme == "http" and not self.allowed_nets:
            raise AddressRefused("a webhook URL must start with https://")

    def resolve(self, host: str, port: int, *, secure: bool) -> list[Address]:
        """Resolve a host; refuse it if any of its addresses is not allowed.

        The connection must go to one of the returned addresses and not to the name, which may
        resolve differently the next time.

        Raises:
            AddressRefused: an address is neither public nor allowed, or plain http was requested
                outside the allowed networks.
            OSError: the name does not resolve.
        """
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(answer[4][0]) for answer in answers]
        for address in addresses:
            allowed = any(address in net for net in self.allowed_nets)
            if not allowed and not is_public(address):
                raise AddressRefused(
                    f"{host} resolves to {address}, which is not public;"
                    " BRAZEBEE_WEBHOOK_ALLOW_NETS can allow its net"
                )
            if not allowed and not secure:
                raise AddressRefused(
                    f"{host} must be reached by https; plain http is only for nets in"
                    " BRAZEBEE_WEBHOOK_ALLOW_NETS"
                )
        return list(dict.fromkeys(addresses))
