"""rudder-sdk-python."""

from datetime import datetime

from driver import Call, Flushes, MakesCall, drive, lost
from rudderstack.analytics import Client


def start(url: str, key: str) -> tuple[MakesCall, Flushes]:
    client = Client(key, host=url, on_error=lost)

    def make(call: Call) -> str:
        at = datetime.fromisoformat(call["timestamp"]) if call["timestamp"] else None
        if call["type"] == "identify":
            accepted, message = client.identify(call["user"], call["fields"], timestamp=at)
        elif call["type"] == "group":
            accepted, message = client.group(
                call["user"], call["company"], call["fields"], timestamp=at
            )
        else:
            context = {"groupId": call["company"]} if call["company"] else {}
            accepted, message = client.track(
                call["user"], call["name"], call["fields"], context, timestamp=at
            )
        if not accepted:
            lost("the queue is full", [message])
        return message["messageId"]

    return make, client.shutdown


drive(start)
