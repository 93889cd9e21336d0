import ipaddress
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import parse_url

from config.errors import ConfigError
from config.open_id import OpenIdSettings
from config.settings import DEFAULT_RATE_LIMIT, Settings

POSTGRES = "postgresql://brazebee:pg-password@db.internal/brazebee"
REDIS = "redis://default:redis-password@queue.internal:6379/0"


def read(**environment: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": POSTGRES, "REDIS_URL": REDIS, **environment})


def faults(**environment: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as raised:
        read(**environment)
    return dict(line.split(": ", 1) for line in str(raised.value).splitlines())


def options(redis_url: str) -> dict[str, Any]:
    """Return the connection options that redis-py reads from an address."""
    return dict(parse_url(redis_url))  # type: ignore[no-untyped-call]


def rate_limit_url(redis_url: str) -> str:
    return read(REDIS_URL=redis_url).rate_limit_redis_url


def test_two_addresses_are_enough() -> None:
    assert read() == Settings(
        database_url=POSTGRES,
        redis_url=REDIS,
        rate_limit_redis_url="redis://default:redis-password@queue.internal:6379/1",
        rate_limit="10000/hour",
        secret_keys=(),
        webhook_allow_nets=(),
        trusted_proxies=0,
        log_level="INFO",
    )
    assert DEFAULT_RATE_LIMIT == "10000/hour"


def test_everything_can_be_set() -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    assert read(
        BRAZEBEE_RATE_LIMIT_REDIS_URL="redis://elsewhere/7",
        BRAZEBEE_RATE_LIMIT="5 per 2 minutes",
        BRAZEBEE_SECRET_KEY=f"{first}, {second}",
        BRAZEBEE_WEBHOOK_ALLOW_NETS="10.1.0.0/16, fd00::/8,192.168.1.5",
        BRAZEBEE_TRUSTED_PROXIES="2",
        BRAZEBEE_METRICS_TOKEN="t0ken",
        BRAZEBEE_INGRESS_URL="https://events.example.com",
        BRAZEBEE_DASHBOARD_URL="https://health.example.com/",
        BRAZEBEE_ADMIN_EMAIL="ann@acme.com",
        BRAZEBEE_OIDC_ISSUER="https://accounts.example.com",
        BRAZEBEE_OIDC_CLIENT_ID="brazebee",
        BRAZEBEE_OIDC_CLIENT_SECRET="oidc-secret",
        BRAZEBEE_LOG_LEVEL="DEBUG",
    ) == Settings(
        database_url=POSTGRES,
        redis_url=REDIS,
        rate_limit_redis_url="redis://elsewhere/7",
        rate_limit="5 per 2 minutes",
        secret_keys=(first, second),
        webhook_allow_nets=(
            ipaddress.ip_network("10.1.0.0/16"),
            ipaddress.ip_network("fd00::/8"),
            ipaddress.ip_network("192.168.1.5/32"),
        ),
        trusted_proxies=2,
        metrics_token="t0ken",
        ingress_url="https://events.example.com",
        dashboard_url="https://health.example.com/",
        admin_email="ann@acme.com",
        open_id=OpenIdSettings("https://accounts.example.com", "brazebee", "oidc-secret"),
        log_level="DEBUG",
    )


def test_other_environment_variables_are_ignored() -> None:
    assert read(PATH="/bin", database_url="nonsense", BRAZEBEE_DATA_DIR="/srv") == read()


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_an_empty_variable_counts_as_unset(empty: str) -> None:
    optional = (
        "BRAZEBEE_RATE_LIMIT_REDIS_URL",
        "BRAZEBEE_RATE_LIMIT",
        "BRAZEBEE_SECRET_KEY",
        "BRAZEBEE_WEBHOOK_ALLOW_NETS",
        "BRAZEBEE_TRUSTED_PROXIES",
        "BRAZEBEE_METRICS_TOKEN",
        "BRAZEBEE_INGRESS_URL",
        "BRAZEBEE_DASHBOARD_URL",
        "BRAZEBEE_ADMIN_EMAIL",
        "BRAZEBEE_OIDC_ISSUER",
        "BRAZEBEE_LOG_LEVEL",
    )
    assert read(**dict.fromkeys(optional, empty)) == read()
    assert set(faults(DATABASE_URL=empty, REDIS_URL=empty)) == {"DATABASE_URL", "REDIS_URL"}


def test_the_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        read().rate_limit = "1/hour"  # type: ignore[misc]
    assert replace(read(), rate_limit="1/hour").rate_limit == "1/hour"


def test_a_missing_address_is_reported_with_a_remedy() -> None:
    with pytest.raises(ConfigError) as raised:
        Settings.from_environment({})
    otherwise = "or start everything with `brazebee up`."
    assert str(raised.value).splitlines() == [
        f"DATABASE_URL: is not set; set it to the address of PostgreSQL, {otherwise}",
        f"REDIS_URL: is not set; set it to the address of Redis, {otherwise}",
    ]


def test_all_faults_of_the_environment_are_reported_at_once() -> None:
    assert faults(
        DATABASE_URL="mysql://localhost",
        REDIS_URL="localhost:6379",
        BRAZEBEE_RATE_LIMIT="often",
        BRAZEBEE_SECRET_KEY="short",
        BRAZEBEE_WEBHOOK_ALLOW_NETS="10.0.0.0/40",
        BRAZEBEE_TRUSTED_PROXIES="one",
        BRAZEBEE_METRICS_TOKEN="two words",
        BRAZEBEE_INGRESS_URL="events.example.com",
        BRAZEBEE_DASHBOARD_URL="https://health.example.com/path",
        BRAZEBEE_ADMIN_EMAIL="ann",
        BRAZEBEE_LOG_LEVEL="LOUD",
    ) == {
        "BRAZEBEE_ADMIN_EMAIL": "Not a valid email address.",
        "BRAZEBEE_DASHBOARD_URL": "must be the address that people open, such as"
        " https://health.example.com.",
        "BRAZEBEE_INGRESS_URL": "must be the address that applications send to, such as"
        " https://events.example.com.",
        "BRAZEBEE_LOG_LEVEL": "Must be one of: DEBUG, INFO, WARNING, ERROR.",
        "BRAZEBEE_METRICS_TOKEN": "must consist of visible ASCII characters.",
        "BRAZEBEE_RATE_LIMIT": "`often` is not a rate; expected for example 10000/hour.",
        "BRAZEBEE_SECRET_KEY": "not a Fernet key (32 bytes in url-safe base64);"
        " separate several keys by commas.",
        "BRAZEBEE_TRUSTED_PROXIES": "Not a valid integer.",
        "BRAZEBEE_WEBHOOK_ALLOW_NETS": "'10.0.0.0/40' does not appear to be an IPv4 or IPv6"
        " network; expected CIDRs such as 10.1.0.0/16.",
        "DATABASE_URL": "must start with postgresql:// or postgres://.",
        "REDIS_URL": "must start with redis:// or rediss:// or unix://, and may end in a database"
        " number, such as redis://127.0.0.1:6379/0.",
    }


@pytest.mark.parametrize("url", ["postgresql://h/d", "postgres://h/d", "postgresql:///d?host=/run"])
def test_both_url_schemes_of_postgresql_are_accepted(url: str) -> None:
    assert read(DATABASE_URL=url).database_url == url


@pytest.mark.parametrize("url", ["mysql://h", "h:5432", "redis://h", "xpostgresql://h", "//h"])
def test_another_database_is_refused(url: str) -> None:
    assert set(faults(DATABASE_URL=url)) == {"DATABASE_URL"}


@pytest.mark.parametrize("url", ["http://h", "h:6379", "amqp://h", "xredis://h", "/run/redis.sock"])
def test_another_queue_is_refused(url: str) -> None:
    assert set(faults(REDIS_URL=url)) == {"REDIS_URL"}


def test_no_secret_is_in_the_representation() -> None:
    key = Fernet.generate_key().decode()
    shown = f"{read(BRAZEBEE_SECRET_KEY=key)!r} {read(BRAZEBEE_SECRET_KEY=key)}"
    for secret in (key, "pg-password", "redis-password", "internal"):
        assert secret not in shown
    assert "rate_limit='10000/hour'" in shown


def test_no_secret_is_in_the_faults() -> None:
    messages = faults(
        DATABASE_URL="mysql://u:pg-password@h",
        REDIS_URL="amqp://u:redis-password@h",
        BRAZEBEE_SECRET_KEY="almost-a-key",
    )
    assert len(messages) == 3
    assert not re.search("pg-password|redis-password|almost-a-key", str(messages))


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://host:6379/0", "redis://host:6379/1"),
        ("redis://host", "redis://host/1"),
        ("redis://host/", "redis://host/1"),
        ("redis://host:6379", "redis://host:6379/1"),
        ("redis://host:6379/4", "redis://host:6379/5"),
        ("redis://user:pass@host:6379/0", "redis://user:pass@host:6379/1"),
        ("rediss://host/2?ssl_cert_reqs=none", "rediss://host/3?ssl_cert_reqs=none"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/1"),
        ("unix:///path?db=0", "unix:///path?db=1"),
        ("unix:///path", "unix:///path?db=1"),
        ("unix:///run/redis/redis.sock?db=3", "unix:///run/redis/redis.sock?db=4"),
        ("unix:///a%20b/redis.sock?db=0", "unix:///a%20b/redis.sock?db=1"),
    ],
)
def test_rate_limits_use_the_next_database_of_the_same_redis(redis_url: str, expected: str) -> None:
    assert rate_limit_url(redis_url) == expected


@pytest.mark.parametrize(
    "redis_url",
    [
        "redis://host/3",
        "redis://user:pass@host:6380/3",
        "rediss://host/3?ssl_cert_reqs=none&health_check_interval=5",
        "redis://host?db=3",
        "redis://host/0?db=3",
        "unix:///path?db=3",
        "unix://user:pass@/path?db=3",
        "unix:///path?db=3&password=pass",
        "unix:///path?db=3&client_name=brazebee",
    ],
)
def test_only_the_database_number_differs_from_the_queues_redis(redis_url: str) -> None:
    assert options(rate_limit_url(redis_url)) == {**options(redis_url), "db": 4}


@pytest.mark.parametrize("redis_url", ["redis://host/abc", "redis:host", "unix:///path?db=abc"])
def test_a_database_that_is_not_a_number_is_reported_like_any_other_fault(redis_url: str) -> None:
    assert "REDIS_URL" in faults(REDIS_URL=redis_url)


def test_the_address_of_the_rate_limits_must_be_a_redis_url_too() -> None:
    assert "BRAZEBEE_RATE_LIMIT_REDIS_URL" in faults(BRAZEBEE_RATE_LIMIT_REDIS_URL="localhost")


@pytest.mark.parametrize(
    "rate", ["1/second", "600/minute", "10000/hour", "10000 per hour", "1 per 2 day", "5/MONTH"]
)
def test_a_rate_is_a_number_per_time(rate: str) -> None:
    assert read(BRAZEBEE_RATE_LIMIT=rate).rate_limit == rate


@pytest.mark.parametrize(
    "rate", ["10000", "hour", "-1/hour", "1.5/hour", "10/fortnight", "1/hour x"]
)
def test_an_invalid_rate_is_refused(rate: str) -> None:
    assert faults(BRAZEBEE_RATE_LIMIT=rate) == {
        "BRAZEBEE_RATE_LIMIT": f"`{rate}` is not a rate; expected for example 10000/hour."
    }


@pytest.mark.parametrize("rate", ["10/second;1000/hour", "10/second, 1000/hour"])
def test_several_rates_are_refused_rather_than_all_but_one_ignored(rate: str) -> None:
    assert set(faults(BRAZEBEE_RATE_LIMIT=rate)) == {"BRAZEBEE_RATE_LIMIT"}


@pytest.mark.parametrize("none", ["none", "NONE", " None "])
def test_none_allows_no_networks(none: str) -> None:
    assert read(BRAZEBEE_WEBHOOK_ALLOW_NETS=none).webhook_allow_nets == ()


@pytest.mark.parametrize(
    "nets",
    ["10.0.0.0/33", "10.0.0.1/8", "localhost", "10.0.0.0/8,", ",", "10.0.0.0/8 10.1.0.0/16",
     "10.0.0.0/8,none", "::1/129", "10.0.0", "10.0.0.0-10.0.0.9"],
)  # fmt: skip
def test_an_invalid_list_of_networks_is_refused(nets: str) -> None:
    assert (
        "expected CIDRs such as 10.1.0.0/16."
        in faults(BRAZEBEE_WEBHOOK_ALLOW_NETS=nets)["BRAZEBEE_WEBHOOK_ALLOW_NETS"]
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda key: key[:-1],
        lambda key: key + ",",
        lambda key: "," + key,
        lambda key: key + ",none",
        lambda key: "é" + key[1:],
        lambda _: "none",
        lambda _: "A" * 43,
    ],
)
def test_an_invalid_list_of_fernet_keys_is_refused(damage: Callable[[str], str]) -> None:
    key = Fernet.generate_key().decode()
    assert set(faults(BRAZEBEE_SECRET_KEY=damage(key))) == {"BRAZEBEE_SECRET_KEY"}


