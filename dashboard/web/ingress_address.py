"""The address that applications send events to, as the dashboard shows it."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import request

from dashboard.web.context import app_context

EXAMPLE = "https://events.example.com"
"""Shown while the address is not set."""


@dataclass(frozen=True)
class IngressAddress:
    """An address without a slash at the end.

    `known` is false if it is only an example. `local` is whether only programs on the machine of
    Brazebee reach it.
    """

    url: str
    known: bool = True
    local: bool = False


def ingress_address() -> IngressAddress:
    """Return the address of `web` for programs on the machine of the visitor.

    `brazebee up` sets one that works on its own machine. Somebody who opened the dashboard by
    another name over plain http reaches `web` by that name, too.
    """
    url = app_context().settings.ingress_url
    if url is None:
        return IngressAddress(EXAMPLE, known=False)
    parts = urlsplit(url)
    if not _is_loopback(parts.hostname) or _is_loopback(urlsplit(request.host_url).hostname):
        return IngressAddress(url.rstrip("/"))
    if request.scheme == "http" and parts.port is not None:
        host = urlsplit(request.host_url).hostname or ""
        return IngressAddress(f"http://{f'[{host}]' if ':' in host else host}:{parts.port}")
    return IngressAddress(url.rstrip("/"), local=True)


def _is_loopback(host: str | None) -> bool:
    if host in (None, "localhost"):
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
