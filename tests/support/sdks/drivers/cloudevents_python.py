"""cloudevents for Python, which writes events; the application sends each until it is answered."""

import time
from datetime import datetime

import requests
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent
from driver import Call, Flushes, MakesCall, drive

PAUSE_SECONDS = 0.25


def start(url: str, key: str) -> tuple[MakesCall, Flushes]:
    session = requests.Session()

    def post(message: http.HTTPMessage) -> bool:
        headers = {**message.headers, "x-api-key": key}
        try:
            answer = session.post(
                f"{url}/v1/cloudevents", data=message.body, headers=headers, timeout=15
            )
        except requests.RequestException:
            return False
        return answer.status_code < 500

    def make(call: Call) -> str:
        data = {
            **call["fields"],
            "company": {**call["about"]["company"], "id": call["company"]},
            "user": {**call["about"]["user"], "id": call["user"]},
        }
        attributes = {"type": call["name"], "source": "/tests", "subject": "call"}
        if call["timestamp"]:
            attributes["time"] = datetime.fromisoformat(call["timestamp"])
        event = CloudEvent(attributes, data)
        write = http.to_binary_event if call["n"] % 2 else http.to_structured_event
        while not post(write(event)):
            time.sleep(PAUSE_SECONDS)
        return event.get_id()

    return make, session.close


drive(start)
