"""Sends events to Brazebee, and loses none: they are on disk before a call returns.

client = Client("https://events.example.com", "bzb_...", spool_dir="/var/lib/app/brazebee")
client.track("login", company={"id": "acme", "name": "Acme"}, user={"id": "ada"})
"""

from brazebee_client.client import Client, Statistics
from brazebee_client.errors import BrazebeeError, InvalidCall, InvalidConfiguration
from brazebee_client.spool.refused import Refusal
from brazebee_client.version import __version__

__all__ = [
    "BrazebeeError",
    "Client",
    "InvalidCall",
    "InvalidConfiguration",
    "Refusal",
    "Statistics",
    "__version__",
]
