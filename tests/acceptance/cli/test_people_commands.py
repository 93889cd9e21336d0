"""People and their roles, as the command line makes them and the dashboard lets them in."""

import subprocess

from tests.support.product.brazebee_process import Brazebee
from tests.support.product.signing_in import signs_in


def test_people_are_managed_from_the_command_line(brazebee: Brazebee, organization: str) -> None:
    here = ("--org", organization)
    added = brazebee.run(
        "people", "add", "cli@example.com", "--role", "viewer", "--name", "Carla", *here
    )
    password = added.stdout.strip()
    assert added.stdout == f"{password}\n"
    assert "not shown again" in added.stderr
    assert signs_in(brazebee, "cli@example.com", password)
    role = brazebee.json("people", "set-role", "CLI@example.com", "--role", "editor", *here)
    assert role == {"email": "cli@example.com", "org": organization, "role": "editor"}
    [listed] = brazebee.json("people", "list", *here)
    assert (listed["email"], listed["name"], listed["role"], listed["disabled_at"]) == (
        "cli@example.com", "Carla", "editor", None,
    )  # fmt: skip
    assert listed["signed_in_at"] is not None
    disabled = brazebee.json("people", "disable", "cli@example.com")
    assert disabled == {"email": "cli@example.com", "disabled": True, "changed": True}
    assert not signs_in(brazebee, "cli@example.com", password)
    assert brazebee.json("people", "enable", "cli@example.com")["changed"] is True
    assert brazebee.json("people", "enable", "cli@example.com")["changed"] is False
    renewed = brazebee.json("people", "set-password", "cli@example.com")["password"]
    assert not signs_in(brazebee, "cli@example.com", password)
    assert signs_in(brazebee, "cli@example.com", renewed)
    assert brazebee.json("people", "remove", "cli@example.com", *here)["org"] == organization
    assert brazebee.json("people", "list", *here) == []


def test_a_password_can_be_given_on_standard_input(brazebee: Brazebee, organization: str) -> None:
    def add(email: str, password: str) -> "subprocess.CompletedProcess[str]":
        return brazebee.run(
            "people", "add", email, "--role", "administrator", "--org", organization,
            "--password-stdin", given=f"{password}\n",
        )  # fmt: skip

    given = add("given@example.com", "staple of words")
    assert (given.returncode, given.stdout) == (0, "")
    assert signs_in(brazebee, "given@example.com", "staple of words")
    short = add("short@example.com", "short")
    assert (short.returncode, short.stderr) == (1, "A password has at least 12 characters.\n")
    changed = brazebee.run(
        "people", "set-password", "given@example.com", "--password-stdin",
        given="other words here\n",
    )  # fmt: skip
    assert (changed.returncode, changed.stdout) == (0, "")
    assert signs_in(brazebee, "given@example.com", "other words here")


def test_what_cannot_be_done_with_people_is_one_clear_sentence(
    brazebee: Brazebee, organization: str
) -> None:
    here = ("--org", organization)
    assert brazebee.run("people", "list", *here).stdout == (
        "No members yet; add one with `brazebee people add`.\n"
    )
    add = ("people", "add", "last@example.com", "--role", "administrator", *here)
    assert brazebee.run(*add).returncode == 0
    last = f"last@example.com is the last administrator of `{organization}`;"
    for command, said in (
        (add, f"last@example.com is a member of `{organization}` already."),
        (("people", "set-role", "last@example.com", "--role", "viewer", *here), last),
        (("people", "remove", "last@example.com", *here), last),
        (("people", "disable", "last@example.com"), last),
        (("people", "add", "nonsense", "--role", "viewer", *here), "is not an email address."),
        (("people", "set-role", "no@example.com", "--role", "viewer", *here), "There is no person"),
        (
            ("people", "set-password", "no@example.com"),
            "There is no person with the email address `no@example.com`",
        ),
        (("people", "remove", "admin@localhost", *here), "admin@localhost is not a member of"),
        (
            ("people", "add", "x@example.com", "--role", "viewer", "--org", "none"),
            "no organization",
        ),
    ):
        refused = brazebee.run(*command)
        assert (refused.returncode, refused.stdout) == (1, ""), command
        assert said in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert brazebee.run("people", "add", "x@example.com", "--role", "owner").returncode == 2
