"""Takes the bytes of a request's body, never more of them than it may have."""

from flask import Request

from ingress.errors import ApiError


def receive(incoming: Request, what: str, largest: int) -> bytes:
    """The body of a request, of at most `largest` bytes; `what` names it to people.

    Raises:
        ApiError: it is too large, or not sent as JSON.
    """
    if (incoming.content_length or 0) > largest:
        raise _too_large(what, largest)
    if incoming.mimetype != "application/json":
        message = "Send the event as JSON, with Content-Type: application/json"
        raise ApiError(415, "Unsupported media type", [{"message": message}])
    if incoming.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiError(
            415, "Unsupported media type", [{"message": "Send the body without Content-Encoding"}]
        )
    body = incoming.stream.read(largest + 1)
    if len(body) > largest:
        raise _too_large(what, largest)
    return body


def _too_large(what: str, largest: int) -> ApiError:
    message = f"{what} is at most {largest // 1024} KB"
    return ApiError(413, "Request body too large", [{"message": message}])
