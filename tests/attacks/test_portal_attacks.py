"""Portal attacks: CSRF, session fixation, IDOR, XSS, open redirect, headers."""

from pathlib import Path
from typing import Final

import httpx2
import pytest
from sqlalchemy import insert

from consent import Status, store
from gateway.clients.tables import ClientRow
from gateway.codes import store as codes
from gateway.identity import sessions
from gateway.identity.return_url import HOME, safe_return
from gateway.identity.session_dependency import new_secret
from gateway.pages.forms import MAX_FORM_BYTES
from gateway.pages.security_headers import self_and
from gateway.settings import Settings
from tests.consent_builders import stored_consents
from tests.creditfile_builders import make_record
from tests.oauth_builders import open_oauth
from tests.portal_fixture import (
    ISSUER,
    PortalFixture,
    add_enterprise,
    hidden_fields,
    sign_in,
)
from tests.portal_steps import grant_consent

MARKUP: Final = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


async def is_active(portal: PortalFixture, consent_id: str) -> bool:
    """True if the consent is active."""
    async with portal.engine.connect() as connection:
        found = await store.by_id(connection, consent_id)
    return found is not None and found.status is Status.ACTIVE


async def every_page(
    portal: PortalFixture, browser: httpx2.AsyncClient
) -> dict[str, httpx2.Response]:
    """Every kind of page, errors included."""
    code = await portal.add_code(portal.firm)
    consent_id = await grant_consent(portal, browser)
    pages = [
        "/",
        "/portal",
        "/portal/signed-out",
        "/portal/sign-in/return",
        "/demo-identity/sign-in?state=a&nonce=b",
        f"/portal/decide/{await portal.ask()}",
        f"/portal/decide/{await portal.ask(uscc=portal.elsewhere)}",
        "/portal/decide/unknown",
        f"/portal/enterprises/{portal.firm}/consents",
        f"/portal/enterprises/{portal.firm}/looks",
        f"/portal/enterprises/{portal.firm}/codes",
        f"/portal/consents/{consent_id}",
        f"/portal/consents/{consent_id}/withdraw",
        f"/portal/codes/{code.code_id}",
        f"/portal/codes/{code.code_id}/sticker.svg",
        f"/portal/codes/{code.code_id}/revoke",
        f"/portal/codes/{code.code_id}/qr.svg",
        f"/E/{code.code_id}",
        "/E/UNKNOWN",
    ]
    return {page: await browser.get(page) for page in pages}


@pytest.mark.parametrize("forged", ["", "0" * 64, "ключ"])
async def test_a_form_without_our_token_does_nothing(portal: PortalFixture, forged: str) -> None:
    """CSRF: a missing and an invalid token."""
    browser = await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    answer = await browser.post(f"/portal/consents/{consent_id}/withdraw", data={"csrf": forged})
    assert answer.status_code == 403
    assert await is_active(portal, consent_id)


async def test_a_token_of_another_form_or_session_does_nothing(portal: PortalFixture) -> None:
    """CSRF: tokens are bound to form and session."""
    browser, other = await portal.signed_in(), await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    address = f"/portal/consents/{consent_id}"
    foreign = hidden_fields((await other.get(f"{address}/withdraw")).text, f"{address}/withdraw")
    elsewhere = hidden_fields((await browser.get(address)).text, f"{address}/pause")
    for form in (foreign, elsewhere):
        assert (await browser.post(f"{address}/withdraw", data=form)).status_code == 403
    assert await is_active(portal, consent_id)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_form_sent_from_another_site_does_nothing_even_with_our_token(
    portal: PortalFixture,
    headers: dict[str, str],
) -> None:
    """CSRF: by Origin and Sec-Fetch-Site."""
    browser = await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    address = f"/portal/consents/{consent_id}/withdraw"
    form = hidden_fields((await browser.get(address)).text, address)
    assert (await browser.post(address, data=form, headers=headers)).status_code == 403
    assert await is_active(portal, consent_id)


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": ISSUER}, {"Origin": "null"}],
)
async def test_our_own_form_is_taken_as_browsers_send_it(
    portal: PortalFixture,
    headers: dict[str, str],
) -> None:
    """A page without referrer sends `Origin: null`."""
    browser = await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    address = f"/portal/consents/{consent_id}/withdraw"
    form = hidden_fields((await browser.get(address)).text, address)
    assert (await browser.post(address, data=form, headers=headers)).status_code == 303