@pytest.mark.parametrize("after", ["A", " ", "; "])
def test_text_after_a_fernet_key_is_not_dropped(after: str) -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    assert set(faults(BRAZEBEE_SECRET_KEY=first + after + second)) == {"BRAZEBEE_SECRET_KEY"}


@pytest.mark.parametrize("number", ["-1", "11", "1.5", "many", "0x1"])
def test_the_number_of_proxies_is_from_0_to_10(number: str) -> None:
    assert set(faults(BRAZEBEE_TRUSTED_PROXIES=number)) == {"BRAZEBEE_TRUSTED_PROXIES"}
    assert read(BRAZEBEE_TRUSTED_PROXIES="0").trusted_proxies == 0
    assert read(BRAZEBEE_TRUSTED_PROXIES="10").trusted_proxies == 10


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "BRAZEBEE_RATE_LIMIT",
                "BRAZEBEE_SECRET_KEY",
                "BRAZEBEE_WEBHOOK_ALLOW_NETS",
                "BRAZEBEE_TRUSTED_PROXIES",
                "BRAZEBEE_METRICS_TOKEN",
                "BRAZEBEE_LOG_LEVEL",
            ]
        ),
        st.text(),
    )
)
def test_any_text_in_a_variable_is_a_setting_or_a_fault_that_names_it(
    environment: dict[str, str],
) -> None:
    try:
        read(**environment)
    except ConfigError as error:
        named_variables = [name for name in environment if name in str(error)]
    else:
        return
    assert named_variables
