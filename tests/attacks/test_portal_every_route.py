"""Attacks on every route of the portal: CSRF, IDOR, headers, open redirect."""

import re
from typing import Final

import httpx2
import pytest

from gateway.identity.return_url import HOME, safe_return
from tests.portal_fixture import PortalFixture
from tests.portal_gallery import Gallery, fill_gallery, page_routes
from tests.portal_steps import rows_of

PARAMETER: Final = re.compile(r"\{(\w+)\}")
BEFORE_SIGN_IN: Final = {"/demo-identity/sign-in", "/R/{number}/check"}
"""Forms without a session; `test_portal_attacks` and `test_credit_reports_attacks` cover them."""
FOR_EVERYBODY: Final = {
    "/portal/static/{name}",
    "/portal/invitations/{invitation}",
    "/portal/receipts/{consent_id}/{version}/{proof}",
}
"""Paths without an owner: stylesheets, and links that any holder may open."""
PUBLIC: Final = ("/E/", "/R/", "/e/", "/S/", "/s/")
SCRIPTED: Final = "scanned, to compare the place"
"""The one page with a script, which works without."""
TOKENED: Final = frozenset({"scanned, to report", "POST /E/report"})
"""The public page with a form token, which no cache keeps."""
WRITTEN: Final = (
    "consent",
    "consent_event",
    "consent_kept",
    "interaction",
    "objection",
    "objection_event",
    "repair_application",
    "delegation",
    "notice_place",
    "enterprise_code",
    "credit_report",
)
FOREIGN: Final[tuple[dict[str, str], ...]] = (
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
)


def fill_parameters(path: str, ids: dict[str, str]) -> str:
    """The path with its parameters filled; unknown parameters fail."""
    return PARAMETER.sub(lambda found: ids[found[1]], path)


def without_tokens(page: httpx2.Response) -> str:
    """A page without its language link and form tokens."""
    plain = re.sub(r'name="csrf" value="[^"]*"', "", page.text)
    return re.sub(r'href="\?[^"]*"', "", plain)


async def test_no_form_does_anything_without_our_token(portal: PortalFixture) -> None:
    """CSRF: without token, with an empty one, with another form's, from another site."""
    gallery = await fill_gallery(portal)
    browser = await portal.signed_in()
    forms = page_routes(portal.app, "POST") - BEFORE_SIGN_IN
    assert len(forms) > 10, "they were not found"
    signing_out = re.findall(r'name="csrf" value="(\w+)"', (await browser.get("/portal")).text)[0]
    before = await rows_of(portal, WRITTEN)
    for path in sorted(forms):
        address = fill_parameters(path, gallery.ids())
        tokens = ["", "0" * 64] + ([] if path == "/portal/sign-out" else [signing_out])
        for token in tokens:
            answer = await browser.post(address, data={"csrf": token, "decision": "grant"})
            assert answer.status_code == 403, (path, token)
        assert (await browser.post(address)).status_code == 403, path
    for headers in FOREIGN:
        answer = await browser.post("/portal/sign-out", data={"csrf": signing_out}, headers=headers)
        assert answer.status_code == 403
    assert await rows_of(portal, WRITTEN) == before
    assert (await browser.get("/portal")).status_code == 200, "still signed in"


async def test_no_form_takes_its_own_token_from_another_site(portal: PortalFixture) -> None:
    """CSRF: a valid token submitted from another site."""
    gallery = await fill_gallery(portal)
    browser = await portal.signed_in()
    forms = {
        action: re.findall(r'name="csrf" value="(\w+)"', inside)[0]
        for path in gallery.pages.values()
        for action, inside in re.findall(
            r'<form method="post" action="(/portal[^"]+)"[^>]*>(.*?)</form>',
            (await browser.get(path)).text,
            re.DOTALL,
        )
    }
    assert len(forms) > 10
    before = await rows_of(portal, WRITTEN)
    for action, token in forms.items():
        for headers in FOREIGN:
            answer = await browser.post(action, data={"csrf": token}, headers=headers)
            assert answer.status_code == 403, (action, headers)
    assert await rows_of(portal, WRITTEN) == before


async def test_anothers_object_looks_like_an_unknown_one(portal: PortalFixture) -> None:
    """IDOR: the same status and page for another's and an unknown id."""
    gallery = await fill_gallery(portal)
    theirs = gallery.ids()
    unknown = {name: _unlike(value) for name, value in theirs.items()} | {"verb": theirs["verb"]}
    stranger = await portal.signed_in("wang")
    with_ids = {path for path in page_routes(portal.app) if PARAMETER.search(path)}
    tried = {path for path in with_ids - FOR_EVERYBODY if not path.startswith(PUBLIC)}
    assert len(tried) > 20
    for path in sorted(tried):
        first = await stranger.get(fill_parameters(path, theirs))
        second = await stranger.get(fill_parameters(path, unknown))
        assert first.status_code == second.status_code, path
        assert first.status_code in {403, 404}, path
        assert without_tokens(first) == without_tokens(second), path


