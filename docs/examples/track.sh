#!/bin/sh
# Post an event with curl. Set BRAZEBEE_URL and BRAZEBEE_API_KEY.
exec curl --silent --show-error --fail-with-body "${BRAZEBEE_URL:-http://127.0.0.1:8000}/v1/track" \
  -H "x-api-key: $BRAZEBEE_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"event_key": "login", "company": {"id": "acme", "name": "Acme"}, "user": {"id": "ada"}}'
