"""Client certificates through real proxies: HAProxy and nginx as `deploy/proxy` configures them.

Clients use Python's TLS; a `Client-Cert` header of their own must not arrive.
"""

import ssl

import httpx2
import pytest

from tests.gateway_fixture import verification_body
from tests.mtls_builders import SUBJECT, make_certificate, parts
from tests.oauth_builders import USCC
from tests.servers.proxies import CA, Proxy, token_form

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_client_goes_the_whole_way_through_the_proxy(front: Proxy) -> None:
    """Discovery, a token at the alias, and a call with it."""
    holder = make_certificate(issuer=CA)
    client_id = await front.client(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn=SUBJECT,
    )
    with front.http(holder) as http:
        found = http.get(f"{front.public}/.well-known/oauth-authorization-server").json()
        endpoint = found["mtls_endpoint_aliases"]["token_endpoint"]
        assert endpoint.startswith(front.mtls)
        given = http.post(endpoint, data=token_form(client_id))
        assert given.status_code == 200, given.text
        token = given.json()["access_token"]
        assert parts(token)["cnf"] == {"x5t#S256": holder.thumbprint}
        bearer = {"Authorization": f"Bearer {token}"}
        body = verification_body(USCC, "is_active.v1")
        answer = http.post(f"{front.mtls}/v1/verifications", json=body, headers=bearer)
        assert answer.status_code == 200, answer.text
        # where no certificate is asked for, the same token is nothing
        elsewhere = http.post(f"{front.public}/v1/verifications", json=body, headers=bearer)
        assert elsewhere.status_code == 401
    with front.http(make_certificate(issuer=CA)) as thief:
        stolen = thief.post(f"{front.mtls}/v1/verifications", json=body, headers=bearer)
        assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_token")


async def test_a_certificate_that_signed_itself_goes_through(front: Proxy) -> None:
    """The gateway compares its bytes; another certificate is refused."""
    own = make_certificate("CN=own")
    client_id = await front.client(
        {"keys": [own.jwk]},
        token_endpoint_auth_method="self_signed_tls_client_auth",
    )
    with front.http(own) as http:
        given = http.post(f"{front.mtls}/oauth/token", data=token_form(client_id))
        assert given.status_code == 200, given.text
    with front.http(make_certificate("CN=own", key=own.key)) as other:
        refused = other.post(f"{front.mtls}/oauth/token", data=token_form(client_id))
        assert refused.json()["error"] == "invalid_client"


@pytest.mark.parametrize("where", ["public", "mtls"])
async def test_large_deliveries_reach_the_gateway(front: Proxy, where: str) -> None:
    """Without a token the gateway, not the proxy, refuses a body of a megabyte."""
    with front.http(None) as http:
        refused = http.post(f"{getattr(front, where)}/v1/records", content=b" " * (1 << 20))
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("where", ["public", "mtls"])
async def test_a_forged_certificate_header_does_not_arrive(front: Proxy, where: str) -> None:
    """A forged Client-Cert header in any case, twice, or beside a real certificate."""
    victim = make_certificate(issuer=CA)
    client_id = await front.client(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn=SUBJECT,
    )
    stranger = make_certificate("CN=stranger,C=CN", issuer=CA)
    url = f"{getattr(front, where)}/oauth/token"
    for holder in (None, stranger):
        for headers in (
            [("Client-Cert", victim.header)],
            [("CLIENT-CERT", victim.header), ("client-cert", victim.header)],
            [("Client-Cert", victim.header), ("X-Forwarded-For", "127.0.0.1")],
            [("Client_Cert", victim.header)],
            [("Connection", "close, Client-Cert"), ("Client-Cert", victim.header)],
        ):
            with front.http(holder) as http:
                answer = http.post(url, data=token_form(client_id), headers=headers)
            assert answer.status_code == 400
            assert answer.json()["error"] in {"invalid_client", "invalid_dpop_proof"}, headers


async def test_no_chain_no_entry(front: Proxy) -> None:
    """An untrusted authority, a self-signed certificate, an expired one."""
    client_id = await front.client(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn=SUBJECT,
    )
    false_authority = make_certificate("CN=Test Authority,C=CN", authority=True)
    other_authority = make_certificate("CN=Mine,C=CN", authority=True)
    for holder, chain in (
        (make_certificate(issuer=false_authority), None),
        (make_certificate(issuer=false_authority), false_authority),
        (make_certificate(issuer=other_authority), None),
        (make_certificate(issuer=other_authority), other_authority),
        (make_certificate(), None),
        (make_certificate(issuer=CA, days=(-9, -1)), None),
        (make_certificate(issuer=CA, days=(1, 9)), None),
    ):
        try:
            with front.http(holder, chain=chain) as http:
                answer = http.post(f"{front.mtls}/oauth/token", data=token_form(client_id))
        except (httpx2.TransportError, ssl.SSLError):
            continue
        assert answer.status_code == 400
        document = answer.json() if "json" in answer.headers["content-type"] else {}
        assert document.get("error", "invalid_client") in {"invalid_client", "invalid_dpop_proof"}
