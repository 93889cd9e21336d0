"""The pages of an import: upload, preview, mapping, import, result and refused rows."""

import io
import re
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.dashboard.application import Dashboard, ServeDashboard, text_of
from tests.support.dashboard.editor import EditorWorld
from tests.support.ingress.application import NO_REDIS
from tests.support.world import RULES

BASE = "/o/acme/import"
HOSTILE = "<script>alert('\"&x')</script>"
FILE = f"""id,company name,Plan,Seats,Renewal
acme,Acme Inc,pro,4,3/4/2027
bolt,{HOSTILE},free,5,3/5/2027
,nobody,free,6,
"""


class ImportWorld(EditorWorld):
    """A world whose editor has opened the form."""

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__(dashboard, RULES)
        self.editor.get(BASE)

    def upload(
        self, text: str | bytes = FILE, *, subject: str = "companies", name: str = "list.csv"
    ) -> TestResponse:
        content = text.encode() if isinstance(text, str) else text
        return self.editor.post(BASE, subject=subject, file=(io.BytesIO(content), name))

    def preview(self, text: str | bytes = FILE, **options: Any) -> str:
        """Upload a file and return the address of its preview."""
        response = self.upload(text, **options)
        assert response.status_code == 303, text_of(response)
        return response.location

    def show(self, address: str) -> str:
        response = self.editor.get(address)
        assert response.status_code == 200, response.status
        return unescape(text_of(response))

    def apply(self, address: str) -> TestResponse:
        """Press the button of a preview."""
        page = self.editor.get(address).text
        preview = re.search(r'name="preview" value="(\w+)"', page)
        assert preview, page
        return self.editor.post(f"{address}/apply", preview=preview[1])


@pytest.fixture
def world(dashboard: Dashboard) -> ImportWorld:
    return ImportWorld(dashboard)


def test_a_file_is_previewed_and_then_imported_as_shown(world: ImportWorld) -> None:
    world.track("acme", plan="free", seats=3)
    address = world.preview()
    page = world.show(address)
    for text in (
        "list.csv", "3 rows, UTF-8, separated by commas", "Created 1 company", "Refused 1",
        "plan free → to pro", "seats 3 → to 4", "Has no id in id", "New fields renewal",
        "has the day or the month first", "Import 2 companies",
    ):  # fmt: skip
        assert text in page, text
    assert HOSTILE not in world.editor.get(address).text
    assert len(world.company_ids()) == 1
    response = world.apply(address)
    assert (response.status_code, response.location) == (303, address)
    result = world.show(address)
    for text in ("list.csv is imported", "Created 1 company", "Changed 1", "Refused 1"):
        assert text in result, text
    assert world.company("acme").traits.custom["seats"] == 4
    assert world.audited()[0] == ("ed@acme.com", "Companies imported", "list.csv")
    assert "Import 2 companies" not in world.show(address)
    assert "everything is as the file says" in world.show(world.preview(FILE + "\n"))


def test_the_mapping_is_changed_without_scripts(world: ImportWorld) -> None:
    address = world.preview()
    form = {"column-0": "id", "column-1": "name", "column-2": "tier", "column-3": "",
            "column-4": "renewal", "dates": "day", "preset": ""}  # fmt: skip
    assert world.editor.post(address, **form).location == address
    page = world.show(address)
    assert "tier pro" in page
    assert "renewal 2027-04-03" in page
    assert "seats 5" not in page
    world.apply(address)
    assert world.company("acme").traits.custom == {"tier": "pro", "renewal": "2027-04-03"}


def test_a_mapping_with_faults_cannot_be_imported(world: ImportWorld) -> None:
    address = world.preview("Title;Plan\nAcme;pro\n")
    assert "No column has the ids of the companies." in world.show(address)
    assert 'name="preview"' not in world.editor.get(address).text
    world.editor.post(address, **{"column-0": "id"})
    assert "Import 1 company" in world.show(address)
    world.editor.post(address, **{"column-0": "x", "column-1": "x"})
    assert "Two columns are mapped to x" in world.show(address)
    assert world.editor.post(f"{address}/apply", preview="x").location == address
    assert world.company_ids() == []


def test_only_what_was_shown_is_imported(world: ImportWorld) -> None:
    address = world.preview()
    shown = re.search(r'name="preview" value="(\w+)"', world.editor.get(address).text)
    assert shown
    world.editor.post(address, **{"column-3": ""})  # in another window
    response = world.editor.post(f"{address}/apply", preview=shown[1])
    assert response.location == address
    assert "The mapping has changed since." in world.show(address)
    assert world.company_ids() == []


