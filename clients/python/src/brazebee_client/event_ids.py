"""Ids of events: UUIDs of version 7, which sort by the time at which they were made."""

import os
import time
from uuid import UUID


def new_event_id() -> str:
    """Return a UUIDv7. Its random bits come from the kernel, so forks never repeat them."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    number = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=number))
