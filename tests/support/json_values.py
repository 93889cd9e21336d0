"""A Hypothesis strategy for JSON values."""

from typing import Any

from hypothesis import strategies as st


def json_values(
    text: st.SearchStrategy[str], *, max_size: int = 3, max_leaves: int = 10
) -> st.SearchStrategy[Any]:
    """Return a strategy for JSON values whose strings and keys are drawn from `text`."""
    return st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | text,
        lambda inner: (
            st.lists(inner, max_size=max_size) | st.dictionaries(text, inner, max_size=max_size)
        ),
        max_leaves=max_leaves,
    )
