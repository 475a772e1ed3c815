"""Mutual TLS at the authorization server (RFC 8705): authentication, binding, trusted proxies."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from structlog.testing import capture_logs

from tests.client_builders import set_active
from tests.mtls_builders import (
    SUBJECT,
    Holder,
    TlsBank,
    make_authority,
    make_certificate,
    make_tls_bank,
    parts,
    peer,
)
from tests.oauth_builders import (
    ASSERTION_TYPE,
    ISSUER,
    OAuthFixture,
    open_oauth,
    public_jwk,
    thumbprint_of,
)

CA = make_authority()
PROXY = "127.0.0.1"
ENDPOINTS = ("/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke")
FAILED = "Client authentication failed."


@pytest_asyncio.fixture
async def oauth(migrated_url: str, tmp_path: Path) -> AsyncIterator[OAuthFixture]:
    """A server behind a trusted proxy; the tests' client is the proxy."""
    settings = {"trusted_proxies": PROXY, "mtls_origin": "https://mtls.credit.test"}
    async with open_oauth(migrated_url, tmp_path, **settings) as made:
        yield made


@pytest.fixture
def holder() -> Holder:
    """A certificate of the authority."""
    return make_certificate(issuer=CA)


async def by_itself(oauth: OAuthFixture, *, bound: bool = True) -> TlsBank:
    """A client registered with a self-signed certificate."""
    own = make_certificate()
    keys = {"keys": [own.jwk]}
    method = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}
    return await make_tls_bank(oauth, own, jwks=keys, bound=bound, **method)


def form_for(path: str, bank: TlsBank) -> dict[str, str]:
    """Form for an endpoint."""
    forms = {
        "/oauth/token": {"grant_type": "client_credentials"},
        "/oauth/par": bank.bank.request(),
        "/oauth/introspect": {"token": "none of ours"},
        "/oauth/revoke": {"token": "none of ours"},
    }
    return forms[path]


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_a_client_authenticates_by_certificate_everywhere(
    oauth: OAuthFixture, holder: Holder, path: str
) -> None:
    """With both methods; `client_id` is required."""
    for bank in (await make_tls_bank(oauth, holder), await by_itself(oauth)):
        form = form_for(path, bank)
        answer = await bank.post(path, form)
        assert answer.status_code in {200, 201}, answer.text
        refused = await bank.post(path, {**form, "client_id": None})
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_client"
        assert "client_id" in refused.json()["error_description"]


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_only_the_proxy_is_believed(oauth: OAuthFixture, holder: Holder, path: str) -> None:
    """The header is ignored and logged from other peers and over a Unix socket."""
    bank = await make_tls_bank(oauth, holder)
    for address in ("127.0.0.2", "10.1.2.3", "::1", "::ffff:10.1.2.3", "", None):
        async with peer(oauth, address) as http:
            headers = {"Client-Cert": holder.header, "X-Forwarded-For": PROXY, "Forwarded": PROXY}
            with capture_logs() as logs:
                forged = await bank.post(path, form_for(path, bank), http=http, headers=headers)
                bare = await bank.post(path, form_for(path, bank), http=http, headers={})
        assert forged.status_code == bare.status_code == 400
        assert forged.json() == bare.json()
        assert forged.json()["error"] in {"invalid_client", "invalid_dpop_proof"}
        assert [each["event"] for each in logs].count("client_cert_ignored") == 1
    async with peer(oauth, "::ffff:127.0.0.1") as http:
        answer = await bank.post(path, form_for(path, bank), http=http)
    assert answer.status_code in {200, 201}


async def test_without_a_trusted_proxy_no_certificate_is_accepted(
    migrated_url: str, tmp_path: Path, holder: Holder
) -> None:
    """Neither loopback nor a header is trusted, and the metadata offer no mTLS."""
    async with open_oauth(migrated_url, tmp_path) as oauth:
        bank = await make_tls_bank(oauth, holder)
        assert (await bank.token()).json()["error"] == "invalid_dpop_proof"
        proof = {"DPoP": await bank.bank.proof("/oauth/token"), "Client-Cert": holder.header}
        assert (await bank.token(headers=proof)).json()["error"] == "invalid_client"
        for name in ("oauth-authorization-server", "oauth-protected-resource"):
            text = (await oauth.http.get(f"/.well-known/{name}")).text
            assert "tls_client" not in text
            assert "mtls" not in text


