"""Work items of a `World`, and what they must equal."""

from typing import Any

from tests.support.world import World


def items(world: World, company: str = "acme", flag: str | None = None) -> list[dict[str, Any]]:
    """Return the items of a company, of one flag or of all, the oldest first."""
    return world.rows(
        "select i.* from work_items i join companies c on c.organization_id = i.organization_id"
        " and c.id = i.company_id where i.organization_id = %(id)s"
        " and c.external_id = %(company)s and (%(flag)s::text is null or flag = %(flag)s)"
        " order by i.id",
        company=company,
        flag=flag,
    )


def item(world: World, flag: str, company: str = "acme") -> dict[str, Any]:
    """Return the newest item of a flag."""
    return items(world, company, flag)[-1]


def set_state(world: World, flag: str, state: str, company: str = "acme") -> None:
    """Store the state of the newest item of a flag, as if a person had set it."""
    world.rows(
        "update work_items set state = %(state)s where organization_id = %(id)s"
        " and id = %(item)s returning id",
        state=state,
        item=item(world, flag, company)["id"],
    )


def open_items(world: World) -> set[tuple[Any, ...]]:
    """Return company, flag, status, and whether it is snoozed, of all items that are not closed."""
    rows = world.rows(
        "select company_id, flag, status, snoozed from work_items"
        " where organization_id = %(id)s and closed_at is null"
    )
    assert len({(row["company_id"], row["flag"]) for row in rows}) == len(rows)
    return {tuple(row.values()) for row in rows}


def raised_flags(world: World) -> set[tuple[Any, ...]]:
    """Return the same of all flags that are raised, or would be if nobody had overridden them."""
    rows = world.rows(
        """
        select c.id, r.flag, r.status, false from companies c
            cross join lateral jsonb_to_recordset(c.raised) r (flag text, status text)
        where c.organization_id = %(id)s
        union all
        select f.company_id, f.flag, f.status, true from flag_states f
            join companies c on c.organization_id = f.organization_id and c.id = f.company_id
        where f.organization_id = %(id)s and f.status <> %(best)s
            and not exists (select from jsonb_to_recordset(c.raised) r (flag text)
                where r.flag = f.flag)
        """,
        best=world.rulebooks.book(world.id, world.rules_version).statuses[0],
    )
    return {tuple(row.values()) for row in rows}
