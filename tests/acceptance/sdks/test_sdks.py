"""SDKs of other products, as published, against a running product whose ingress is killed twice.

`make sdks` installs them. Each one is given the address and the key, and nothing else.
"""

import os
from collections.abc import Iterator

import pytest

from tests.support.sdks.account import Account
from tests.support.sdks.installed import REQUIRED, SDKS, Sdk
from tests.support.sdks.report import report
from tests.support.sdks.trials import BRIEF, FULL, Scale, trial

Accounts = dict[Sdk, Account]

every_sdk = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.title)


def accounts(scale: Scale, request: pytest.FixtureRequest) -> Iterator[Accounts]:
    """Try the SDKs that are installed, and print what became of their calls."""
    present = [sdk for sdk in SDKS if not sdk.why_missing()]
    if not present:
        yield {}
        return
    with trial(scale, present) as found:
        plugins = request.config.pluginmanager
        terminal, capture = (
            plugins.get_plugin(name) for name in ("terminalreporter", "capturemanager")
        )
        if terminal and capture:  # the processes of pytest-xdist have no terminal
            with capture.global_and_fixture_disabled():
                terminal.write_line("\n" + report(found.values()))
        yield found


@pytest.fixture(scope="module")
def sdk_accounts(request: pytest.FixtureRequest) -> Iterator[Accounts]:
    yield from accounts(BRIEF, request)


@pytest.fixture(scope="module")
def full_sdk_accounts(request: pytest.FixtureRequest) -> Iterator[Accounts]:
    yield from accounts(FULL, request)


def account_of(sdk: Sdk, accounts: Accounts) -> Account:
    if sdk not in accounts:
        missing = pytest.fail if os.environ.get(REQUIRED) else pytest.skip
        missing(f"{sdk.title}: {sdk.why_missing()}")
    return accounts[sdk]


def check(account: Account) -> None:
    """Compare with what is stored and shown; only what an SDK says it gave up may be missing."""
    assert account.differences() == []
    assert account.run.sdk.gives_up or not account.run.lost


@every_sdk
def test_every_call_is_stored_once_though_the_ingress_is_killed(
    sdk_accounts: Accounts, sdk: Sdk
) -> None:
    check(account_of(sdk, sdk_accounts))


@every_sdk
@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_each_of_10_000_calls_is_stored_once(full_sdk_accounts: Accounts, sdk: Sdk) -> None:
    account = account_of(sdk, full_sdk_accounts)
    check(account)
    assert len(account.run.lost) < len(account.run.calls) / 4
