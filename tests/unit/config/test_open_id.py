import pytest
from marshmallow import ValidationError

from config.open_id import OpenIdSettings, open_id_settings_from

REQUIRED = {
    "BRAZEBEE_OIDC_ISSUER": "https://accounts.example.com",
    "BRAZEBEE_OIDC_CLIENT_ID": "brazebee",
    "BRAZEBEE_OIDC_CLIENT_SECRET": "kept-secret",
}


def faults(**variables: str) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as raised:
        open_id_settings_from({**REQUIRED, **variables})
    return dict(raised.value.messages_dict)


def test_it_is_off_without_any_setting() -> None:
    assert open_id_settings_from({"PATH": "/bin"}) is None


def test_three_settings_are_enough_and_the_secret_is_not_shown() -> None:
    settings = open_id_settings_from(REQUIRED)
    assert settings == OpenIdSettings("https://accounts.example.com", "brazebee", "kept-secret")
    assert "kept-secret" not in repr(settings)


@pytest.mark.parametrize("missing", REQUIRED)
def test_every_required_setting_is_reported_if_it_is_missing(missing: str) -> None:
    incomplete = {name: value for name, value in REQUIRED.items() if name != missing}
    with pytest.raises(ValidationError) as raised:
        open_id_settings_from(incomplete)
    assert raised.value.messages_dict == {missing: ["is not set; OpenID Connect needs it."]}


@pytest.mark.parametrize(
    ("issuer", "accepted"),
    [
        ("https://accounts.example.com/realm", True),
        ("http://127.0.0.1:9000", True),
        ("http://localhost", True),
        ("http://accounts.example.com", False),
        ("accounts.example.com", False),
        ("https://", False),
        ("https://accounts.example.com?x=1", False),
    ],
)
def test_the_provider_is_reached_by_https(issuer: str, accepted: bool) -> None:  # noqa: FBT001
    if accepted:
        assert open_id_settings_from({**REQUIRED, "BRAZEBEE_OIDC_ISSUER": issuer})
    else:
        assert set(faults(BRAZEBEE_OIDC_ISSUER=issuer)) == {"BRAZEBEE_OIDC_ISSUER"}


def test_domain_and_default_role_belong_together() -> None:
    assert set(faults(BRAZEBEE_OIDC_DOMAIN="acme.com")) == {"BRAZEBEE_OIDC_DEFAULT_ROLE"}
    assert set(faults(BRAZEBEE_OIDC_DEFAULT_ROLE="viewer")) == {"BRAZEBEE_OIDC_DOMAIN"}
    both = {"BRAZEBEE_OIDC_DOMAIN": "acme.com", "BRAZEBEE_OIDC_DEFAULT_ROLE": "viewer"}
    settings = open_id_settings_from({**REQUIRED, **both})
    assert settings is not None
    assert (settings.domain, settings.default_role, settings.organization) == (
        "acme.com",
        "viewer",
        "default",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRAZEBEE_OIDC_DOMAIN", "@acme.com"),
        ("BRAZEBEE_OIDC_DOMAIN", "acme"),
        ("BRAZEBEE_OIDC_DEFAULT_ROLE", "owner"),
    ],
)
def test_an_invalid_value_is_refused(name: str, value: str) -> None:
    assert name in faults(**{name: value})
