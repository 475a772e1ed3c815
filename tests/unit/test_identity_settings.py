"""Settings of OpenID sign-in: complete or absent, checked at start-up."""

import json
import stat
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from gateway.app import create_app
from gateway.cli.main import app
from gateway.identity.openid import OpenIdProvider
from gateway.identity.provider_client_auth import new_client_key
from gateway.settings import Settings, SettingsError

WHOLE: Final[dict[str, Any]] = {
    "identity_issuer": "https://id.example.gov.cn/realms/people",
    "identity_client_id": "xinqiao",
    "identity_client_secret": "made-up",
    "identity_claim": "enterprises",
}


def settings(**identity: Any) -> Settings:
    """Production settings with these sign-in settings; `None` leaves one out."""
    chosen: dict[str, Any] = {
        "database_url": "postgresql://x@y/z",
        "issuer": "https://credit.example.gov.cn",
        "secret": "s" * 32,
        "signing_keys": "/nowhere",
        "vault_keys": "/nowhere",
        "log_checkpoints": "/nowhere",
        **identity,
    }
    return Settings.from_env(**{k: v for k, v in chosen.items() if v is not None})


def test_without_any_of_them_sign_in_is_unavailable() -> None:
    """Start-up succeeds; the sign-in page is 503."""
    assert not hasattr(create_app(settings()).state, "identity_provider")


def test_with_all_of_them_people_sign_in_at_the_provider() -> None:
    """In production, and in the demo in place of its own provider."""
    for more in ({}, {"demo": True}):
        made = create_app(settings(**WHOLE, **more))
        assert isinstance(made.state.identity_provider, OpenIdProvider)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"identity_issuer": None}, "XINQIAO_IDENTITY_ISSUER"),
        ({"identity_client_id": None}, "XINQIAO_IDENTITY_CLIENT_ID"),
        ({"identity_claim": None}, "XINQIAO_IDENTITY_CLAIM"),
        ({"identity_client_secret": None}, "XINQIAO_IDENTITY_CLIENT_KEY"),
        ({"identity_client_key": "/nowhere"}, "not both"),
        ({"identity_issuer": "http://id.example.gov.cn"}, "https address"),
        ({"identity_issuer": "http://127.0.0.1:8080"}, "https address"),
        ({"identity_issuer": "https://id.example.gov.cn?x=1"}, "https address"),
        ({"identity_issuer": "https://"}, "https address"),
        ({"identity_scope": "profile"}, "must name openid"),
        ({"identity_max_age": 5}, "XINQIAO_IDENTITY_MAX_AGE"),
    ],
)
def test_a_part_that_is_missing_or_wrong_is_named(changed: dict[str, Any], named: str) -> None:
    """By variable, without quoting secrets."""
    with pytest.raises(SettingsError) as refused:
        settings(**{**WHOLE, **changed})
    assert named in str(refused.value)
    assert "made-up" not in str(refused.value)


def test_a_single_setting_is_incomplete() -> None:
    """For each of them."""
    alone = {
        "identity_delegate_roles": "agent",
        "identity_acr": "high",
        "identity_rs256": True,
        "identity_max_age": 600,
    }
    for name, value in {**WHOLE, **alone}.items():
        with pytest.raises(SettingsError, match="XINQIAO_IDENTITY_"):
            settings(**{name: value})


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"kty": "EC", "crv": "P-256"}'])
def test_a_client_key_that_cannot_sign_stops_the_start(tmp_path: Path, content: str | None) -> None:
    """At start-up, not at the first sign-in."""
    file = tmp_path / "client.json"
    if content is not None:
        file.write_text(content)
    whole = {**WHOLE, "identity_client_secret": None, "identity_client_key": file}
    with pytest.raises(SettingsError, match="XINQIAO_IDENTITY_CLIENT_KEY"):
        create_app(settings(**whole))
    public = {name: value for name, value in new_client_key().items() if name != "d"}
    file.write_text(json.dumps(public))
    with pytest.raises(SettingsError, match="XINQIAO_IDENTITY_CLIENT_KEY"):
        create_app(settings(**whole))


def test_the_command_makes_a_client_key_and_shows_its_public_half_alone(tmp_path: Path) -> None:
    """Mode 0600; an existing file is kept."""
    file = tmp_path / "client.json"
    done = CliRunner().invoke(app, ["keys", "identity", str(file)])
    assert done.exit_code == 0, done.stderr
    [shown] = json.loads(done.stdout)["keys"]
    kept = json.loads(file.read_text())
    assert shown == {name: value for name, value in kept.items() if name != "d"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    create_app(settings(**{**WHOLE, "identity_client_secret": None, "identity_client_key": file}))
    again = CliRunner().invoke(app, ["keys", "identity", str(file)])
    assert again.exit_code == 2
    assert json.loads(file.read_text()) == kept


def test_the_roles_that_appoint_are_none_or_those_that_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Separated by spaces; invalid roles are refused."""
    assert settings(**WHOLE).identity_delegate_roles == ()
    monkeypatch.setenv("XINQIAO_IDENTITY_DELEGATE_ROLES", " agent  credit:officer ")
    assert settings(**WHOLE).identity_delegate_roles == ("agent", "credit:officer")
    monkeypatch.setenv("XINQIAO_IDENTITY_DELEGATE_ROLES", "agent,officer")
    with pytest.raises(SettingsError, match="XINQIAO_IDENTITY_DELEGATE_ROLES"):
        settings(**WHOLE)
