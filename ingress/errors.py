"""The root of the exceptions of this package."""


class IngressError(Exception):
    """Raised when the ingress cannot accept a request; the base of such exceptions."""
