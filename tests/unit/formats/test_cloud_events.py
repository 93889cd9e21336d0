"""CloudEvents in the form of JSON, and records of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from formats.cloud_events import read
from formats.record import Kind, UnreadableRecord

NOW = datetime(2026, 11, 29, 22, 1, tzinfo=UTC)
EVENT = {
    "specversion": "1.0",
    "id": "aa9ecdc7-9c41-464a-afe8-cb2611c8b035",
    "source": "/app",
    "type": "report.created",
    "subject": "r1",
    "time": "2026-11-29T22:00:58.074687+00:00",
    "data": {"company": {"id": "acme", "name": "Acme"}, "user": {"id": "u1"}, "pages": 3},
}


def test_the_data_names_company_and_user() -> None:
    record = read(EVENT, NOW)
    assert (record.kind, record.name, record.id) == (Kind.EVENT, "report.created", EVENT["id"])
    assert record.at == datetime(2026, 11, 29, 22, 0, 58, 74687, tzinfo=UTC)
    assert (record.company, record.user) == ({"id": "acme", "name": "Acme"}, {"id": "u1"})
    assert record.data == {"pages": 3, "source": "/app", "subject": "r1"}


@pytest.mark.parametrize(
    ("parts", "company", "user"),
    [
        ({"data": {"company": "acme"}}, {"id": "acme"}, None),
        ({"data": {"user": 7}}, None, {"id": "7"}),
        ({"data": None, "companyid": "acme", "userid": "u1"}, {"id": "acme"}, {"id": "u1"}),
        ({"data": {"company": {"name": "A"}}, "companyid": "a"}, {"id": "a", "name": "A"}, None),
    ],
)
def test_ids_alone_and_attributes_will_do(parts: Any, company: Any, user: Any) -> None:
    record = read({**EVENT, **parts}, NOW)
    assert (record.company, record.user) == (company, user)


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"specversion": "2.0"}, ("specversion",)),
        ({"specversion": None}, ("specversion",)),
        ({"type": ""}, ("type",)),
        ({"data": "x"}, ("data",)),
        ({"data": {}}, ("data",)),
        ({"data": {"company": {"name": "x"}}}, ("data", "company", "id")),
        ({"data": {"company": [1]}}, ("company",)),
        ({"data_base64": "eA=="}, ("data_base64",)),
        ({"time": "now"}, ("time",)),
        ({"id": 1.5}, ("id",)),
    ],
)
def test_a_fault_says_where_it_is(parts: Any, path: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableRecord) as raised:
        read({**EVENT, **parts}, NOW)
    assert raised.value.path == path
