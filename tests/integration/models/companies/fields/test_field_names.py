"""Names of fields are listed in bounded time, however many each company has."""

import pytest

from models.companies.fields import field_names
from models.database import transaction
from tests.support.world import World


def test_names_are_read_from_few_companies_if_these_have_many_fields(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.track("a", old=1)
    world.track("b", **{f"field_{n:03}": n for n in range(600)})
    with transaction():
        assert len(field_names.list_names(world.id)) == field_names.MOST_NAMES
        monkeypatch.setattr(field_names, "SAMPLE_BYTES", 1)
        names = field_names.list_names(world.id)
        counted = field_names.count_values(world.id, names[:2])
    assert names[0] == "field_000", "the newest company is read however large it is"
    assert "old" not in names
    assert counted == {"field_000": 1, "field_001": 1}
