"""Server metadata (RFC 8414, RFC 9728): every published value is enforced."""

import json

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from tests.oauth_builders import ISSUER, OAuthFixture


async def test_the_server_describes_itself(oauth: OAuthFixture) -> None:
    """RFC 8414, restricted to FAPI 2.0."""
    document = (await oauth.http.get("/.well-known/oauth-authorization-server")).json()
    AuthorizationServerMetadata(document).validate()
    assert document["issuer"] == ISSUER
    assert document["require_pushed_authorization_requests"] is True
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert document["authorization_details_types_supported"] == ["credit_data"]
    assert document["pushed_authorization_request_endpoint"] == f"{ISSUER}/oauth/par"


async def test_nothing_weak_is_offered(oauth: OAuthFixture) -> None:
    """No `none`, RS256, client secrets or unsupported grants."""
    for name in ("oauth-authorization-server", "oauth-protected-resource"):
        text = json.dumps((await oauth.http.get(f"/.well-known/{name}")).json())
        for weak in ("none", "RS256", "HS256", "plain", "implicit", "password", "client_secret"):
            assert f'"{weak}' not in text


async def test_every_address_is_on_the_issuers_origin(oauth: OAuthFixture) -> None:
    """As clients require."""
    document = (await oauth.http.get("/.well-known/oauth-authorization-server")).json()
    addresses = [v for k, v in document.items() if k.endswith("_endpoint") or k == "jwks_uri"]
    assert len(addresses) == 6
    assert all(address.startswith(f"{ISSUER}/") for address in addresses)


async def test_the_resource_server_describes_itself(oauth: OAuthFixture) -> None:
    """RFC 9728: authorization server and token binding."""
    document = (await oauth.http.get("/.well-known/oauth-protected-resource")).json()
    assert document["resource"] == ISSUER
    assert document["authorization_servers"] == [ISSUER]
    assert document["dpop_bound_access_tokens_required"] is True


async def test_the_keys_are_published_without_their_private_halves(oauth: OAuthFixture) -> None:
    """Public members, with use and validity."""
    answer = await oauth.http.get("/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert {key["xinqiao_use"] for key in keys} >= {"token", "response"}
    assert not any("d" in key for key in keys)
    assert "max-age" in answer.headers["cache-control"]