async def test_a_form_of_another_type_or_size_does_nothing(portal: PortalFixture) -> None:
    """JSON, plain text, an oversized body."""
    browser = await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    address = f"/portal/consents/{consent_id}/withdraw"
    form = hidden_fields((await browser.get(address)).text, address)
    text = f"csrf={form['csrf']}"
    for kind, body in (
        ("text/plain", text),
        ("application/json", text),
        ("application/x-www-form-urlencoded", text + "&x=" + "y" * 40_000),
        ("application/x-www-form-urlencoded", text + "&x=y" * 300),
        ("application/x-www-form-urlencoded", f"{text}&{text}"),
    ):
        answer = await browser.post(address, content=body, headers={"Content-Type": kind})
        assert answer.status_code == (413 if len(body) > MAX_FORM_BYTES else 403)
    assert await is_active(portal, consent_id)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/portal//evil.example",
        "/portal/../evil",
        "/portal@evil.example",
        "/portal/%2f%2fevil.example",
        "javascript:x",
        "/portal\r\nSet-Cookie: a=b",
        "/portalevil",
        "/oauth/authorize",
        "/portal/sign-in",
        "/portal/" + "a" * 600,
        " /portal",
        "/portal#@evil.example",
        "http:/portal",
    ],
)
async def test_sign_in_leads_back_to_the_portal_only(portal: PortalFixture, wanted: str) -> None:
    """Open redirect."""
    assert safe_return(wanted) == HOME
    browser = portal.browser()
    assert (await sign_in(browser, "zhang", wanted=wanted)).headers["location"] == HOME


async def test_a_planted_session_cookie_never_becomes_a_session(portal: PortalFixture) -> None:
    """Session fixation: sign-in creates a new cookie and ends the earlier session."""
    attacker = await portal.signed_in("wang")
    name = sessions.cookie_name(portal.runtime.settings)
    for planted in ("planted-value", attacker.cookies[name]):
        victim = portal.browser()
        victim.cookies.set(name, planted, domain="127.0.0.1", path="/")
        await sign_in(victim, "zhang")
        values = {cookie.value for cookie in victim.cookies.jar if cookie.name == name}
        assert values - {planted}
        spy = portal.browser()
        spy.cookies.set(name, planted)
        assert (await spy.get("/portal")).status_code == 303


async def test_a_ticket_is_of_no_use_in_another_browser(portal: PortalFixture) -> None:
    """Login CSRF: tickets are bound to the browser."""
    attacker, victim = portal.browser(), portal.browser()
    begun = await attacker.get("/portal/sign-in")
    page = await attacker.get(begun.headers["location"])
    form = hidden_fields(page.text) | {"username": "wang", "password": "correct horse battery"}
    ticket = (await attacker.post("/demo-identity/sign-in", data=form)).headers["location"]
    await victim.get("/portal/sign-in")
    for browser in (victim, portal.browser()):
        assert (await browser.get(ticket)).status_code == 400
        assert (await browser.get("/portal")).status_code == 303


