"""Overriding flags, as people do through `services.health.overrides`."""

from dataclasses import replace
from datetime import datetime

from rules.judging.state import CompanyState, Override


def end_overrides(state: CompanyState, flag: str, at: datetime) -> CompanyState:
    """End the overrides of a flag, unless they end earlier; nothing is evaluated yet."""
    overrides = (
        replace(override, ends_at=min(override.ends_at or at, at))
        if override.flag == flag
        else override
        for override in state.overrides
    )
    return replace(state, overrides=tuple(overrides))


def add_override(state: CompanyState, override: Override) -> CompanyState:
    """Replace the overrides of a flag by another; nothing is evaluated yet."""
    state = end_overrides(state, override.flag, override.starts_at)
    return replace(state, overrides=(*state.overrides, override))
