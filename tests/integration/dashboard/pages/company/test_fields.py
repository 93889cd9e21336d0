"""The search among the fields of one company."""

import re

from tests.support.dashboard.application import Dashboard, text_of
from tests.support.dashboard.company_page import address_of, ago, create_world, track


def test_fields_are_found_by_name_and_value_without_case_and_accents(dashboard: Dashboard) -> None:
    world = create_world()
    many = {f"field_{number}": number for number in range(1_000, 1_025)}
    track(world, ago(days=1), Région="Île-de-France", plan="Pro <b>", **many)
    browser = dashboard.signed_in("vera@acme.com", (world.organization, "viewer"))

    def found(text: str) -> list[str]:
        page = browser.get(address_of(world, f"/fields?q={text}")).text
        table = page.partition('aria-label="Fields"')[2].partition("</table>")[0]
        return re.findall(r'<th scope="row"><bdi>([^<]+)</bdi></th>', table)

    assert "Search fields" in browser.get(address_of(world, "/fields")).text
    assert found("REGION") == found("ile-de") == ["Région"]
    assert found("pro+%3Cb") == ["plan"]
    assert found("field_102") == [f"field_{number}" for number in range(1_020, 1_025)]
    assert len(found("")) > 25
    text = text_of(browser.get(address_of(world, "/fields?q=nothing")))
    assert "No field has nothing in its name or value." in text


def test_a_company_with_few_fields_has_no_search(dashboard: Dashboard) -> None:
    world = create_world()
    track(world, ago(days=1), plan="Pro")
    browser = dashboard.signed_in("vera@acme.com", (world.organization, "viewer"))
    assert "Search fields" not in browser.get(address_of(world, "/fields")).text