async def test_another_enterprises_object_is_a_404(portal: PortalFixture) -> None:
    """IDOR over every id: the same page but for form tokens."""
    owner, stranger = await portal.signed_in("zhang"), await portal.signed_in("wang")
    consent_id = await grant_consent(portal, owner)
    code = await portal.add_code(portal.firm)
    await portal.add_look(portal.firm)
    for theirs, unknown in (
        (f"/portal/consents/{consent_id}", "/portal/consents/cst_none"),
        (f"/portal/consents/{consent_id}/withdraw", "/portal/consents/cst_none/withdraw"),
        (f"/portal/codes/{code.code_id}", f"/portal/codes/{'A' * 26}"),
        (f"/portal/codes/{code.code_id}/qr.svg", f"/portal/codes/{'A' * 26}/qr.svg"),
        (f"/portal/codes/{code.code_id}/qr.png", f"/portal/codes/{'A' * 26}/qr.png"),
        *(
            (f"/portal/codes/{code.code_id}/{file}", f"/portal/codes/{'A' * 26}/{file}")
            for file in ("sticker.svg", "sticker.png", "print/a6.pdf", "print/none.pdf")
        ),
        (f"/portal/enterprises/{portal.firm}/consents", "/portal/enterprises/NONE/consents"),
        (f"/portal/enterprises/{portal.firm}/looks", f"/portal/enterprises/{portal.unknown}/looks"),
        (f"/portal/enterprises/{portal.firm}/codes", "/portal/enterprises/NONE/codes"),
    ):
        first, second = await stranger.get(theirs), await stranger.get(unknown)
        assert (first.status_code, second.status_code) == (404, 404)
        assert first.text == second.text


async def test_acts_on_what_belongs_to_another_change_nothing(portal: PortalFixture) -> None:
    """IDOR with a valid token for that address."""
    owner, stranger = await portal.signed_in("zhang"), await portal.signed_in("wang")
    consent_id = await grant_consent(portal, owner)
    code = await portal.add_code(portal.firm)
    cookie = stranger.cookies[sessions.cookie_name(portal.runtime.settings)]
    for address, purpose in (
        (f"/portal/consents/{consent_id}/withdraw", f"withdraw {consent_id}"),
        (f"/portal/consents/{consent_id}/pause", f"pause {consent_id}"),
        (f"/portal/codes/{code.code_id}/revoke", f"revoke {code.code_id}"),
    ):
        csrf = sessions.csrf_token(portal.runtime.digests, cookie, purpose)
        assert (await stranger.post(address, data={"csrf": csrf})).status_code == 404
    assert await is_active(portal, consent_id)
    async with portal.engine.connect() as connection:
        kept = await codes.find_code(connection, code.code_id)
    assert kept is not None
    assert kept.revoked_at is None


async def test_a_request_for_another_enterprise_and_for_none_look_the_same(
    portal: PortalFixture,
) -> None:
    """The decision page does not show whether an enterprise exists."""
    browser = await portal.signed_in("zhang")
    answers = [
        await browser.get(f"/portal/decide/{await portal.ask(uscc=uscc)}")
        for uscc in (portal.elsewhere, portal.unknown)
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].text == answers[1].text


async def test_an_interaction_shown_to_one_session_is_decided_by_no_other(
    portal: PortalFixture,
) -> None:
    """The URL alone neither decides nor resumes."""
    first, second = await portal.signed_in("zhang"), await portal.signed_in("li")
    interaction = await portal.ask()
    address = f"/portal/decide/{interaction}"
    form = hidden_fields((await first.get(address)).text, address)
    assert (await second.get(address)).status_code == 409
    await first.post(address, data=form | {"decision": "grant", "dataset": "penalty"})
    resume = f"/oauth/resume?interaction={interaction}"
    assert (await second.get(resume)).status_code == 400
    assert (await first.get(resume)).status_code == 303


async def test_the_enterprise_in_the_form_is_checked_again(portal: PortalFixture) -> None:
    """A USCC in the form must be one of the person's."""
    browser = await portal.signed_in("zhang")
    address = f"/portal/decide/{await portal.ask(uscc=None)}"
    form = hidden_fields((await browser.get(address)).text, address)
    answer = await browser.post(
        address,
        data=form | {"uscc": portal.elsewhere, "decision": "grant", "dataset": "penalty"},
    )
    assert answer.status_code == 404
    async with portal.engine.connect() as connection:
        assert await stored_consents(connection, portal.elsewhere) == []


