"""The partition of a company in SQL, as `queues.lanes.lane` computes it."""

PARTITION = "(('x' || left(md5({external_id}), 8))::bit(32)::bigint %% 4)"
"""For a query with parameters, formatted with the expression for the client's own id."""
