"""Finds companies whose rows stay locked by another transaction."""

import time
from collections.abc import Collection

from models.companies import companies
from models.database import transaction

LOOKS = 3
LOOK_PAUSE_S = 0.15
"""Workers lock companies for a fraction of this time."""


def find_kept_locked(organization_id: int, company_ids: Collection[int]) -> set[int]:
    """Return the companies that are locked each time in several looks."""
    locked = set(company_ids)
    for look in range(LOOKS):
        if look:
            time.sleep(LOOK_PAUSE_S)
        with transaction():
            locked = companies.find_locked(organization_id, locked)
        if not locked:
            break
    return locked
