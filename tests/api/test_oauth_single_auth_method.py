"""One client authentication method in each request (RFC 6749 §2.3), at every endpoint."""

import pytest

from tests.oauth_builders import ASSERTION_TYPE, Bank, OAuthFixture

ENDPOINTS = ("token", "par", "introspect", "revoke")
BASIC = ("Authorization", "Basic YmFuazpzZWNyZXQ=")


async def sent(
    bank: Bank, endpoint: str, form: dict[str, str | list[str]], *headers: tuple[str, str]
) -> tuple[int, str, str]:
    """Status, error and challenge of the answer to a form."""
    path = f"/oauth/{endpoint}"
    asked = bank.request() if endpoint == "par" else {"grant_type": "client_credentials"}
    asked |= {"token": "x"}
    answer = await bank.oauth.http.post(
        path, data={**asked, **form}, headers=[*headers, ("DPoP", await bank.proof(path))]
    )
    return (
        answer.status_code,
        answer.json().get("error", ""),
        answer.headers.get("www-authenticate", ""),
    )


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_two_methods_in_one_request_are_refused(oauth: OAuthFixture, endpoint: str) -> None:
    """HTTP authentication, a secret or a second assertion beside a valid assertion."""
    bank = await oauth.bank()
    proven = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": bank.assertion()}
    secret = {"client_secret": "s"}
    for form, headers in (
        (proven, [BASIC]),
        (proven, [("Authorization", "basic YmFuazo=")]),
        (proven, [("Authorization", "Bearer token")]),
        (proven | secret, []),
        (proven | secret, [BASIC]),
        (secret, [BASIC]),
        ({}, [BASIC, BASIC]),
        ({"client_assertion_type": ASSERTION_TYPE}, [BASIC]),
        (proven | {"client_assertion": [bank.assertion(), bank.assertion()]}, []),
        (proven | {"client_assertion_type": [ASSERTION_TYPE] * 2}, []),
    ):
        status, error, _ = await sent(bank, endpoint, form, *headers)  # type: ignore[arg-type]  # of texts
        assert (status, error) == (400, "invalid_request"), (form.keys(), headers)


async def test_a_refusal_of_two_methods_spends_no_assertion(oauth: OAuthFixture) -> None:
    """The assertion stays unused."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    form = {"grant_type": "client_credentials", "client_secret": "s"}
    refused = await bank.post("/oauth/token", form, assertion=assertion)
    assert refused.json()["error"] == "invalid_request"
    assert (await bank.token(assertion=assertion)).status_code == 200


@pytest.mark.parametrize(
    ("field", "challenge"),
    [
        ("Basic YmFuazpzZWNyZXQ=", 'Basic realm="xinqiao"'),
        ("negotiate YII=", 'negotiate realm="xinqiao"'),
        ('"', 'Basic realm="xinqiao"'),
    ],
)
async def test_http_authentication_is_answered_with_its_own_challenge(
    oauth: OAuthFixture, field: str, challenge: str
) -> None:
    """RFC 6749 §5.2: 401 with the scheme that was used."""
    bank = await oauth.bank()
    found = await sent(bank, "token", {"client_id": bank.client_id}, ("Authorization", field))
    assert found == (401, "invalid_client", challenge)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_secret_alone_is_no_method_here(oauth: OAuthFixture, endpoint: str) -> None:
    """Client secrets are not supported."""
    bank = await oauth.bank()
    form: dict[str, str | list[str]] = {"client_id": bank.client_id, "client_secret": "s"}
    assert await sent(bank, endpoint, form) == (400, "invalid_client", "")
