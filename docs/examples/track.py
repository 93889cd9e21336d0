"""Post an event with requests. Set BRAZEBEE_URL and BRAZEBEE_API_KEY."""

import os

import requests

response = requests.post(
    f"{os.environ.get('BRAZEBEE_URL', 'http://127.0.0.1:8000')}/v1/track",
    headers={"x-api-key": os.environ["BRAZEBEE_API_KEY"]},
    json={
        "event_key": "login",
        "company": {"id": "acme", "name": "Acme"},
        "user": {"id": "ada"},
    },
    timeout=10,
)
print(response.text)
response.raise_for_status()
