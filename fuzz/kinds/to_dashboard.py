"""Inputs for the dashboard and the read API: addresses, rule files, and fields of forms."""

from random import Random
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from bench.product.history import RULES
from fuzz.exchange import request
from fuzz.hostile import ALPHABET, encode, text
from fuzz.kinds import Kind
from fuzz.target import Form, Target

PARAMETERS = ("after", "before", "cursor", "limit", "status", "flag", "sort", "q", "page", "days",
              "since", "until", "company", "event_type", "tab", "next")  # fmt: skip

WORDS = (
    "less than", "at least", "times", "in", "days", "no activity for", "unless", "and", "or", "not",
    "sum of", "average of", "distinct users", "drops by", "compared with", "recover", "for",
    "where", "if_missing", "applies_to", "&a", "*a", "<<: *a",
    "!!python/object:os.system", "? ", "- ", "|", ">",
    "1e9", "0", "-1", "99999999999999999999", "1.5", "%", "days days", "version: 1", "flags:", "\t",
)  # fmt: skip


def addresses(target: Target, chance: Random) -> bytes:
    """Return a request for a page with hostile parts in its path or its query."""
    whole = urlsplit(chance.choice(target.addresses))
    path, query = whole.path.split("/"), parse_qsl(whole.query, keep_blank_values=True)
    for _ in range(chance.randrange(1, 4)):
        if chance.random() < 0.3 and len(path) > 2:
            path[chance.randrange(2, len(path))] = _quoted(text(chance)[:500])
        elif query and chance.random() < 0.6:
            place = chance.randrange(len(query))
            query[place] = (query[place][0], _changed(chance, query[place][1]))
        else:
            query.append((chance.choice(PARAMETERS), text(chance)[:3_000]))
    address = "/".join(path)
    if query:
        address += "?" + _encoded(query)
    is_api = address.startswith("/v1/")
    given = {"x-api-key": target.read_key} if is_api else {"cookie": target.cookie}
    if chance.random() < 0.2:
        given["hx-request"] = "true"
    return request(chance.choice(("GET", "GET", "GET", "HEAD")), address, given)


def rule_files(target: Target, chance: Random) -> bytes:
    """Return a rule file to check or plan, with hostile lines in it."""
    lines = RULES.splitlines()
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(lines))
        line = lines[place]
        match chance.randrange(6):
            case 0:
                lines[place] = text(chance)
            case 1:
                lines.insert(place, " " * chance.randrange(8) + text(chance))
            case 2:
                del lines[place : place + 1]
                lines = lines or [""]
            case 3:
                lines[place] = line.replace(
                    chance.choice(line.split() or [""]), chance.choice(WORDS), 1
                )
            case 4:
                lines[place] = (
                    line + " " + " ".join(chance.choices(WORDS, k=chance.randrange(1, 9)))
                )
            case _:
                at = chance.randrange(len(line) + 1)
                lines[place] = line[:at] + chance.choice(ALPHABET) + line[at:]
    form = chance.choice([form for form in target.forms if "/rules/check" in form.action])
    return _post(target, form, [(name, "\n".join(lines)) if _holds_rules(name) else (name, given)
                                for name, given in form.fields])  # fmt: skip


def forms(target: Target, chance: Random) -> bytes:
    """Return a form with hostile values, or with fields missing, added or repeated."""
    form = chance.choice(target.forms)
    fields = [
        (name, given if name == "csrf_token" or chance.random() < 0.4 else _changed(chance, given))
        for name, given in form.fields
    ]
    others = [field for field in fields if field[0] != "csrf_token"]
    match chance.randrange(5):
        case 0 if others:
            fields.remove(chance.choice(others))
        case 1 if others:
            fields.append(chance.choice(others))
        case 2:
            fields.append((text(chance), text(chance)))
    return _post(target, form, fields)


def _post(target: Target, form: Form, fields: list[tuple[str, str]]) -> bytes:
    headers = {
        "cookie": target.cookie,
        "content-type": "application/x-www-form-urlencoded",
        "origin": f"http://127.0.0.1:{target.dashboard_port}",
    }
    return request("POST", form.action, headers, _encoded(fields).encode())


def _holds_rules(name: str) -> bool:
    return name in ("text", "rules", "yaml", "content")


def _changed(chance: Random, given: str) -> str:
    """Return another text, or a similar one."""
    if not given or chance.random() < 0.6:
        return text(chance)
    at = chance.randrange(len(given))
    return given[:at] + chance.choice(ALPHABET) + given[at + chance.randrange(2) :]


def _encoded(fields: list[tuple[str, str]]) -> str:
    return urlencode([(encode(name), encode(given)) for name, given in fields])


def _quoted(given: str) -> str:
    return quote(encode(given), safe="/")


KINDS = (
    Kind("addresses", 0.12, addresses, to_web=False),
    Kind("rule files", 0.05, rule_files, to_web=False),
    Kind("forms", 0.08, forms, to_web=False),
)
