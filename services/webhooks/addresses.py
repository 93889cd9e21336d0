"""Which addresses a webhook may go to: public ones, and nets that operations allows by name.

`requests-hardened` checks only the first address that a name has, and knows no allowed nets;
`ipaddress.is_global` alone passes multicast, 6to4, NAT64 and site-local addresses.
"""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL = 2_000
"""Characters."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""RFC 4291: all IPv6 addresses in public use lie here. NAT64, IPv4-mapped and -compatible,
unique local, link-local, site-local, multicast and segment routing addresses do not."""

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


class AddressRefused(Exception):
    """Raised when a URL or what its host resolves to is not a place for webhooks."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet."""
    if any(address in net for net in _NOT_PUBLIC if net.version == address.version):
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@dataclass(frozen=True)
class AddressPolicy:
    """Public addresses by https, and `allowed_nets` by https or plain http."""

    allowed_nets: Sequence[Network] = ()

    def check_url(self, url: str) -> None:
        """Refuse what can be told from the URL alone.

        Raises:
            AddressRefused: with a sentence on what is wrong.
        """
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname, parts.port
            (host or "").encode("idna")  # as the look-up will do
        except ValueError:
            raise AddressRefused(f"`{url}` is not a URL") from None
        if parts.scheme not in ("https", "http") or not host:
            raise AddressRefused(
                f"`{url}` is not a webhook URL; expected for example https://example.com/webhooks"
            )
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise AddressRefused(
                f"a webhook URL is at most {LONGEST_URL} printable ASCII characters without spaces"
            )
        if parts.username is not None or parts.password is not None:
            raise AddressRefused("a webhook URL must not hold a user name or password")
        if parts.scheme == "http" and not self.allowed_nets:
            raise AddressRefused("a webhook URL must start with https://")

    def resolve(self, host: str, port: int, *, secure: bool) -> list[Address]:
        """Look a host up, and refuse it if any of its addresses is not allowed.

        The connection must go to one of the addresses returned, not to the name again: a name
        may answer otherwise the next time.

        Raises:
            AddressRefused: an address is neither public nor allowed, or plain http was asked
                for outside the allowed nets.
            OSError: the name does not resolve.
        """
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(answer[4][0]) for answer in answers]
        for address in addresses:
            named = any(address in net for net in self.allowed_nets)
            if not named and not is_public(address):
                raise AddressRefused(
                    f"{host} resolves to {address}, which is not public;"
                    " BRAZEBEE_WEBHOOK_ALLOW_NETS can allow its net"
                )
            if not named and not secure:
                raise AddressRefused(
                    f"{host} must be reached by https; plain http is only for nets in"
                    " BRAZEBEE_WEBHOOK_ALLOW_NETS"
                )
        return list(dict.fromkeys(addresses))
