"""A body for each route of the ingress that accepts one, of the event `login`."""

from collections.abc import Mapping
from typing import Any

from tests.support.ingress.application import SMALL

EVENT = {**SMALL, "event_key": "login"}
SEGMENT = {"event": "login", "userId": "ann", "context": {"groupId": "acme"}}
POSTHOG = {
    "event": "login",
    "distinct_id": "ann",
    "properties": {"$groups": {"company": "acme"}},
}

BODIES: Mapping[str, Any] = {
    "/v1/track": EVENT,
    "/v1/track/batch": {"events": [EVENT]},
    "/v1/batch": {"batch": [{"type": "track", **SEGMENT}]},
    "/v1/import": {"batch": [{"type": "track", **SEGMENT}]},
    "/v1/identify": SEGMENT,
    "/v1/group": {"userId": "ann", "groupId": "acme"},
    "/v1/page": SEGMENT,
    "/v1/screen": SEGMENT,
    "/v1/alias": {"userId": "ann", "previousId": "bob"},
    "/v1/cloudevents": {
        "specversion": "1.0", "id": "1", "source": "/app", "type": "login",
        "data": {"company": {"id": "acme"}},
    },
    "/v1/companies/batch": {"companies": [{"company": {"id": "acme"}}]},
    "/v1/companies/{company_id}": {"company": {"plan": "pro"}},
    "/v1/users/batch": {"users": [{"user": {"id": "ann"}}]},
    "/v1/users/{user_id}": {"user": {"role": "admin"}},
    "/batch": {"batch": [POSTHOG]},
    "/i/v0/ai/batch": {"batch": [POSTHOG]},
    "/capture": POSTHOG,
    "/e": POSTHOG,
    "/i/v0/e": POSTHOG,
}  # fmt: skip
"""By the path of the route."""