async def test_headers_do_not_show_the_owner_of_a_code_or_an_interaction(
    portal: PortalFixture,
) -> None:
    """The headers are equal too."""
    gallery = await fill_gallery(portal)
    stranger = await portal.signed_in("wang")
    for path in ("/portal/codes/{code_id}", "/portal/consents/{consent_id}"):
        ids = gallery.ids()
        first = await stranger.get(fill_parameters(path, ids))
        second = await stranger.get(
            fill_parameters(path, {name: _unlike(ids[name]) for name in ids})
        )
        assert dict(first.headers) == dict(second.headers) | {
            "x-request-id": first.headers.get("x-request-id", "")
        }


async def test_no_page_can_be_framed_scripted_cached_or_sniffed(portal: PortalFixture) -> None:
    """Headers of pages, files and form errors."""
    gallery = await fill_gallery(portal)
    answers = await _answers(portal, gallery)
    for name, answer in answers.items():
        policy = answer.headers.get("content-security-policy", "")
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if is_page:
            for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
                assert rule in policy, name
            assert ("script-src" in policy) == (name == SCRIPTED), name
            assert "unsafe" not in policy, name
            assert answer.headers["x-frame-options"] == "DENY", name
            assert answer.headers["referrer-policy"] == "no-referrer", name
            assert answer.headers["cross-origin-opener-policy"] == "same-origin", name
            assert answer.headers["x-content-type-options"] == "nosniff", name
        if answer.is_success or answer.is_client_error:
            is_public = answer.url.path.upper().startswith("/E/") and not answer.is_redirect
            rule = "no-cache" if is_public and name not in TOKENED else "no-store"
            if answer.url.path.upper().startswith(
                "/S/"
            ):  # the page of one that is over may be kept
                rule = "no-"
            assert rule in answer.headers.get("cache-control", ""), name


async def _answers(portal: PortalFixture, gallery: Gallery) -> dict[str, httpx2.Response]:
    answers: dict[str, httpx2.Response] = {}
    for username, pages in (("zhang", gallery.pages), ("li", gallery.two)):
        browser = await portal.signed_in(username)
        answers |= {name: await browser.get(path) for name, path in pages.items()}
    browser = await portal.signed_in()
    for path in page_routes(portal.app):
        if PARAMETER.search(path) and not path.startswith("/portal/static"):
            answers[path] = await browser.get(fill_parameters(path, gallery.ids()))
    for path in page_routes(portal.app, "POST") - BEFORE_SIGN_IN:
        answers[f"POST {path}"] = await browser.post(fill_parameters(path, gallery.ids()))
    nobody = portal.browser()
    answers["stranger at a form"] = await nobody.post("/portal/sign-out")
    answers["stranger at a page"] = await nobody.get(gallery.pages["consent"])
    answers["no such page"] = await browser.get(gallery.pages["consent"] + "/nothing")
    return answers


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example/portal",
        "\\\\evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\x00/portal",
        "/portal\x00",
        "/portal\u2028//evil.example",
        "/portal/\u3002\u3002/evil",
        "／／evil。example",
        "https://evil\u3002example/portal",
        "/portal\u200b",
        "/portal/%5c%5cevil.example",
        "/portal/%0d%0aLocation:%20https://evil.example",
        "/portal?next=//evil.example",
        "/portal/../../evil",
        "/portal/..;/evil",
        "/portal/.%2e/evil",
        "https:evil.example",
        "https:///evil.example",
        "data:text/html,x",
        "/portal/sign-out",
        "%2f%2fevil.example",
        "/PORTAL",
    ],
)
async def test_sign_in_leads_nowhere_else(portal: PortalFixture, wanted: str) -> None:
    """Open redirect: other hosts, control characters, characters that look like dots and slashes."""
    assert safe_return(wanted) == HOME
    begun = await portal.browser().get("/portal/sign-in", params={"return": wanted})
    if begun.status_code != 400:  # U+0000 never gets so far
        assert begun.headers["location"].startswith(("/demo-identity/", "http://127.0.0.1:8000/"))


async def test_other_parameters_lead_nowhere(portal: PortalFixture) -> None:
    """No parameter of any name redirects."""
    gallery = await fill_gallery(portal)
    browser = await portal.signed_in()
    evil = "https://evil.example/"
    names = ("return", "next", "url", "redirect_uri", "redirect", "state", "lang", "notice")
    for name, path in gallery.pages.items():
        joined = "&" if "?" in path else "?"
        query = "&".join(f"{each}={evil}" for each in names)
        answer = await browser.get(f"{path}{joined}{query}")
        assert "evil.example" not in answer.headers.get("location", ""), name
        links = re.findall(r'(?:href|action|src)="([^"]*)"', answer.text)
        assert [each for each in links if each.startswith(("http", "//", "\\"))] == [], name


def _unlike(value: str) -> str:
    """An unknown id of the same shape."""
    head, _, tail = value.rpartition("_")
    return (head + "_" if head else "") + re.sub(r"\w", "a" if tail.islower() else "A", tail)
