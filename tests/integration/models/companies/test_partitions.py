import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.companies.partitions import PARTITION
from models.database import query, transaction
from queues.lanes.lane import partition_of
from tests.support.properties import effort

pytestmark = pytest.mark.usefixtures("settings")

# PostgreSQL cannot store the character NUL.
IDS = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=200)


@effort(3)
@example("company_123")
@example("é😀")
@given(IDS)
def test_the_database_and_the_journal_put_a_company_into_the_same_partition(company: str) -> None:
    sql = f"select {PARTITION.format(external_id='%(id)s')} as partition"
    with transaction():
        [row] = query(sql, {"id": company})
    assert row["partition"] == partition_of(company)
