"""Names, ids and texts that are as awkward as clients and people can make them.

Every text that somebody chose contains `SENTINEL`, a word that is written from right to left, so
that a page can be searched for where it shows such texts.
"""

SENTINEL = (
    "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER LAMED}\N{HEBREW LETTER VAV}\N{HEBREW LETTER FINAL MEM}"
)
"""A word from right to left."""

OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
HTML = '<b title="x">bold</b>&amp;'


def unbroken(beginning: str, length: int = 200) -> str:
    """Return a text of this length without a place to break it."""
    return f"{SENTINEL}{beginning}{'W' * length}"[:length]


def in_words(beginning: str, length: int = 200) -> str:
    """Return a text of this length in words."""
    return f"{SENTINEL} {beginning} {'lorem ipsum dolor sit amet ' * (length // 20)}"[
        :length
    ].strip()


STATUSES = [
    "Healthy",
    *(in_words(f"level {n}", 80) for n in range(1, 4)),
    unbroken("Level4", 60),
    "Gone",
]
LOUD = unbroken("id-loud/", 128)
"""The id of the company with 40 raised flags, 300 fields, and everything else."""

INVISIBLE = {
    "zero-width": "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH JOINER}",
    "spaces": "\N{NO-BREAK SPACE} \N{EM SPACE}",
    "combining": "\N{COMBINING ACUTE ACCENT}\N{COMBINING GRAVE ACCENT}",
}
"""Names that cannot be seen, by the ids of their companies."""

NAMES = {
    LOUD: unbroken("Loud"),
    "words": in_words("Company of many words"),
    "reversed": f"{OVERRIDE}{SENTINEL} reversed",
    "html": f"{HTML} {SENTINEL}",
    "formula": f"=1+1 {SENTINEL}",
    **INVISIBLE,
    **{f"plain-{n}": f"{SENTINEL} Plain {n}" for n in range(8)},
}
EVENT = unbroken("event.key", 100)
OTHER_EVENT = "other"
USER = unbroken("user-", 128)
OWNER = unbroken("owner@", 190) + "@example"
CHANNEL = unbroken("channel", 100)
FLAG = unbroken("Flag 0")
FLAGS = [
    FLAG,
    in_words("Flag 1"),
    f"{HTML} {SENTINEL} 2",
    *(f"{SENTINEL} flag {n}" for n in range(3, 40)),
]
LONG_WORDS = in_words("note", 900)

COMPANY_ROWS = (
    f"id,name,csm,{unbroken('header', 90)}\n"
    f"plain-1,{in_words('New name')},x,{unbroken('cell')}\n,no id,x,{in_words('cell')}\n"
)
OUTCOME_ROWS = (
    f"company_id,outcome,date,amount,note\nplain-1,churned,2026-03-31,12,{in_words('note')}\n"
    f"{unbroken('none')},renewed,2026-04-01,1,{unbroken('note')}\n"
)
"""CSV files to import; a row of each is refused."""