async def test_the_metadata_publish_mtls(oauth: OAuthFixture) -> None:
    """Methods, binding and endpoint aliases (RFC 8705 §3.3, §5)."""
    document = (await oauth.http.get("/.well-known/oauth-authorization-server")).json()
    methods = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"]
    for endpoint in ("token", "introspection", "revocation"):
        assert document[f"{endpoint}_endpoint_auth_methods_supported"] == methods
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert document["mtls_endpoint_aliases"] == {
        "pushed_authorization_request_endpoint": "https://mtls.credit.test/oauth/par",
        "token_endpoint": "https://mtls.credit.test/oauth/token",
        "introspection_endpoint": "https://mtls.credit.test/oauth/introspect",
        "revocation_endpoint": "https://mtls.credit.test/oauth/revoke",
    }
    assert document["token_endpoint"] == f"{ISSUER}/oauth/token"
    resource = (await oauth.http.get("/.well-known/oauth-protected-resource")).json()
    assert resource["tls_client_certificate_bound_access_tokens"] is True
    assert resource["dpop_bound_access_tokens_required"] is False


async def test_every_wrong_certificate_gets_the_same_error(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """Another subject, another client's, an unknown client, another method: one error."""
    bank, own = await make_tls_bank(oauth, holder), await by_itself(oauth)
    jwt_bank = await oauth.bank()
    stranger = make_certificate("CN=stranger,C=CN", issuer=CA)
    answers = [
        await bank.token(holder=stranger),
        await bank.token(holder=make_certificate(SUBJECT)),
        await own.token(holder=holder),
        await own.token(holder=make_certificate(key=own.holder.key)),
        await bank.token(form={"client_id": "nobody"}),
        await bank.token(form={"client_id": "no such client !"}),
        await bank.token(form={"client_id": jwt_bank.client_id}),
        await bank.token(form={"client_id": own.client_id}),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert answer.json() == {"error": "invalid_client", "error_description": FAILED}


async def test_an_assertion_is_no_way_in_for_who_is_registered_by_certificate(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """Alone or beside the right certificate, with its registered key or another."""
    for bank in (await make_tls_bank(oauth, holder), await by_itself(oauth)):
        signing = bank.bank.__class__(
            oauth=oauth,
            client_id=bank.client_id,
            key=bank.holder.key,
            alg="ES256",
            proof_key=bank.bank.proof_key,
        )
        for headers in ({"Client-Cert": bank.holder.header}, {}):
            header = {"kid": bank.holder.jwk["kid"]}
            form = {
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": signing.assertion(header=header),
            }
            proof = {"DPoP": await signing.proof("/oauth/token")}
            answer = await bank.token(form=form, headers=headers | proof)
            assert answer.json() == {"error": "invalid_client", "error_description": FAILED}
        for beside in ("client_assertion", "client_secret", "client_assertion_type"):
            answer = await bank.token(form={beside: "x"})
            assert answer.json()["error"] == "invalid_client"


async def test_a_certificate_is_no_way_in_for_who_is_registered_to_sign(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """Even for its registered key; its assertions are accepted through the proxy."""
    bank = await oauth.bank()
    form = {"grant_type": "client_credentials", "client_id": bank.client_id}
    own = make_certificate(issuer=CA, key=bank.key)  # type: ignore[arg-type]
    headers = {"Client-Cert": own.header, "DPoP": await bank.proof("/oauth/token")}
    answer = await oauth.http.post("/oauth/token", data=form, headers=headers)
    assert answer.json() == {"error": "invalid_client", "error_description": FAILED}
    form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": bank.assertion()}
    headers = {"Client-Cert": holder.header, "DPoP": await bank.proof("/oauth/token")}
    good = await oauth.http.post("/oauth/token", data=form, headers=headers)
    assert good.json()["token_type"] == "DPoP"
    assert parts(good.json()["access_token"])["cnf"].keys() == {"jkt"}


@pytest.mark.parametrize("days", [(-30, -1), (1, 30)])
async def test_a_certificate_counts_in_its_term_only(
    oauth: OAuthFixture, days: tuple[float, float]
) -> None:
    """Expired or not yet valid, with either method."""
    late = make_certificate(issuer=CA, days=days)
    bank = await make_tls_bank(oauth, late)
    own = make_certificate(days=days)
    other = await make_tls_bank(
        oauth,
        own,
        jwks={"keys": [own.jwk]},
        token_endpoint_auth_method="self_signed_tls_client_auth",
    )
    for each in (bank, other):
        answer = await each.token()
        assert answer.json()["error"] == "invalid_client"
        assert "term" in answer.json()["error_description"]


async def test_a_suspended_client_gets_its_own_error(oauth: OAuthFixture, holder: Holder) -> None:
    """From the next request; other callers get the general refusal."""
    bank = await make_tls_bank(oauth, holder)
    assert (await bank.token()).status_code == 200
    async with oauth.runtime.engine.begin() as connection:
        await set_active(connection, bank.client_id, active=False)
    answer = await bank.token()
    assert answer.json()["error"] == "invalid_client"
    assert "suspended" in answer.json()["error_description"]
    other = await bank.token(holder=make_certificate("CN=stranger", issuer=CA))
    assert other.json()["error_description"] == FAILED


async def test_two_certificates_or_none_that_can_be_read_are_refused(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """The request is refused: the proxy is misconfigured."""
    bank = await make_tls_bank(oauth, holder)
    two = [("Client-Cert", holder.header), ("Client-Cert", holder.header)]
    for headers in (
        two,
        {"Client-Cert": f"{holder.header}, {holder.header}"},
        {"Client-Cert": ""},
        {"Client-Cert": "::"},
        {"Client-Cert": holder.header[:-9] + ":"},
        {"Client-Cert": ":" + "QUFB" * 20_000 + ":"},
    ):
        answer = await bank.token(headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request", headers
    chain = {"Client-Cert": holder.header, "Client-Cert-Chain": ":bm90IHJlYWQ=:, nonsense"}
    assert (await bank.token(headers=chain)).status_code == 200


async def test_a_token_is_bound_to_the_certificate(oauth: OAuthFixture, holder: Holder) -> None:
    """`cnf` in token and introspection; token type Bearer, refused without the certificate."""
    bank = await make_tls_bank(oauth, holder)
    body = (await bank.token()).json()
    assert body["token_type"] == "Bearer"
    assert parts(body["access_token"])["cnf"] == {"x5t#S256": holder.thumbprint}
    told = (await bank.about("introspect", body["access_token"])).json()
    assert (told["active"], told["token_type"]) == (True, "Bearer")
    assert told["cnf"] == {"x5t#S256": holder.thumbprint}
    await bank.about("revoke", body["access_token"])
    assert (await bank.about("introspect", body["access_token"])).json() == {"active": False}


async def test_a_proof_beside_it_binds_to_both(oauth: OAuthFixture, holder: Holder) -> None:
    """The token has both bindings and the type DPoP."""
    bank = await make_tls_bank(oauth, holder)
    proof = {"DPoP": await bank.bank.proof("/oauth/token"), "Client-Cert": holder.header}
    body = (await bank.token(headers=proof)).json()
    assert body["token_type"] == "DPoP"
    cnf = parts(body["access_token"])["cnf"]
    assert cnf.keys() == {"jkt", "x5t#S256"}
    assert (await bank.token(headers=proof)).json()["error"] == "invalid_dpop_proof"


async def test_a_client_without_certificate_binding_gets_a_dpop_token(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """Authentication and binding are independent; unbound tokens do not exist."""
    bank = await make_tls_bank(oauth, holder, bound=False)
    assert (await bank.token()).json()["error"] == "invalid_dpop_proof"
    proof = {"DPoP": await bank.bank.proof("/oauth/token"), "Client-Cert": holder.header}
    body = (await bank.token(headers=proof)).json()
    assert parts(body["access_token"])["cnf"].keys() == {"jkt"}


async def test_a_client_with_assertions_may_bind_to_a_certificate(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """The token endpoint then requires a certificate; the refresh token accepts any."""
    bank = await oauth.bank()
    await oauth.change(
        "UPDATE client SET tls_client_certificate_bound_access_tokens = true WHERE client_id = :c",
        c=bank.client_id,
    )

    async def send(form: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
        signed = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": bank.assertion()}
        answer = await oauth.http.post("/oauth/token", data=form | signed, headers=headers)
        return dict(answer.json())

    with_it = {"Client-Cert": holder.header}
    form = {"grant_type": "client_credentials"}
    assert (await send(form, with_it))["token_type"] == "Bearer"
    proof = {"DPoP": await bank.proof("/oauth/token")}
    assert (await send(form, proof))["error"] == "invalid_request"
    late = make_certificate(issuer=CA, days=(-9, -1))
    assert (await send(form, {"Client-Cert": late.header}))["error"] == "invalid_request"
    code = await bank.code()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": bank.request()["redirect_uri"],
        "code_verifier": "v" * 43,
    }
    given = await send(form, with_it | {"DPoP": await bank.proof("/oauth/token")})
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    again = {"DPoP": await bank.proof("/oauth/token")}
    assert (await send(refresh, with_it | again))["token_type"] == "DPoP"
    renewed = make_certificate(issuer=CA)
    again = {"DPoP": await bank.proof("/oauth/token")}
    both = await send(refresh, {"Client-Cert": renewed.header} | again)
    assert parts(both["access_token"])["cnf"] == {
        "jkt": thumbprint_of(public_jwk(bank.proof_key)),
        "x5t#S256": renewed.thumbprint,
    }
    alone = await send(refresh, {"Client-Cert": renewed.header})
    assert parts(alone["access_token"])["cnf"] == {"x5t#S256": renewed.thumbprint}
    assert (await send(refresh, again))["error"] == "invalid_dpop_proof"  # used above
    unbound = {"DPoP": await bank.proof("/oauth/token")}
    assert (await send(refresh, unbound))["error"] == "invalid_request"


async def test_a_code_is_redeemed_with_the_certificate_of_the_pushed_request(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """A renewed or another certificate is refused."""
    bank = await make_tls_bank(oauth, holder)
    renewed = make_certificate(issuer=CA)
    refused = await bank.redeem(await bank.code(), holder=renewed)
    assert refused.json()["error"] == "invalid_grant"
    given = (await bank.redeem(await bank.code())).json()
    assert parts(given["access_token"])["cnf"] == {"x5t#S256": holder.thumbprint}
    assert given["token_type"] == "Bearer"


async def test_a_refresh_token_goes_on_with_a_renewed_certificate(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """RFC 8705 §7.1: the new token is bound to the new certificate."""
    bank = await make_tls_bank(oauth, holder)
    refresh = (await bank.redeem(await bank.code())).json()["refresh_token"]
    told = (await bank.about("introspect", refresh)).json()
    assert told["active"] is True
    assert "cnf" not in told
    renewed = make_certificate(issuer=CA)
    given = (await bank.refresh(refresh, holder=renewed)).json()
    assert parts(given["access_token"])["cnf"] == {"x5t#S256": renewed.thumbprint}
    stranger = await bank.refresh(refresh, holder=make_certificate("CN=stranger", issuer=CA))
    assert stranger.json()["error"] == "invalid_client"
    other = await make_tls_bank(oauth, holder)
    assert (await other.refresh(refresh)).json()["error"] == "invalid_grant"
    async with peer(oauth, "10.9.9.9") as http:
        assert (await bank.refresh(refresh, http=http)).status_code == 400


async def test_a_code_redeemed_with_a_proof_leaves_the_refresh_token_free_of_it(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """The access token is bound to the key; the next one to the proof of the refresh."""
    bank = await make_tls_bank(oauth, holder)
    proof = {"DPoP": await bank.bank.proof("/oauth/token"), "Client-Cert": holder.header}
    given = (await bank.redeem(await bank.code(), headers=proof)).json()
    assert parts(given["access_token"])["cnf"].keys() == {"jkt", "x5t#S256"}
    later = (await bank.refresh(given["refresh_token"])).json()
    assert parts(later["access_token"])["cnf"] == {"x5t#S256": holder.thumbprint}


async def test_alternative_names_authenticate_too(oauth: OAuthFixture) -> None:
    """Each member of RFC 8705 §2.1.2, with certificates of several names."""
    names = [x509.DNSName("api.acme.example"), x509.DNSName("other.example")]
    own = make_certificate("CN=whatever", issuer=CA, alternatives=names)
    bank = await make_tls_bank(
        oauth,
        own,
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_san_dns="api.acme.example",
    )
    assert (await bank.token()).status_code == 200
    plain = make_certificate("CN=api.acme.example", issuer=CA)
    assert (await bank.token(holder=plain)).json()["error"] == "invalid_client"


async def test_a_proof_for_the_other_address_counts_there(
    oauth: OAuthFixture, holder: Holder
) -> None:
    """`htu` is the called URL: the issuer's or the alias."""
    bank = await make_tls_bank(oauth, holder)
    for host, htu, good in (
        ("mtls.credit.test", "https://mtls.credit.test/oauth/token", True),
        ("mtls.credit.test", f"{ISSUER}/oauth/token", False),
        ("evil.test", "https://evil.test/oauth/token", False),
        ("credit.test", "https://mtls.credit.test/oauth/token", False),
    ):
        proof = await bank.bank.proof("/oauth/token", htu=htu)
        headers = {"DPoP": proof, "Client-Cert": holder.header, "Host": host}
        assert (await bank.token(headers=headers)).is_success is good, (host, htu)
