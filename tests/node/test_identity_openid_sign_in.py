"""Portal sign-in at node-oidc-provider, by its own pages, with tampered answers."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx2
import pytest
from sqlalchemy import select
from sqlmodel import col

from gateway.identity.provider_client_auth import new_client_key
from gateway.identity.tables import SessionRow
from gateway.signing.jwk import without_private
from tests.clock import Clock
from tests.node.programs import Node, Program
from tests.portal_fixture import ISSUER, PortalFixture, add_enterprise, open_portal
from tests.waiting import PATIENCE

RETURN: Final = f"{ISSUER}/portal/sign-in/return"
HIGH: Final = "urn:example:acr:high"
LOW: Final = "urn:example:acr:low"
PERSON: Final[dict[str, Any]] = {
    "sub": "person-1",
    "name": "韦若知",
    "acr": HIGH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFixture:
    """A portal, its OpenID provider, and a browser."""

    portal: PortalFixture
    firm: str
    provider: str
    http: httpx2.AsyncClient

    async def begin(self, browser: httpx2.AsyncClient, wanted: str = "/portal") -> str:
        """URL at the provider to which the portal redirects."""
        begun = await browser.get("/portal/sign-in", params={"return": wanted})
        assert begun.status_code == 303, begun.text
        return str(begun.headers["location"])

    async def confirm(self, address: str, **fields: str) -> str:
        """Sign in on the provider's pages; the URL of the redirect back."""
        page = urljoin(self.provider, (await self.http.get(address)).headers["location"])
        assert '<form method="post">' in (await self.http.get(page)).text
        answer = await self.http.post(page, data={"account": PERSON["sub"], **fields})
        address = urljoin(self.provider, answer.headers["location"])
        while not address.startswith(RETURN):
            answer = await self.http.get(address)
            address = urljoin(self.provider, answer.headers["location"])
        return address

    async def arrive(self, browser: httpx2.AsyncClient, **fields: str) -> httpx2.Response:
        """Run the whole sign-in; the portal's last answer."""
        return await browser.get(await self.confirm(await self.begin(browser), **fields))


