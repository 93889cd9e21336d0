"""Who the customers of the demo are: names, plans, contracts, people, each from its own number."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from demo.customers.names import FIRST_NAMES, LAST_NAMES, OWNERS, STEMS, SUFFIXES, TITLES
from demo.customers.usage_curves import Course, course_of
from demo.customers.working_hours import OFFSETS

MOST = len(STEMS) * 5 * len(SUFFIXES)
"""How many customers there are different names for."""

REGION_SHARES = {"Europe": 38, "North America": 40, "Latin America": 9, "Asia Pacific": 13}
INDUSTRY_SHARES = dict(zip(SUFFIXES, (13, 14, 20, 14, 9, 12, 10, 8), strict=True))
PROVIDERS = {"stripe": "cus_", "chargebee": "cb_", "paddle": "ctm_"}


@dataclass(frozen=True)
class Plan:
    """What is sold: fewest and most seats, US dollars for a seat and month.

    `sessions` is how often a user signs in in a month.
    """

    name: str
    seats: tuple[int, int]
    price: int
    sessions: float
    share: int


PLANS = (
    Plan("Starter", (2, 5), 29, 8.0, 30),
    Plan("Team", (5, 14), 39, 4.2, 35),
    Plan("Business", (14, 32), 49, 3.0, 25),
    Plan("Enterprise", (32, 80), 69, 2.5, 10),
)


@dataclass(frozen=True)
class Person:
    """One user of a company."""

    id: str
    name: str
    email: str
    role: str
    title: str


@dataclass(frozen=True)
class Account:
    """One customer; `seats` are those that it begins with."""

    id: str
    name: str
    domain: str
    industry: str
    region: str
    plan: Plan
    seats: int
    owner: str
    customer_for: float
    renews_in: float
    crm: tuple[str, str]
    payment: tuple[str, str]
    course: Course


def account(seed: int, number: int) -> Account:
    """The customer with a number, from 0 on, below `MOST`."""
    chance = Random(f"{seed}/account/{number}")
    industry, name = _names(seed)[number]
    course = course_of(number, chance)
    plan = chance.choices(PLANS, [plan.share for plan in PLANS])[0]
    if course.name == "half used" and plan.name == "Starter":
        plan = PLANS[1]
    customer_for = course.joined + (chance.uniform(20, 900) if course.joined > 358 else 0)
    renews_in = course.renews_in
    if renews_in is None:
        renews_in = 365 - customer_for % 365
    crm, prefix = chance.choice((("hubspot", ""), ("salesforce", "0015g00000")))
    provider = chance.choices(tuple(PROVIDERS), (70, 20, 10))[0]
    return Account(
        id=f"co_{10_000 + number * 7 % 9_973 + number // 9_973 * 10_000}",
        name=name,
        domain=f"{_plain(name).replace(' ', '-')}.example",
        industry=industry,
        region=chance.choices(tuple(OFFSETS), [REGION_SHARES[r] for r in OFFSETS])[0],
        plan=plan,
        seats=chance.randint(*plan.seats),
        owner=f"{chance.choice(OWNERS)}@brightdesk.example",
        customer_for=customer_for,
        renews_in=renews_in,
        crm=(crm, f"{prefix}{chance.randrange(10**8, 10**9)}"),
        payment=(provider, PROVIDERS[provider] + _code(chance, 14)),
        course=course,
    )


def people(seed: int, number: int, of: Account) -> Iterator[Person]:
    """The users of a customer, one after the other, without end."""
    chance = Random(f"{seed}/people/{number}")
    taken: set[str] = set()
    while True:
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        local = f"{_plain(first)}.{_plain(last)}"
        if local in taken:
            continue
        role = "admin" if not taken or chance.random() < 0.05 else "member"
        taken.add(local)
        yield Person(
            id=f"usr_{_code(chance, 12)}",
            name=f"{first} {last}",
            email=f"{local}@{of.domain}",
            role=role,
            title=chance.choice(TITLES),
        )


@cache
def _names(seed: int) -> list[tuple[str, str]]:
    """Industries and names of companies, each name once, as often as there are such companies."""
    chance = Random(f"{seed}/names")
    by_industry = {
        industry: [f"{stem} {suffix}" for stem in STEMS for suffix in suffixes]
        for industry, suffixes in SUFFIXES.items()
    }
    for names in by_industry.values():
        chance.shuffle(names)
    found = []
    while by_industry:
        left = list(by_industry)
        industry = chance.choices(left, [INDUSTRY_SHARES[name] for name in left])[0]
        found.append((industry, by_industry[industry].pop()))
        if not by_industry[industry]:
            del by_industry[industry]
    return found


def _plain(name: str) -> str:
    """A name as it stands in an address."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return letters.lower()


def _code(chance: Random, length: int) -> str:
    return "".join(
        chance.choices("ABCDEFGHJKMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz23456789", k=length)
    )
