"""The ceiling for the ingress: a Flask view that only responds."""

from flask import Flask, Response, jsonify

app = Flask(__name__)


@app.post("/v1/track")
def track() -> Response:
    """Respond without doing anything."""
    return jsonify({"success": True})