async def test_markup_from_anywhere_is_shown_as_text(portal: PortalFixture) -> None:
    """Stored XSS: client names, enterprise names, signs, penalties, requests."""
    uscc = f"{portal.firm[:-4]}XSS1"
    await add_enterprise(portal.engine, uscc, MARKUP, scope=MARKUP, address=MARKUP)
    async with portal.engine.begin() as connection:
        await connection.execute(
            insert(ClientRow).values(
                client_id=f"x-{new_secret()}",
                kind="bank",
                name_zh=MARKUP,
                name_en=MARKUP,
                state="active",
                jwks={},
                redirect_uris=[],
                scopes=[],
                created_at=portal.clock(),
            )
        )
    portal.bank = await portal.add_client(MARKUP, MARKUP)
    await portal.add_records(
        make_record(
            uscc=uscc,
            facts=MARKUP,
            violation_type=MARKUP,
            authority=MARKUP,
            source_name=MARKUP,
        )
    )
    await portal.add_look(portal.firm, asked=[MARKUP, {"question": MARKUP}], reason=MARKUP)
    browser = await portal.signed_in("zhang")
    code = await portal.add_code(uscc, MARKUP)
    pages = await every_page(portal, browser)
    pages["code"] = await browser.get(f"/E/{code.code_id}")
    pages["query"] = await browser.get("/portal", params={"notice": MARKUP, "x": MARKUP})
    for page in pages.values():
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
        assert ">49<" not in page.text
    assert "&lt;script&gt;" in pages["code"].text


async def test_no_page_can_be_framed_scripted_cached_or_sniffed(portal: PortalFixture) -> None:
    """Clickjacking and others: headers of pages and errors."""
    browser = await portal.signed_in("zhang")
    for page in (await every_page(portal, browser)).values():
        policy = page.headers["content-security-policy"]
        for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "no-referrer"
        is_public = page.request.url.path.startswith("/E/")  # asked for before each use
        assert page.headers["cache-control"] == ("no-cache" if is_public else "no-store")


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example; script-src *",
        "https://a.example/",
        "*",
        "javascript:",
        "",
        "https://a.example https://b.example",
        "https://user@a.example",
    ],
)
def test_a_strange_redirect_origin_does_not_reach_the_policy(origin: str) -> None:
    """CSP injection by a client's registered address."""
    assert self_and(origin) == ("'self'",)


async def test_cookies_on_loopback_http_are_httponly_and_lax(portal: PortalFixture) -> None:
    """HttpOnly and SameSite, without Secure and `__Host-`."""
    browser = portal.browser()
    begun = await browser.get("/portal/sign-in")
    back = await sign_in(browser, "zhang")
    for response, name in ((begun, "xinqiao-sign-in"), (back, "xinqiao")):
        cookie = next(
            each for each in response.headers.get_list("set-cookie") if each.startswith(f"{name}=")
        )
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)


async def test_the_language_is_kept_in_a_secure_cookie_behind_a_proxy(
    portal: PortalFixture, migrated_url: str, tmp_path: Path
) -> None:
    """By the scheme of the issuer, not of the connection."""
    async with open_oauth(migrated_url, tmp_path) as world:
        transport = httpx2.ASGITransport(app=world.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://10.0.0.7:8000") as http:
            behind = await http.get("/oauth/authorize?lang=en")
    on_loopback = await portal.browser().get("/?lang=en")
    for response, secure in ((behind, True), (on_loopback, False)):
        (cookie,) = response.headers.get_list("set-cookie")
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"xinqiao-lang=en", "httponly", "samesite=lax", "path=/"} <= parts
        assert ("secure" in parts) is secure


def test_cookies_elsewhere_are_host_bound_and_secure(portal_settings: Settings) -> None:
    """`__Host-`, Secure, HttpOnly, SameSite=Lax, Path=/."""
    assert sessions.cookie_name(portal_settings) == "__Host-xinqiao"
    assert sessions.cookie_attributes(portal_settings) == {
        "path": "/",
        "secure": True,
        "httponly": True,
        "samesite": "lax",
    }


@pytest.fixture
def portal_settings(tmp_path: Path) -> Settings:
    """Settings of a production installation."""
    return Settings.model_validate(
        {
            "database_url": "postgresql://x@y/z",
            "issuer": "https://credit.example.gov.cn",
            "secret": "s" * 32,
            "signing_keys": tmp_path,
            "vault_keys": tmp_path,
            "log_checkpoints": (str(tmp_path / "checkpoints"),),
        }
    )
