"""The running product that is fuzzed: its ports, keys, a signed-in session, its pages and forms."""

import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

from bench.product.brazebee_up import BRAZEBEE, Product
from bench.product.history import RULES, fill

EMAIL = "fuzz@example.com"
COMPANIES = 50
EVENTS = 1_000

FIRST_PAGES = (
    "", "recent", "changes", "portfolio", "companies", "companies/1",
    "companies/1/fields", "companies/1/notes", "companies/1/timeline", "companies/1/users",
    "companies/1/deliveries", "companies/1/report", "search?q=1", "users/u1", "events",
    "events/live", "events/refused", "events/set-aside", "events/trace?id=1", "import",
    "mentions", "mentions?show=unread", "mentions/people?q=a", "companies/1/outcomes",
    "insights", "insights/login", "outcomes", "outcomes/all",
    "outcomes/import", "outcomes/companies/lost", "rules", "rules/examples",
    "rules/examples/usage-drop", "rules/backtests", "rules?view=text",
    "rules/versions", "rules/versions/1", "upcoming", "settings/audit",
    "settings/notifications", "settings/developers",
    "settings/developers/connect", "settings/developers/connect/sdk",
    "settings/developers/connect/arrivals", "settings/developers/deliveries",
    "settings/developers/webhooks", "settings/owners", "settings/people",
    "worklist", "worklist?whose=team", "worklist/response-times",
)  # fmt: skip
"""Pages of an organization; those that they link to are found."""

MOST_PAGES = 200

ENDS_THE_SESSION = re.compile(r"/sign-out|/sessions/|/password|/keys/|/people/\d+/")
"""Pages and forms that are left out: they would take from the fuzzer what it works with."""


@dataclass(frozen=True)
class Form:
    """A form of a page: where it is sent, and the names and values of its fields."""

    action: str
    fields: list[tuple[str, str]]


@dataclass(frozen=True)
class Target:
    """A product with companies, events, rules and an administrator."""

    product: Product
    dashboard_port: int
    send_key: str
    read_key: str
    cookie: str
    addresses: list[str]
    forms: list[Form]


@contextmanager
def running_target() -> Iterator[Target]:
    """Run a product in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="brazebee-fuzz-") as name:
        limit = {"BRAZEBEE_RATE_LIMIT": "1000000000/hour"}
        with Product(Path(name), RULES, **limit) as product:
            [(number,)] = product.query("select id from organizations")
            fill(product, number, companies=COMPANIES, events=EVENTS)
            yield _target(product)


def _target(product: Product) -> Target:
    port = int(product.environment["BRAZEBEE_DASHBOARD_PORT"])
    send_key = product.json("keys", "create", "--scope", "send")["key"]
    read_key = product.json("keys", "create", "--scope", "read")["key"]
    password = secrets.token_hex()
    subprocess.run(
        [BRAZEBEE, "people", "add", EMAIL, "--role", "administrator", "--password-stdin"],
        input=password,
        text=True,
        check=True,
        capture_output=True,
        env=product.environment,
    )
    session = requests.Session()
    base = f"http://127.0.0.1:{port}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', session.get(f"{base}/sign-in").text)
    form = {"email": EMAIL, "password": password, "csrf_token": token and token.group(1)}
    session.post(f"{base}/sign-in", data=form).raise_for_status()
    addresses, forms = _crawl(session, base)
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    read = [
        "/v1/companies?limit=10",
        "/v1/companies/c1/health",
        "/v1/transitions?after=1&limit=10",
        "/v1/openapi.json",
    ]
    return Target(product, port, send_key, read_key, cookie, [*addresses, *read], forms)


def _crawl(session: requests.Session, base: str) -> tuple[list[str], list[Form]]:
    """Return the addresses of pages and the forms in them."""
    waiting = [f"/o/default/{page}" for page in FIRST_PAGES] + ["/account", "/sign-in"]
    seen: dict[str, None] = {}
    forms: dict[tuple[str, tuple[str, ...]], Form] = {}
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen[address] = None
        with session.get(base + address, stream=True) as response:
            if "text/html" not in response.headers.get("content-type", ""):
                continue
            page = _Page(base + address)
            page.feed(response.text)
        waiting += [link for link in page.links if not ENDS_THE_SESSION.search(link)]
        for found in page.forms:
            if not ENDS_THE_SESSION.search(found.action):
                forms[re.sub(r"\d+", "1", found.action), tuple(n for n, _ in found.fields)] = found
    return list(seen), list(forms.values())


class _Page(HTMLParser):
    """Collects the links and the forms of a page. A form with several buttons counts as several."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._actions: list[str] = []
        self._fields: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        given = {name: content or "" for name, content in attrs}
        if tag == "form":
            self._actions, self._fields = [], []
        if tag != "link":
            self.links += self._own(given.get("href"), given.get("hx-get"))
        posts = given.get("method", "").lower() == "post"
        action = given.get("action") if posts else None
        self._actions += self._own(action, given.get("hx-post"), given.get("formaction"))
        if given.get("name") and tag in ("input", "textarea", "select", "button"):
            self._fields.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        """See `HTMLParser`."""
        if tag == "form":
            self.forms += [Form(action, self._fields) for action in dict.fromkeys(self._actions)]
            self._actions, self._fields = [], []

    def _own(self, *addresses: str | None) -> list[str]:
        """Return those addresses that are of this product, without their fragments."""
        wholes = [urlsplit(urljoin(self._address, address)) for address in addresses if address]
        server = urlsplit(self._address).netloc
        return [
            whole.path + (f"?{whole.query}" if whole.query else "")
            for whole in wholes
            if whole.netloc == server
        ]
