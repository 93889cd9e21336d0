"""docs/sdks.md names the versions that are installed for the tests."""

from tests.support.sdks.installed import SDKS
from tests.unit.docs.documents import read, rows_of, section


def test_the_guide_lists_the_tested_versions() -> None:
    rows = rows_of(section(read("docs/sdks.md"), "Tested versions"), "package")
    assert [(row["package"], row["for"], row["version"]) for row in rows] == [
        (f"`{sdk.package}`", sdk.language, sdk.version) for sdk in SDKS
    ]
