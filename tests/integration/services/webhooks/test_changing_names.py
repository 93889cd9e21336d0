"""Host names whose addresses change or are not allowed."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from config.settings import Settings
from services.webhooks.addresses import AddressPolicy
from tests.support.webhooks.raw_receivers import OK, answering, receiver
from tests.support.webhooks.receivers_under_test import Send, attempt, new_delivery, outcome_of


@dataclass
class Names:
    """A resolver that returns its `answers` in turn and repeats the last."""

    answers: list[Sequence[str]] = field(default_factory=list)
    lookups: int = 0

    def look_up(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        assert host == "rebinding.example"
        self.lookups += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (kinds[":" in address], socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *args, **options)
        return names.look_up(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


PUBLIC = "93.184.216.34"

PUBLIC_6 = "2606:4700:4700::1111"


@pytest.mark.parametrize(
    "addresses",
    [
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC_6, PUBLIC, "127.0.0.1"],
        [PUBLIC, "::1"],
        [PUBLIC, "::ffff:127.0.0.1"],
        [PUBLIC, "169.254.169.254"],
    ],
)
def test_a_name_with_a_public_and_a_private_address_is_not_connected_to(
    send: Send, names: Names, addresses: list[str]
) -> None:
    names.answers = [addresses]
    with receiver(answering(OK), reads=False) as server:
        outcome = send(f"https://rebinding.example:{server.port}/hook", AddressPolicy())
    assert server.sent == 0, "nothing connected"
    outcome.assert_scheduled_again()
    assert "is not public" in outcome.attempt["error"]
    assert names.lookups == 1


def test_a_name_is_resolved_once_per_attempt_even_if_its_address_changes(
    send: Send, names: Names
) -> None:
    allowed_only = AddressPolicy([ipaddress.ip_network("127.0.0.2/32")])
    names.answers = [["127.0.0.2"], ["127.0.0.1"]]
    with receiver(answering(OK)) as server:
        outcome = send(f"http://rebinding.example:{server.port}/hook", allowed_only)
        assert server.requests == []
    outcome.assert_scheduled_again()
    assert outcome.attempt["error"] == "connection refused", "at the address that was checked"
    assert names.lookups == 1


def test_a_name_that_resolves_to_loopback_at_the_next_attempt_is_refused_then(
    names: Names, settings: Settings
) -> None:
    policy = AddressPolicy([ipaddress.ip_network("127.0.0.2/32")])
    names.answers = [["127.0.0.2"], ["127.0.0.1"]]
    with receiver(answering(OK)) as server:
        delivery_id = new_delivery(f"http://rebinding.example:{server.port}/hook", settings)
        for number in (1, 2):
            attempt(delivery_id, number, policy, settings)
        assert server.requests == []
    outcome = outcome_of(delivery_id)
    assert outcome.attempt["error"].startswith("rebinding.example resolves to 127.0.0.1")
    assert (outcome.row["state"], outcome.row["attempts"]) == ("waiting", 2)
    assert names.lookups == 2