@asynccontextmanager
async def make_sign_in_fixture(
    node: Node,
    url: str,
    folder: Path,
    *,
    client: Mapping[str, Any] | None = None,
    person: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[SignInFixture]:
    """A provider and a portal registered with each other; arguments change the configuration."""
    jwk = new_client_key()
    key_file = folder / "client.json"
    key_file.write_bytes(httpx2.Response(200, json=jwk).content)
    registered = {
        "client_id": "portal",
        "redirect_uris": [RETURN],
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256",
        "jwks": {"keys": [without_private(jwk)]},
        **(client or {}),
    }
    firm = f"91330106MB{secrets.token_hex(4).upper()}"
    mandates = [{"uscc": firm, "role": "legal_representative"}]
    account = {**PERSON, "enterprises": mandates, **(person or {})}
    ask = {"clients": [registered], "accounts": [account]}
    async with Program.running(node, "provider.mjs", ask) as program:
        issuer = (await program.says())["issuer"]
        chosen: dict[str, Any] = {
            "identity_issuer": issuer,
            "identity_client_id": "portal",
            "identity_client_key": key_file,
            "identity_scope": "openid profile enterprises",
            "identity_claim": "enterprises",
            "identity_acr": HIGH,
            **settings,
        }
        async with (
            open_portal(url, folder, clock=Clock(), **chosen) as portal,
            httpx2.AsyncClient(trust_env=False, timeout=PATIENCE) as http,
        ):
            await add_enterprise(portal.engine, firm, "宁波远航贸易有限公司")
            yield SignInFixture(portal=portal, firm=firm, provider=issuer, http=http)


async def test_a_person_signs_in_at_a_foreign_provider_and_acts_for_their_enterprise(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """Discovery, PKCE, private_key_jwt, ID token, session."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path) as setup:
        browser = setup.portal.browser()
        wanted = f"/portal/enterprises/{setup.firm}/looks"
        back = await browser.get(await setup.confirm(await setup.begin(browser, wanted)))
        assert (back.status_code, back.headers["location"]) == (303, wanted)
        assert (await browser.get(wanted)).status_code == 200
        assert (await browser.get(f"/portal/enterprises/{setup.portal.elsewhere}/looks")).is_error
        assert "韦若知" in (await browser.get("/portal")).text
        async with setup.portal.engine.connect() as connection:
            kept = await connection.execute(
                select(col(SessionRow.identity_token_digest), col(SessionRow.mandates)).where(
                    col(SessionRow.subject) == f"{setup.provider}#person-1"
                )
            )
        digest, mandates = kept.one()
        assert len(digest) == 32
        assert mandates == [{"uscc": setup.firm, "role": "legal_representative"}]


async def test_a_provider_without_private_key_jwt_knows_the_gateway_by_a_secret(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """client_secret_basic with characters that need encoding; a wrong secret is a 503."""
    secret = "s3cret/with:odd signs+%" * 2
    client = {
        "token_endpoint_auth_method": "client_secret_basic",
        "client_secret": secret,
        "jwks": {"keys": []},
    }
    for given, status in ((secret, 303), ("w" * 32, 503)):
        folder = tmp_path / str(status)
        folder.mkdir()
        settings: dict[str, Any] = {
            "identity_client_key": None,
            "identity_client_secret": given,
        }
        async with make_sign_in_fixture(
            node, migrated_url, folder, client=client, **settings
        ) as setup:
            assert (await setup.arrive(setup.portal.browser())).status_code == status


@pytest.mark.parametrize("alg", ["PS256", "RS256"])
async def test_rs256_counts_only_where_a_setting_says_so(
    node: Node, migrated_url: str, tmp_path: Path, alg: str
) -> None:
    """PS256 is always accepted (FAPI 2.0)."""
    for allowed in (True, False):
        folder = tmp_path / str(allowed)
        folder.mkdir()
        client = {"id_token_signed_response_alg": alg}
        async with make_sign_in_fixture(
            node, migrated_url, folder, client=client, identity_rs256=allowed
        ) as setup:
            arrived = await setup.arrive(setup.portal.browser())
            assert arrived.status_code == (303 if allowed or alg == "PS256" else 400)


async def test_a_sign_in_that_is_too_weak_opens_no_session(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """The ID token's `acr` is checked, and the page names what is missing."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path) as setup:
        browser = setup.portal.browser()
        weak = await setup.arrive(browser, acr=LOW)
        assert weak.status_code == 403
        assert "更高等级" in weak.text
        assert (await browser.get("/portal")).status_code == 303


async def test_an_installation_may_accept_several_strengths_or_any(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """By a setting."""
    for number, acr in enumerate((f"{HIGH} {LOW}", None)):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with make_sign_in_fixture(node, migrated_url, folder, identity_acr=acr) as setup:
            assert (await setup.arrive(setup.portal.browser(), acr=LOW)).status_code == 303


async def test_a_person_who_turns_back_at_the_provider_may_try_again(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """`access_denied` is a page with a way to try again, without a session."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path) as setup:
        browser = setup.portal.browser()
        answer = await setup.arrive(browser, account="nobody")
        assert answer.status_code == 400
        assert (await browser.get("/portal")).status_code == 303


async def test_an_answer_belongs_to_the_browser_that_asked(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """An answer with another browser's state, or with the own state in another browser."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path) as setup:
        thief, victim = setup.portal.browser(), setup.portal.browser()
        own = await setup.begin(thief)
        stolen = await setup.confirm(await setup.begin(victim))
        assert (await thief.get(stolen)).status_code == 400
        swapped = _changed(stolen, state=dict(parse_qsl(urlsplit(own).query))["state"])
        assert (await thief.get(swapped)).status_code == 400  # PKCE: the verifier is the victim's
        assert (await victim.get(_changed(stolen, state="0" * 64))).status_code == 400
        assert (await victim.get(f"{stolen}&state=twice")).status_code == 400


async def test_a_token_for_another_sign_in_of_the_same_browser_is_refused(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """The nonce is another sign-in's in an otherwise valid token."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path) as setup:
        browser = setup.portal.browser()
        asked = _changed(await setup.begin(browser), nonce="another")
        assert (await browser.get(await setup.confirm(asked))).status_code == 400


async def test_a_code_is_good_once_and_an_answer_names_its_issuer(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """A used code, an invented one, another issuer (RFC 9207)."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path) as setup:
        browser = setup.portal.browser()
        back = await setup.confirm(await setup.begin(browser))
        cookies = dict(browser.cookies)
        for wrong in (
            _changed(back, iss="https://evil.example"),
            _changed(back, iss=None),
            _changed(back, code="invented"),
            _changed(back, code=None),
            f"{back}&code=twice",
        ):
            assert (await browser.get(wrong)).status_code == 400
        assert (await browser.get(back)).status_code == 303
        again = setup.portal.browser()
        again.cookies.update(cookies)
        assert (await again.get(back)).status_code == 400


async def test_a_claim_of_another_type_is_refused(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """Unexpected types are refused."""
    person = {"enterprises": ["91330106MA2CXXXX16"]}
    async with make_sign_in_fixture(node, migrated_url, tmp_path, person=person) as setup:
        assert (await setup.arrive(setup.portal.browser())).status_code == 400


async def test_a_person_without_enterprises_signs_in_and_sees_none(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """A claim under another name is ignored."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path, identity_claim="firms") as setup:
        browser = setup.portal.browser()
        assert (await setup.arrive(browser)).status_code == 303
        assert (await browser.get(f"/portal/enterprises/{setup.firm}/looks")).status_code == 404


async def test_a_recent_sign_in_can_be_demanded(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """With `max_age` the token has `auth_time`."""
    async with make_sign_in_fixture(node, migrated_url, tmp_path, identity_max_age=60) as setup:
        assert (await setup.arrive(setup.portal.browser())).status_code == 303


async def test_a_provider_that_is_away_is_a_page_and_not_a_fault(
    node: Node, migrated_url: str, tmp_path: Path
) -> None:
    """The issuer's address refuses connections."""
    away: dict[str, Any] = {"identity_issuer": "http://127.0.0.1:9"}
    async with make_sign_in_fixture(node, migrated_url, tmp_path, **away) as setup:
        answer = await setup.portal.browser().get("/portal/sign-in")
        assert answer.status_code == 503
        assert "没有正常应答" in answer.text


def _changed(address: str, **parameters: str | None) -> str:
    base, _, query = address.partition("?")
    given: dict[str, str | None] = {**dict(parse_qsl(query)), **parameters}
    kept = {name: value for name, value in given.items() if value is not None}
    return f"{base}?{urlencode(kept)}"
