"""Texts that are made to be costly to read as a rule file, from a seed."""

import random
from collections.abc import Callable, Iterator

from tests.unit.rules.file.rule_texts import TWO_FLAGS

LENGTHS = (10, 100, 1_000, 3_000, 10_000)

Family = Callable[[random.Random, int], str]


def hostile_texts(seed: int, number: int) -> Iterator[str]:
    """Yield texts of all kinds, each with other lengths."""
    randomly = random.Random(seed)
    for turn in range(number):
        family = FAMILIES[turn % len(FAMILIES)]
        yield family(randomly, randomly.choice(LENGTHS))


def _repeated(randomly: random.Random, length: int) -> str:
    unit = randomly.choice(
        ["[", "{", "- ", "? ", "[a, ", "{a: ", "- - a\n", "&a ", "*a ", "!!seq ", "'", '"', "\\",
         "|\n", "> ", "#\n", "\n", "---\n", "a: ", "a:\n", "%", "a: b\n", "\t", "- a\n", "[]",
         "[[],", ": ", ", ", "<<: ", "\u2028", "1", "e9", "0x", "a b ", "~\n"]
    )  # fmt: skip
    before = randomly.choice(["", "a: ", TWO_FLAGS, "version: 1\nflags:\n  - "])
    return before + unit * (length // len(unit))


def _deeper_and_deeper(randomly: random.Random, length: int) -> str:
    unit = randomly.choice(["- ", "a:", "- a:", "? a\n:"])
    levels = min(length, 300)
    return "\n".join(" " * 2 * level + unit for level in range(levels))


def _aliases_of_aliases(randomly: random.Random, length: int) -> str:
    each = randomly.choice([2, 3, 10, 100])
    levels = randomly.choice([3, 8, 30, 400])
    innermost = randomly.choice(
        ["[a]", "no activity for 1 day", "{a: b}", "'" + "x" * length + "'"]
    )
    form = randomly.choice(["[{}]", "{{all: [{}]}}", "{{any: [{}]}}", "{{<<: [{}]}}"])
    lines = [f"  k0: &p0 {innermost}"]
    lines += [
        f"  k{n}: &p{n} " + form.format(", ".join([f"*p{n - 1}"] * each)) for n in range(1, levels)
    ]
    use = randomly.choice(
        [f"when: {{At Risk: *p{levels - 1}}}", f"where: {{data.x: *p{levels - 1}}}"]
    )
    return (
        "version: 1\nevents: {login: }\ndefaults:\n"
        + "\n".join(lines)
        + f"\nflags:\n  - {{flag: A, event: login, {use}}}\n"
    )


def _circles(randomly: random.Random, length: int) -> str:
    text = randomly.choice(["&a [*a]", "&a {a: *a}", "&a {all: [*a, *a]}", "&a [*a, &b [*a, *b]]"])
    return TWO_FLAGS.replace("no activity for 14 days", text) + "\n" * (length // 100)


def _phrase(randomly: random.Random, length: int) -> str:
    unit = randomly.choice(
        ["not ", "(", "((", "a is ", "flag a", " ", "and ", "or ", '"', '""', "1", "1 ", "data.a ",
         "company.a", ".", "no activity for 1 day and ", "no activity for 1 day or (", "not (",
         "flag a is b and ", "company.plan is a b ", "less than ", "%", "<", "é", "less than 1"]
    )  # fmt: skip
    end = randomly.choice(["", "no activity for 1 day", ")" * 100, " is At Risk"])
    phrase = (unit * (min(length, 2_000) // len(unit)) + end)[:2_000].replace("'", "")
    return TWO_FLAGS.replace("no activity for 14 days", f"'{phrase}'")


def _many_mistakes(randomly: random.Random, length: int) -> str:
    line = randomly.choice(
        ["  - {{flag: Wrong {0}, event: logon, when: {{At Risk: no activity for 1 dayz}}}}",
         "  - {{flag: Other {0}, event: login, when: {{At Risk: flag Othre {0} is Critical}}}}",
         "  - {{flag: Other {0}, event: login, whan: {{}}}}",
         "  - {{flag: Other {0}, event: login, when: {{Atrisk {0}: twice}}}}",
         "  {0}: wrong", "\t- {0}", "  - {0}: [", "  - '{0}", "- {{a: b: c}}"]
    )  # fmt: skip
    lines = [line.format(number) for number in range(min(length // 10, 400))]
    return "version: 1\nevents: {login: }\nflags:\n" + "\n".join(lines)


def _many_names(randomly: random.Random, length: int) -> str:
    names = [f"a{n}" + "x" * randomly.choice([0, 150]) for n in range(length // 10)]
    text = randomly.choice(
        ["statuses: [{0}]", "events: {{{0}}}", "statuses: [{0}]\nevents: {{{0}}}"]
    )
    return "version: 1\n" + text.format(", ".join(names)) + "\nflags: []\n"


def _damaged(randomly: random.Random, length: int) -> str:
    text = TWO_FLAGS * max(1, min(length, 5_000) // len(TWO_FLAGS))
    for _ in range(20):
        at = randomly.randrange(len(text))
        text = text[:at] + randomly.choice("[]{}&*!|>'\"%@`:-?,#\t\x00\x07\ud800") + text[at:]
    return text


FAMILIES: tuple[Family, ...] = (
    _repeated,
    _deeper_and_deeper,
    _aliases_of_aliases,
    _circles,
    _phrase,
    _many_mistakes,
    _many_names,
    _damaged,
)
