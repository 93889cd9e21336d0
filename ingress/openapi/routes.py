"""`GET /v1/openapi.yaml`: the OpenAPI description of what applications send, without a key."""

from importlib import resources

from flask import Flask, Response

DESCRIPTION = "/v1/openapi.yaml"

ENDPOINT = "description"


def add_description(app: Flask) -> None:
    """Add the route. The file is sent as it is: parsing it would delay events for 0.2 seconds."""
    text = resources.files("ingress.openapi").joinpath("openapi.yaml").read_bytes()

    @app.get(DESCRIPTION, endpoint=ENDPOINT)
    def description() -> Response:
        return Response(text, content_type="application/yaml")
