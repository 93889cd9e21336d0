import pytest
from argon2 import PasswordHasher

from services.accounts.passwords import Passwords, WeakPassword, check_strength, random_password
from services.accounts.roles import Role

QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def test_a_password_matches_only_its_own_hash() -> None:
    stored = QUICK.hash("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert QUICK.verify(stored, "correct horse battery")
    assert not QUICK.verify(stored, "correct horse batterz")
    assert not QUICK.verify(None, "correct horse battery")
    assert not QUICK.verify("no hash", "correct horse battery")
    assert stored != QUICK.hash("correct horse battery")


def test_a_password_matches_however_its_characters_are_composed() -> None:
    assert QUICK.verify(QUICK.hash("se\u0301same ouvre-toi"), "s\u00e9same ouvre-toi")


def test_a_hash_with_other_parameters_is_outdated() -> None:
    former = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert QUICK.is_outdated(former.hash("x"))
    assert not QUICK.is_outdated(QUICK.hash("x"))


def test_random_passwords_differ_and_are_strong_enough() -> None:
    passwords = {random_password() for _ in range(100)}
    assert len(passwords) == 100
    for password in passwords:
        check_strength(password, email="ann@acme.com")


@pytest.mark.parametrize(
    "password", ["", "elevenchars", "x" * 201, " Ann.Long@acme.com ", "ababababababab"]
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_strength(password, email="ann.long@acme.com")


def test_each_role_includes_the_roles_before_it() -> None:
    assert [[role.includes(other) for other in Role] for role in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
