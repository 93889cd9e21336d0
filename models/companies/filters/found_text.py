"""SQL that finds companies by what people know of them: names, ids, domains, users' emails."""

from typing import Any

from models.folding import folded

DOMAIN_FIELDS = ("domain", "website")
"""Custom fields that contain a domain, or an address with it."""

SAMPLE_SIZE = 1_000
"""The newest companies, of which one has the field if people search by it."""

FEWEST_CHARACTERS = 3
"""Of a text that users' emails are searched for."""


def found_text(text: str, *, by_row: bool = False) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on `companies`, and its parameters, for a text that people typed.

    The text is part of the name, the client's own id, an id in CRM or payment provider, or a domain
    field, without case and accents; or the email of a user, or its domain, begins with it.

    All users are looked up at once, for a scan of all companies, or those of each row if `by_row`.
    """
    sought = folded("%(text)s::text")
    parts = dict.fromkeys(("searched", "crm_provider_id", "payment_provider_id"), "true")
    parts |= {f"(traits ->> '{field}')": _is_sent(field) for field in DOMAIN_FIELDS}
    terms = [
        f"case when {known} then"
        f" coalesce(strpos({folded(part, is_lower=part == 'searched')}, {sought}) > 0, false)"
        " else false end"
        for part, known in parts.items()
    ]
    if len(text) >= FEWEST_CHARACTERS:
        parts_of_email = ["lower(email)"]
        if "@" not in text:
            parts_of_email.append("lower(split_part(email, '@', 2))")
        of_users = [_of_user(part, by_row=by_row) for part in parts_of_email]
        # Users that were looked up at once are compared sooner than texts.
        terms = [*terms, *of_users] if by_row else [*of_users, *terms]
    return f"({' or '.join(terms)})", {"text": text}


def _of_user(part: str, *, by_row: bool) -> str:
    """Return SQL for whether a part of a user's email begins with the text."""
    # A range instead of `like`, so that the index serves it whatever the parameters are.
    users = (
        "from users u where u.organization_id = %(organization_id)s"
        f' and {part} collate "C" >= lower(%(text)s)'
        f' and {part} collate "C" < lower(%(text)s) || chr(1114109)'
    )
    if by_row:  # not `exists`, which the planner may turn into a look-up of all users
        return f"(select true {users} and u.company_id = companies.id limit 1) is not null"
    return f"id in (select company_id {users})"


def _is_sent(field: str) -> str:
    """Return SQL for whether any of the newest companies has a field: mostly, none has."""
    return (
        f"(select coalesce(bool_or(newest.traits ? '{field}'), false) from (select c.traits"
        " from companies c where c.organization_id = %(organization_id)s order by c.id desc"
        f" limit {SAMPLE_SIZE}) newest)"
    )
