"""Names in URLs, and targets of redirects."""

from urllib.parse import unquote, urlsplit

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.routing import Map, Rule

from dashboard.web.addresses import NameConverter, configure_addresses, safe_redirect_target

MAP = Map(
    [Rule("/o/<name:company>/flags", endpoint="flags")], converters={"name": NameConverter}
).bind("localhost")

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(names)
@example("..")
@example(".")
@example("%2e%2e")
@example("a/b")
@example("a%2Fb")
@example("\\")
@example("%")
def test_any_text_is_restored_from_its_address(name: str) -> None:
    address = MAP.build("flags", {"company": name})
    assert address.isascii()
    assert MAP.match(unquote(address)) == ("flags", {"company": name})


@given(names)
@example("..")
@example("...")
@example("a\\..\\b")
def test_a_text_stays_one_segment_for_browsers_and_servers(name: str) -> None:
    address = MAP.build("flags", {"company": name})
    _, o, segment, flags = address.split("/")
    assert (o, flags) == ("o", "flags")
    unquoted_once = unquote(segment)
    assert "/" not in unquoted_once
    assert "\\" not in unquoted_once
    assert unquoted_once not in (".", "..")
    assert urlsplit(address).path == address


def test_an_ordinary_name_is_not_quoted() -> None:
    assert MAP.build("flags", {"company": "company_1.2-x"}) == "/o/company_1.2-x/flags"


def test_links_outside_an_organization_do_not_need_one() -> None:
    app = Flask("test")
    configure_addresses(app)
    app.add_url_rule("/x/<name:organization>", "x")
    with app.test_request_context():
        assert app.url_for("x", organization="a/b", _external=False) == "/x/a%252Fb"


@pytest.mark.parametrize("address", ["/", "/o/acme/companies?x=1#y", "/o/a%252Fb/"])
def test_a_path_of_this_site_is_a_safe_target(address: str) -> None:
    assert safe_redirect_target(address) == address


@pytest.mark.parametrize(
    "address",
    [None, "", "acme", "//evil", "/\\evil", "\\\\evil", "https://evil", "/\nx", "/\tevil", " /x",
     "/a\\b", "javascript:x"],
)  # fmt: skip
def test_a_possible_other_host_is_rejected(address: str | None) -> None:
    assert safe_redirect_target(address) is None
