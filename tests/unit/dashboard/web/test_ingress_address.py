"""The address of `web` that pages show, by the setting and by how the dashboard was opened."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from dashboard.web.context import EXTENSION
from dashboard.web.ingress_address import EXAMPLE, IngressAddress, ingress_address


@pytest.mark.parametrize(
    ("setting", "opened", "shown"),
    [
        (None, "http://127.0.0.1:8001", IngressAddress(EXAMPLE, known=False)),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8124", IngressAddress("http://127.0.0.1:8123")),
        ("http://127.0.0.1:8123", "http://localhost:8124", IngressAddress("http://127.0.0.1:8123")),
        ("http://127.0.0.1:8123", "http://10.1.2.3:8124", IngressAddress("http://10.1.2.3:8123")),
        ("http://[::1]:8123", "http://[fd00::1]:8124", IngressAddress("http://[fd00::1]:8123")),
        (
            "http://127.0.0.1:8000",
            "https://health.example.com",
            IngressAddress("http://127.0.0.1:8000", local=True),
        ),
        (
            "https://events.example.com/",
            "https://health.example.com",
            IngressAddress("https://events.example.com"),
        ),
        ("http://10.1.2.3:8000", "http://box:8001", IngressAddress("http://10.1.2.3:8000")),
    ],
)
def test_the_address_is_one_that_works_for_the_visitor(
    setting: str | None, opened: str, shown: IngressAddress
) -> None:
    app = Flask("dashboard")
    context: Any = SimpleNamespace(settings=SimpleNamespace(ingress_url=setting))
    app.extensions[EXTENSION] = context
    with app.test_request_context("/", base_url=opened):
        assert ingress_address() == shown
