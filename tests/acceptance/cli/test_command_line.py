"""Commands as people and programs use them."""

import json
from pathlib import Path

import pytest
import requests

from tests.support.product.brazebee_process import Brazebee, eventually


def test_a_key_is_the_only_output_and_works_until_it_is_revoked(
    brazebee: Brazebee,
) -> None:
    created = brazebee.run("keys", "create", "--name", "mine")
    key = created.stdout.strip()
    assert created.stdout == f"{key}\n"
    assert "not shown again" in created.stderr
    event = {"event_key": "login", "company": {"id": "k", "name": "K"}}
    assert brazebee.track(event, key).status_code == 200
    [listed] = [key for key in brazebee.json("keys", "list") if key["name"] == "mine"]
    assert listed["key"] == f"bzb_...{key[-4:]}"
    assert brazebee.run("keys", "revoke", str(listed["id"])).returncode == 0
    eventually(lambda: brazebee.track(event, key).status_code == 401, seconds=6)
    again = brazebee.run("keys", "revoke", str(listed["id"]))
    assert (again.returncode, again.stdout) == (1, "")
    assert "no valid key" in again.stderr


def test_the_scopes_of_a_key_are_chosen_listed_and_changed(
    brazebee: Brazebee, organization: str
) -> None:
    org, read = ("--org", organization), ("--scope", "read")
    assert brazebee.json("keys", "create", *org)["scopes"] == ["send"]
    both = brazebee.json("keys", "create", *read, "--scope", "send", *org)
    assert both["scopes"] == ["send", "read"]
    listed = brazebee.json("keys", "list", *org)
    assert [key["scopes"] for key in listed] == [["send"], ["send", "read"]]
    assert "send, read" in brazebee.run("keys", "list", *org).stdout
    key_id = listed[0]["id"]
    changed = brazebee.json("keys", "set-scopes", str(key_id), *read, *org)
    assert changed == {"id": key_id, "scopes": ["read"]}
    assert brazebee.json("keys", "list", *org)[0]["scopes"] == ["read"]
    assert brazebee.run("keys", "revoke", str(key_id), *org).returncode == 0
    audited = brazebee.query(
        "select a.made_by, a.action, a.detail->>'was', a.detail->>'scopes' from audit_log a"
        f" join organizations o on o.id = a.organization_id and o.name = '{organization}'"
        " order by a.id"
    )
    assert audited == [
        ("command line", "API key created", None, "send"),
        ("command line", "API key created", None, "send, read"),
        ("command line", "API key scopes changed", "send", "read"),
        ("command line", "API key revoked", None, None),
    ]


def test_a_command_about_scopes_is_refused_in_one_sentence(
    brazebee: Brazebee, organization: str
) -> None:
    org = ("--org", organization)
    refused = brazebee.run("keys", "set-scopes", "4711", "--scope", "read", *org)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no valid key with the id 4711" in refused.stderr
    assert brazebee.run("keys", "set-scopes", "4711", *org).returncode == 2
    assert brazebee.run("keys", "create", "--scope", "everything", *org).returncode == 2


def test_a_key_from_before_there_were_scopes_is_listed_with_a_notice(
    brazebee: Brazebee, organization: str
) -> None:
    brazebee.execute(
        "insert into api_keys (organization_id, name, sha256, last_four) select id, 'old',"
        f" decode(md5(name), 'hex'), 'abcd' from organizations where name = '{organization}'"
    )
    listed = brazebee.run("keys", "list", "--org", organization)
    assert "send, read" in listed.stdout
    assert "from before keys had scopes" in listed.stderr
    [key] = brazebee.json("keys", "list", "--org", organization)
    change = ["keys", "set-scopes", str(key["id"]), "--scope", "send", "--org", organization]
    assert f"brazebee {' '.join(change)}" in listed.stderr
    assert brazebee.run(*change).returncode == 0
    assert "from before" not in brazebee.run("keys", "list", "--org", organization).stderr


def test_the_secret_of_a_webhook_is_the_only_output(brazebee: Brazebee, organization: str) -> None:
    added = brazebee.run("webhooks", "add", "http://127.0.0.1:9/hook", "--org", organization)
    assert added.stdout.startswith("whsec_")
    assert len(added.stdout.splitlines()) == 1
    [listed] = brazebee.json("webhooks", "list", "--org", organization)
    assert listed["url"] == "http://127.0.0.1:9/hook"
    assert brazebee.run("webhooks", "remove", listed["id"], "--org", organization).returncode == 0
    assert brazebee.json("webhooks", "list", "--org", organization) == []


