"""posthog for Python."""

from driver import Call, Flushes, MakesCall, drive, lost
from posthog import Posthog


def start(url: str, key: str) -> tuple[MakesCall, Flushes]:
    client = Posthog(key, host=url, on_error=lost)

    def make(call: Call) -> str | None:
        user, at = call["user"], call["timestamp"]
        if call["type"] == "identify":
            return client.set(distinct_id=user, properties=call["fields"], timestamp=at)
        if call["type"] == "group":
            return client.group_identify(
                "company", call["company"], call["fields"], distinct_id=user, timestamp=at
            )
        groups = {"company": call["company"]} if call["company"] else {}
        return client.capture(
            call["name"], distinct_id=user, properties=call["fields"], groups=groups, timestamp=at
        )

    return make, client.shutdown


drive(start)
