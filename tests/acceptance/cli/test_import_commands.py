"""`brazebee import companies` and `import users` as people and programs use them."""

from pathlib import Path

from tests.support.product.brazebee_process import Brazebee

REPORT = """\
"Account ID","Account Name","Annual Revenue","Seats"
"001D000000IqhSLIAZ","Initech","$1,200.00","5"
"","Nobody","$3.00","6"
"001D000000IqhSMIAZ","Hooli","$90.50","7"

"Customers"
"Copyright (c) 2026 salesforce.com, inc."
"""


def test_an_export_is_loaded_after_it_was_shown_and_again_changes_nothing(
    brazebee: Brazebee, organization: str, folder: Path
) -> None:
    file = folder / "accounts.csv"
    file.write_text(REPORT, encoding="utf-8")
    command = ("import", "companies", str(file), "--org", organization)

    shown = brazebee.run(*command, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    for text in (
        "3 rows, UTF-8, separated by commas",
        "Recognized as accounts of Salesforce (--preset salesforce).",
        "`Annual Revenue`: amounts in $, without the currency.",
        "to create  2\n           line 2: 001D000000IqhSLIAZ, Initech\n",
        "refused    1\n           line 3 has no id in `Account ID`\n",
        "This was a dry run; nothing was written.",
    ):
        assert text in shown.stdout, shown.stdout
    assert brazebee.json("companies", "--org", organization) == []
    assert list(folder.iterdir()) == [file]

    asked = brazebee.run(*command)
    assert (asked.returncode, "Use --yes" in asked.stderr) == (1, True)
    done = brazebee.run(*command, "--yes")
    assert "Imported: 2 companies created, 0 changed." in done.stdout
    refused = folder / "accounts.refused.csv"
    assert str(refused) in done.stderr
    assert "3,has no id in `Account ID`,,Nobody,$3.00,6" in refused.read_text(encoding="utf-8-sig")
    listed = brazebee.json("companies", "--org", organization)
    assert {company["name"] for company in listed} == {"Initech", "Hooli"}

    again = brazebee.json(*command, "--yes")
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)
    file.write_text(REPORT.replace("Hooli", "Hooli XYZ"), encoding="utf-16")
    changed = brazebee.json(*command, "--yes")
    assert changed["changed_fields"] == {"name": 1}
    assert changed["examples"][0]["changes"] == {"name": {"from": "Hooli", "to": "Hooli XYZ"}}


def test_users_are_loaded_with_a_mapping(
    brazebee: Brazebee, organization: str, folder: Path
) -> None:
    file = folder / "people.csv"
    file.write_text("Login;Konto;Rolle\nann;acme;admin\n", encoding="cp1252")
    command = ("import", "users", str(file), "--org", organization)
    unmapped = brazebee.run(*command, "--yes")
    assert unmapped.returncode == 1
    assert "No column has the ids of the users." in unmapped.stderr
    mapped = ("--map", "Login=id", "--map", "Konto=company_id", "--map", "Rolle=role")
    assert brazebee.json(*command, *mapped, "--yes")["created"] == 1
    [(role,)] = brazebee.query(
        "select traits->>'role' from users u join organizations o on o.id = u.organization_id"
        f" where external_id = 'ann' and o.name = '{organization}'"
    )
    assert role == "admin"


def test_a_file_that_cannot_be_loaded_is_refused(
    brazebee: Brazebee, organization: str, folder: Path
) -> None:
    missing = brazebee.run("import", "companies", str(folder / "no.csv"), "--org", organization)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)
    workbook = folder / "book.csv"
    workbook.write_bytes(b"PK\x03\x04...")
    refused = brazebee.run("import", "companies", str(workbook), "--org", organization)
    assert "Save the sheet as CSV" in refused.stderr
    wrong = brazebee.run("import", "companies", str(workbook), "--map", "id")
    assert (wrong.returncode, "is not COLUMN=FIELD" in wrong.stderr) == (2, True)