def test_commands_that_create_and_remove_print_only_json_for_programs(
    brazebee: Brazebee, organization: str
) -> None:
    def run(*command: str) -> dict[str, str]:
        answer: dict[str, str] = brazebee.json(*command, "--org", organization)
        return answer

    assert brazebee.json("migrate") == {"applied": []}
    assert brazebee.json("org", "create", f"{organization}2")["name"] == f"{organization}2"
    assert run("keys", "create", "--name", "n")["key"].startswith("bzb_")
    [key] = brazebee.json("keys", "list", "--org", organization)
    assert run("keys", "revoke", str(key["id"])) == {"revoked": key["id"]}
    added = run("webhooks", "add", "http://127.0.0.1:9/hook")
    assert added["secret"].startswith("whsec_")
    assert run("webhooks", "remove", added["id"]) == {"removed": added["id"]}
    nothing = "01890a5d-ac96-774b-bcce-b302099a8057"
    refused = brazebee.run("webhooks", "remove", nothing, "--org", organization)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "see `brazebee webhooks list`" in refused.stderr


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("example.com/hook", "is not a webhook URL"),
        ("ftp://example.com/hook", "is not a webhook URL"),
        ("https://", "is not a webhook URL"),
        ("https://user:secret@example.com/", "user name or password"),
        ("https://10.0.0.1/hook", "not public"),
        ("https://[::1]/hook", "not public"),
        ("http://8.8.8.8/hook", "must be reached by https"),
        ("https://127.0.0.1:99999/hook", "is not a URL"),
    ],
)
def test_an_invalid_webhook_url_is_reported_in_one_sentence(
    brazebee: Brazebee, url: str, message: str
) -> None:
    refused = brazebee.run("webhooks", "add", url)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_organizations_are_listed_as_a_table_and_as_json(
    brazebee: Brazebee, organization: str
) -> None:
    table = brazebee.run("org", "list").stdout.splitlines()
    assert table[0].split() == ["NAME", "RULES", "VERSION", "RATE", "LIMIT", "CREATED", "AT"]
    assert {"default", organization} <= {line.split()[0] for line in table[1:]}
    assert organization in [entry["name"] for entry in brazebee.json("org", "list")]
    taken = brazebee.run("org", "create", organization)
    assert (taken.returncode, taken.stderr) == (
        1,
        f"There is an organization `{organization}` already.\n",
    )


def test_an_unknown_organization_is_refused_with_the_existing_ones(brazebee: Brazebee) -> None:
    refused = brazebee.run("companies", "--org", "nobody")
    assert refused.returncode == 1
    assert "There is no organization `nobody`; known: " in refused.stderr


def test_wrong_usage_has_exit_code_2(brazebee: Brazebee) -> None:
    assert brazebee.run("nothing").returncode == 2
    assert brazebee.run("explain").returncode == 2
    assert brazebee.run("keys", "revoke", "abc").returncode == 2


def test_without_a_running_product_a_command_names_the_directory_it_searched(
    tmp_path: Path,
) -> None:
    refused = Brazebee(tmp_path).run("companies")
    assert refused.returncode == 1
    assert refused.stderr.startswith("No running Brazebee was found in ")


def test_all_faults_of_a_rule_file_are_listed_and_the_last_good_version_stays(
    brazebee: Brazebee, organization: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nevents: {login: }\n")
    applied = brazebee.json("apply", str(rules), "--org", organization)
    assert (applied["version"], applied["changed"]) == (1, True)
    rules.write_text(
        "version: 1\nevents: {logn: }\nflgs: []\nflags:\n"
        "  - {flag: A, event: logn, when: {At Risk: less then 5 times in 7 days}}\n"
    )
    refused = brazebee.run("apply", str(rules), "--org", organization)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert [line for line in refused.stderr.splitlines() if line.startswith(str(rules))] == [
        f"{rules}:3:1: `flgs` is not known in the file; did you mean `flags`?",
        f"{rules}:5:49: `then` is not understood here; did you mean `than`?",
    ]
    [listed] = [entry for entry in brazebee.json("org", "list") if entry["name"] == organization]
    assert listed["rules_version"] == 1


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read: No such file"), (b"\xff\xfe", "not UTF-8")]
)
def test_an_unreadable_rule_file_is_reported_in_one_sentence(
    brazebee: Brazebee, tmp_path: Path, content: bytes | None, message: str
) -> None:
    rules = tmp_path / "rules.yaml"
    if content is not None:
        rules.write_bytes(content)
    refused = brazebee.run("apply", str(rules))
    assert refused.returncode == 1
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_the_explanation_for_people_has_what_the_one_for_programs_has(brazebee: Brazebee) -> None:
    brazebee.track({"event_key": "login", "company": {"id": "acme", "name": "Acme Ltd"}})
    eventually(lambda: brazebee.run("explain", "acme").returncode == 0)
    explained = brazebee.json("explain", "acme")
    assert explained["health_status"] == "Healthy"
    assert [flag["flag"] for flag in explained["flags"]] == [
        "Complete Value Action",
        "Gone quiet",
        "Hitting limits",
    ]
    text = brazebee.run("explain", "acme").stdout
    assert text.startswith("Acme Ltd (acme) is Healthy, score 100.")
    for flag in explained["flags"]:
        assert flag["flag"] in text
        assert flag["threshold"] in text
    unknown = brazebee.run("explain", "nobody")
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_every_answer_of_the_running_web_process_is_json_with_the_rate_limit(
    brazebee: Brazebee,
) -> None:
    answers = {
        404: requests.get(f"{brazebee.base_url}/nowhere", timeout=5),
        405: requests.get(f"{brazebee.base_url}/v1/track", timeout=5),
        401: brazebee.track({}, "wrong"),
        400: brazebee.track({}),
        415: requests.post(f"{brazebee.base_url}/v1/track", data="x", timeout=5),
        413: requests.post(f"{brazebee.base_url}/v1/track", json={"x": "y" * 40_000}, timeout=5),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert "error" in json.loads(answer.text)
        for name in ("Limit", "Remaining", "Reset"):
            assert answer.headers[f"X-RateLimit-{name}"].isdigit()


def test_a_body_sent_in_chunks_is_bounded_too(brazebee: Brazebee) -> None:
    def chunks() -> object:
        for _ in range(64):
            yield b"x" * 1024

    answer = requests.post(
        f"{brazebee.base_url}/v1/track",
        data=chunks(),  # type: ignore[arg-type]
        headers={"Content-Type": "application/json", "x-api-key": brazebee.api_key},
        timeout=5,
    )
    assert answer.status_code == 413
