"""Lists the companies and users with fields that were left out, for people to see."""

from dataclasses import dataclass

from models.companies.fields.field_limits import LeftOut
from models.database import query


@dataclass(frozen=True)
class ListedLeftOut:
    """A company with fields that were left out, or with `user`, a user of it.

    `company` and `user` are the clients' own ids.
    """

    company: str
    company_name: str
    user: str | None
    left_out: LeftOut


def list_left_out(organization_id: int, *, limit: int) -> list[ListedLeftOut]:
    """Return up to `limit` companies and as many users of an organization, the oldest first.

    Two scans of indexes that have such rows only.
    """
    rows = query(
        "(select external_id as company, name as company_name, null as user, left_out"
        " from companies where organization_id = %(organization_id)s and left_out is not null"
        " order by id limit %(limit)s) union all"
        " (select c.external_id, c.name, u.external_id, u.left_out"
        " from users u join companies c on c.organization_id = u.organization_id"
        " and c.id = u.company_id"
        " where u.organization_id = %(organization_id)s and u.left_out is not null"
        " order by u.id limit %(limit)s)",
        {"organization_id": organization_id, "limit": limit},
    )
    return [ListedLeftOut(**row | {"left_out": LeftOut.stored(row["left_out"])}) for row in rows]
