"""The accounts of the demo: names, plans, contracts and users, each derived from a number."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from demo.customers.names import (
    FIRST_NAMES,
    LAST_NAMES,
    OWNERS,
    OWNERS_DOMAIN,
    STEMS,
    SUFFIXES,
    TITLES,
)
from demo.customers.trajectories import Trajectory, choose_trajectory
from demo.customers.working_hours import OFFSETS

MAXIMUM_CUSTOMERS = len(STEMS) * 5 * len(SUFFIXES)
"""How many different names of companies there are."""

REGION_SHARES = {"Europe": 38, "North America": 40, "Latin America": 9, "Asia Pacific": 13}
INDUSTRY_SHARES = dict(zip(SUFFIXES, (13, 14, 20, 14, 9, 12, 10, 8), strict=True))
PROVIDERS = {"stripe": "cus_", "chargebee": "cb_", "paddle": "ctm_"}


@dataclass(frozen=True)
class Plan:
    """A plan: minimum and maximum of seats, and US dollars per seat and month.

    `sessions` is how often a user signs in per month, `share` the percentage of customers.
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
class User:
    """A user of a company."""

    id: str
    name: str
    email: str
    role: str
    title: str


@dataclass(frozen=True)
class Account:
    """A customer. `seats` is the initial number; `customer_for` and `renews_in` are in days."""

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
    trajectory: Trajectory


def make_account(seed: int, number: int) -> Account:
    """Return the account with a number, from 0 on, below `MAXIMUM_CUSTOMERS`."""
    chance = Random(f"{seed}/account/{number}")
    industry, name = _names(seed)[number]
    trajectory = choose_trajectory(number, chance)
    plan = chance.choices(PLANS, [plan.share for plan in PLANS])[0]
    if trajectory.name == "half used" and plan.name == "Starter":
        plan = PLANS[1]
    customer_for = trajectory.joined + (chance.uniform(20, 900) if trajectory.joined > 358 else 0)
    renews_in = trajectory.renews_in
    if renews_in is None:
        renews_in = 365 - customer_for % 365
    crm, prefix = chance.choice((("hubspot", ""), ("salesforce", "0015g00000")))
    provider = chance.choices(tuple(PROVIDERS), (70, 20, 10))[0]
    return Account(
        id=f"co_{10_000 + number * 7 % 9_973 + number // 9_973 * 10_000}",
        name=name,
        domain=f"{_ascii_lowercase(name).replace(' ', '-')}.example",
        industry=industry,
        region=chance.choices(tuple(OFFSETS), [REGION_SHARES[r] for r in OFFSETS])[0],
        plan=plan,
        seats=chance.randint(*plan.seats),
        owner=f"{chance.choice(OWNERS)}@{OWNERS_DOMAIN}",
        customer_for=customer_for,
        renews_in=renews_in,
        crm=(crm, f"{prefix}{chance.randrange(10**8, 10**9)}"),
        payment=(provider, PROVIDERS[provider] + _code(chance, 14)),
        trajectory=trajectory,
    )


def make_users(seed: int, number: int, account: Account) -> Iterator[User]:
    """Yield the users of an account, without end."""
    chance = Random(f"{seed}/people/{number}")
    taken: set[str] = set()
    while True:
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        local = f"{_ascii_lowercase(first)}.{_ascii_lowercase(last)}"
        if local in taken:
            continue
        role = "admin" if not taken or chance.random() < 0.05 else "member"
        taken.add(local)
        yield User(
            id=f"usr_{_code(chance, 12)}",
            name=f"{first} {last}",
            email=f"{local}@{account.domain}",
            role=role,
            title=chance.choice(TITLES),
        )


@cache
def _names(seed: int) -> list[tuple[str, str]]:
    """Return industry and name of every account; each name occurs once."""
    chance = Random(f"{seed}/names")
    by_industry = {
        industry: [f"{stem} {suffix}" for stem in STEMS for suffix in suffixes]
        for industry, suffixes in SUFFIXES.items()
    }
    for names in by_industry.values():
        chance.shuffle(names)
    accounts = []
    while by_industry:
        remaining = list(by_industry)
        industry = chance.choices(remaining, [INDUSTRY_SHARES[name] for name in remaining])[0]
        accounts.append((industry, by_industry[industry].pop()))
        if not by_industry[industry]:
            del by_industry[industry]
    return accounts


def _ascii_lowercase(name: str) -> str:
    """Return a name in the form that is used in addresses."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return letters.lower()


def _code(chance: Random, length: int) -> str:
    return "".join(
        chance.choices("ABCDEFGHJKMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz23456789", k=length)
    )