def test_a_file_belongs_to_one_person_in_one_organization(world: ImportWorld) -> None:
    address = world.preview()
    colleague = world.member("cy@acme.com", "editor")
    assert colleague.get(address).location == f"{BASE}?expired=1"
    other = world.dashboard.organization("other")
    stranger = world.dashboard.signed_in("sam@other.com", (other, "editor"))
    assert stranger.get(address).status_code == 404
    assert stranger.get(address.replace("acme", "other")).status_code == 303
    assert "The file is no longer here" in world.show(f"{BASE}?expired=1")


def test_an_export_is_recognized_and_its_preset_can_be_changed(world: ImportWorld) -> None:
    text = "id,Name,Created (UTC),account_id (metadata)\ncus_1,Acme,2024-02-01 09:30,acme\n"
    address = world.preview(text)
    page = world.show(address)
    assert "Recognized as customers of Stripe" in page
    assert "Columns that may have those IDs: account_id (metadata)" in page
    world.editor.post(address, **{"column-3": "id"})
    world.apply(address)
    assert world.company("acme").traits.core["payment_provider_id"] == "cus_1"
    plain = world.preview(text + "\n")
    world.editor.post(plain, preset="none")
    assert "Recognized as" not in world.show(plain)


def test_products_and_fields_have_their_own_spelling(world: ImportWorld) -> None:
    page = world.editor.get(
        world.preview("Record ID,Company name,Create date\n7,Acme,2026-01-02\n")
    )
    options = set(re.findall(r"<option[^>]*>([^<]*)</option>", page.text))
    products = {"Salesforce", "HubSpot", "Stripe", "Brazebee"}
    fields = {"CRM provider", "CRM provider ID", "Payment provider ID", "ID in HubSpot", "Name"}
    assert products | fields <= options


def test_users_are_imported_too(world: ImportWorld) -> None:
    world.track("acme")
    address = world.preview("user_id,email,company_id\nu1,ann@x.com,acme\n", subject="users")
    assert "Import 1 user" in world.show(address)
    world.apply(address)
    assert len(world.rows("select from users where organization_id = %(id)s")) == 1


def test_refused_rows_can_be_downloaded(world: ImportWorld) -> None:
    response = world.editor.get(f"{world.preview()}/refused.csv")
    assert response.mimetype == "text/csv"
    assert response.text.splitlines() == [
        "\ufeffrefused_line,refused_because,id,company name,Plan,Seats,Renewal",
        "4,has no id in `id`,,nobody,free,6,",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04", "Save the sheet as CSV"),
        (b"id,id\n1,2\n", "The header has id more than once"),
        (b"id\n" + b"1\n" * 10_001, "The file has more than 10,000 rows"),
        (",".join(f"c{n}" for n in range(501)).encode(), "has 501 columns; at most 500"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    world: ImportWorld, content: bytes, reason: str
) -> None:
    response = world.upload(content)
    assert response.status_code == 422
    assert reason in unescape(text_of(response))


def test_a_form_without_a_file_is_refused(world: ImportWorld) -> None:
    assert "Choose a file." in text_of(world.editor.post(BASE, subject="companies"))
    assert "Choose what the rows" in text_of(world.upload(subject="deals"))


@pytest.mark.parametrize("base", [BASE, "/o/acme/outcomes/import"])
def test_a_file_that_is_too_large_is_refused_with_its_size_the_limit_and_what_to_do(
    world: ImportWorld, base: str
) -> None:
    def upload(size: int) -> TestResponse:
        parts = {
            'name="csrf_token"': world.editor.token.encode(),
            'name="subject"': b"companies",
            'name="file"; filename="companies.csv"': b"id\n" + b"x" * size,
        }
        body = b"".join(
            b"--cut\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (name.encode(), content)
            for name, content in parts.items()
        )
        form = "multipart/form-data; boundary=cut"
        return world.editor.client.post(base, data=body + b"--cut--\r\n", content_type=form)

    large = upload(9 * 1024**2)
    assert large.status_code == 413
    text = text_of(large)
    assert "Your file has 9 MB, and a file may have 5 MB here. Split it into 2 files" in text
    assert f'href="{base}"' in large.text
    assert upload(4 * 1024**2).status_code == 422  # it is read: one cell is too long
    form = world.editor.post("/account/name", name="x" * (3 * 1024**2))
    assert "You sent 3 MB, and this form accepts up to 2 MB." in text_of(form)


def test_without_redis_the_page_says_so(serve_dashboard: ServeDashboard) -> None:
    world = ImportWorld(serve_dashboard(queue_url=NO_REDIS))
    response = world.upload()
    assert response.status_code == 503
    assert "Redis, which keeps the file" in text_of(response)


def test_viewers_see_no_link_and_editors_do(world: ImportWorld) -> None:
    viewer = world.member("vi@acme.com", "viewer")
    for companies in (0, 1):
        if companies:
            world.track("acme")
        assert BASE in world.editor.get("/o/acme/companies").text
        assert BASE not in viewer.get("/o/acme/companies").text
