"""API keys as releases before this one create them."""

from models.database import query, transaction
from models.keys import api_keys


def add_key_as_the_release_before(organization_id: int, name: str) -> str:
    """Create a key with the statement of the release before there were scopes."""
    key = f"{api_keys.PREFIX}{organization_id}-{name}"
    with transaction():
        query(
            "insert into api_keys (organization_id, name, sha256, last_four)"
            " values (%(organization_id)s, %(name)s, %(sha256)s, %(last_four)s)",
            {
                "organization_id": organization_id,
                "name": name,
                "sha256": api_keys.digest(key),
                "last_four": key[-4:],
            },
        )
    return key
