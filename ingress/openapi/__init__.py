"""The OpenAPI description of the API of this process, and its route."""
