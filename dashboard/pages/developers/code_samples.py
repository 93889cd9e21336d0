"""Lines of code that send events here: settings of other products' SDKs, and requests."""

import json
import shlex
from dataclasses import dataclass

KEY = "YOUR_API_KEY"
"""Stands for a key where none was created."""

COMPANY = {"id": "company_123", "name": "Acme Corp"}
USER = {"id": "user_456", "email": "john@acme.com"}


_CLIENT = "It keeps events on disk until they are accepted. Install it from a checkout of Brazebee:"


@dataclass(frozen=True)
class Sample:
    """Code to copy: where it belongs, and what else has to be known about it."""

    id: str
    title: str
    code: str
    about: str = ""


def sdk_samples(url: str, key: str) -> list[Sample]:
    """Return the settings of the SDKs that applications already have."""
    segment = "Your group calls become companies, your track calls become events."
    posthog = "Your groups of the type company become companies."
    return [
        Sample(
            "segment-python",
            "Segment, Python",
            "import segment.analytics as analytics\n\n"
            f"analytics.host = {json.dumps(url)}\n"
            f"analytics.write_key = {json.dumps(key)}",
            segment,
        ),
        Sample(
            "segment-node",
            "Segment, Node.js",
            'import { Analytics } from "@segment/analytics-node";\n\n'
            "const analytics = new Analytics({\n"
            f"  host: {json.dumps(url)},\n"
            f"  writeKey: {json.dumps(key)},\n"
            "});",
            segment,
        ),
        Sample(
            "rudderstack-python",
            "RudderStack, Python",
            "import rudderstack.analytics as rudder_analytics\n\n"
            f"rudder_analytics.dataPlaneUrl = {json.dumps(url)}\n"
            f"rudder_analytics.write_key = {json.dumps(key)}",
            segment,
        ),
        Sample(
            "rudderstack-node",
            "RudderStack, Node.js",
            'const Analytics = require("@rudderstack/rudder-sdk-node");\n\n'
            f"const client = new Analytics({json.dumps(key)}, {{\n"
            f"  dataPlaneUrl: {json.dumps(url)},\n"
            "});",
            segment,
        ),
        Sample(
            "posthog-python",
            "PostHog, Python",
            "from posthog import Posthog\n\n"
            f"posthog = Posthog({json.dumps(key)}, host={json.dumps(url)})",
            posthog,
        ),
        Sample(
            "posthog-node",
            "PostHog, Node.js",
            'import { PostHog } from "posthog-node";\n\n'
            f"const posthog = new PostHog({json.dumps(key)}, {{ host: {json.dumps(url)} }});",
            posthog,
        ),
    ]


def request_samples(url: str, key: str, event_key: str) -> list[Sample]:
    """Return requests that send one event, in several languages."""
    return [
        Sample("curl", "curl", curl(url, key, event_key)),
        Sample("python", "Python", _python(url, key, event_key)),
        Sample("node", "Node.js", _node(url, key, event_key)),
        Sample("ruby", "Ruby", _ruby(url, key, event_key)),
        Sample(
            "client-python",
            "Python, with brazebee-client",
            "from brazebee_client import Client\n\n"
            f"brazebee = Client({json.dumps(url)}, {json.dumps(key)})\n"
            f"brazebee.track({json.dumps(event_key)}, company={json.dumps(COMPANY)},"
            f" user={json.dumps(USER)})",
            f"{_CLIENT} pip install ./clients/python",
        ),
        Sample(
            "client-node",
            "Node.js, with brazebee-client",
            'import { Client } from "brazebee-client";\n\n'
            "const brazebee = new Client({\n"
            f"  url: {json.dumps(url)},\n  apiKey: {json.dumps(key)},\n}});\n"
            f"brazebee.track({json.dumps(event_key)}, {{\n"
            f"  company: {json.dumps(COMPANY)},\n  user: {json.dumps(USER)},\n}});",
            f"{_CLIENT} npm install ./clients/node",
        ),
    ]


def curl(url: str, key: str, event_key: str) -> str:
    """Return a command that sends one event."""
    event = {"event_key": event_key, "company": COMPANY, "user": USER}
    return (
        f"curl -X POST {shlex.quote(f'{url}/v1/track')} \\\n"
        f"  -H {shlex.quote(f'x-api-key: {key}')} \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(event, ensure_ascii=False))}"
    )


def _python(url: str, key: str, event_key: str) -> str:
    return f"""\
import requests

response = requests.post(
    "{url}/v1/track",
    headers={{"x-api-key": "{key}"}},
    json={{
        "event_key": {json.dumps(event_key)},
        "company": {json.dumps(COMPANY)},
        "user": {json.dumps(USER)},
    }},
    timeout=10,
)
print(response.json())"""


def _node(url: str, key: str, event_key: str) -> str:
    return f"""\
const response = await fetch("{url}/v1/track", {{
  method: "POST",
  headers: {{ "x-api-key": "{key}", "Content-Type": "application/json" }},
  body: JSON.stringify({{
    event_key: {json.dumps(event_key)},
    company: {{ id: "{COMPANY["id"]}", name: "{COMPANY["name"]}" }},
    user: {{ id: "{USER["id"]}", email: "{USER["email"]}" }},
  }}),
}});
console.log(await response.json());"""


def _ruby(url: str, key: str, event_key: str) -> str:
    return f"""\
require "json"
require "net/http"

event = {{
  event_key: {_ruby_text(event_key)},
  company: {{ id: "{COMPANY["id"]}", name: "{COMPANY["name"]}" }},
  user: {{ id: "{USER["id"]}", email: "{USER["email"]}" }}
}}
headers = {{ "x-api-key" => "{key}", "Content-Type" => "application/json" }}
puts Net::HTTP.post(URI("{url}/v1/track"), event.to_json, headers).body"""


def _ruby_text(text: str) -> str:
    """Return a Ruby literal; `#` begins an interpolation in double quotes."""
    return json.dumps(text).replace("#", "\\#")
