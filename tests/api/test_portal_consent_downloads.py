"""Consent records and receipts: signed JSON with the shown texts, and PDF."""

import asyncio
import io
import json
import re
import secrets
from datetime import timedelta
from typing import Any

import httpx2
import jwt
import pypdf
import pytest
from pypdf.generic import ContentStream

import consent
from consent import Channel, Purpose, Request, consent_text, store
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.disclosure import consent_log_writer
from gateway.pages.chinese_font import USUAL_FONTS, find_font
from gateway.portal.consents.receipt_check import receipt_path
from tests.portal_fixture import PortalFixture, hidden_fields

FONT = find_font(None)


async def decide_link_request(
    portal: PortalFixture, browser: httpx2.AsyncClient, decision: str, *, lang: str = "zh"
) -> str:
    """Id of a consent requested by link and decided as given."""
    now = portal.clock()
    requested = consent.request(
        Request(
            client_id=portal.bank,
            uscc=portal.firm,
            purpose=Purpose.LOAN_APPROVAL,
            datasets=("penalty", "licence"),
            valid_until=now + timedelta(days=180),
            max_uses=10,
        ),
        consent_id=consent_id_from(secrets.token_bytes(RANDOM_BYTES)),
        channel=Channel.LINK,
        now=now,
    )
    assert isinstance(requested, consent.Transition)
    async with portal.engine.begin() as connection:
        await consent_log_writer.insert(connection, requested)
    consent_id = requested.consent.consent_id
    address = f"/portal/asked/{consent_id}"
    page = (await browser.get(address, params={"lang": lang})).text
    answer = await browser.post(
        address, data=hidden_fields(page, address) | {"decision": decision, "dataset": ["penalty"]}
    )
    assert answer.status_code == (303 if decision in {"grant", "refuse"} else 422)
    return consent_id


def text_of_pdf(content: bytes) -> str:
    """The drawn text without blanks, by the font's own map; pypdf takes codes from 256 on for two."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    drawn = []
    for page in reader.pages:
        resources: Any = page["/Resources"]
        [font] = resources["/Font"].values()
        to_unicode = font.get_object()["/ToUnicode"].get_data().decode()
        glyphs = {
            int(code, 16): bytes.fromhex(text).decode("utf-16-be")
            for code, text in re.findall(
                r"^<([0-9A-F]{4})> <([0-9A-F]+)>$", to_unicode, re.MULTILINE
            )
        }
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator == b"Tj":
                codes = operands[0].original_bytes
                drawn += [
                    glyphs[high << 8 | low]
                    for high, low in zip(codes[::2], codes[1::2], strict=True)
                ]
    return re.sub(r"[\s\0]", "", "".join(drawn))


async def record_of(browser: httpx2.AsyncClient, consent_id: str) -> dict[str, Any]:
    """The enterprise's downloaded record."""
    answer = await browser.get(f"/portal/consents/{consent_id}/record.json")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment;")
    found: dict[str, Any] = answer.json()
    return found


def verified_claims(portal: PortalFixture, signed: str) -> dict[str, Any]:
    """Claims of the JWT, verified with the published keys."""
    keys = {each["kid"]: each for each in portal.runtime.keys.published()["keys"]}
    key = jwt.PyJWK(keys[jwt.get_unverified_header(signed)["kid"]], algorithm="EdDSA")
    options: Any = {"verify_iat": False}  # the portal's clock is its own
    claims: dict[str, Any] = jwt.decode(signed, key, algorithms=["EdDSA"], options=options)
    return claims


async def test_the_record_is_signed_and_holds_the_words_that_were_shown(
    portal: PortalFixture,
) -> None:
    """Version, language, digest and text."""
    browser = await portal.signed_in()
    made = await record_of(browser, await decide_link_request(portal, browser, "grant", lang="en"))
    claims = verified_claims(portal, made["jwt"])
    assert (claims["record"], claims["text"]) == (made["record"], made["text"])
    notice = made["record"]["dpv:hasNotice"]
    assert (notice["dct:hasVersion"], notice["dct:language"]) == (consent_text.TEXT_VERSION, "en")
    shown = tuple(
        consent.Bilingual(zh=zh, en=en)
        for zh, en in zip(made["text"]["zh"], made["text"]["en"], strict=True)
    )
    assert consent_text.text_digest(shown).hex() == notice["xq:textSha256"]
    assert "浙江示范银行" in made["text"]["zh"][0]
    data = made["record"]["dpv:hasProcess"]["dpv:hasPersonalData"]
    assert [each["dct:identifier"] for each in data] == ["penalty"]


async def test_the_language_is_that_of_the_page_that_was_sent(portal: PortalFixture) -> None:
    """The language of the submitted page, though another tab switched to Chinese."""
    browser = await portal.signed_in()
    consent_id = await decide_link_request(portal, browser, "nothing at all")
    address = f"/portal/asked/{consent_id}"
    english = hidden_fields((await browser.get(address, params={"lang": "en"})).text, address)
    await browser.get("/portal", params={"lang": "zh"})
    await browser.post(address, data=english | {"decision": "grant", "dataset": ["penalty"]})
    made = await record_of(browser, consent_id)
    assert made["record"]["dpv:hasNotice"]["dct:language"] == "en"


async def test_after_a_withdrawal_the_record_says_so(portal: PortalFixture) -> None:
    """One event more, newly signed."""
    browser = await portal.signed_in()
    consent_id = await decide_link_request(portal, browser, "grant")
    address = f"/portal/consents/{consent_id}/withdraw"
    await browser.post(address, data=hidden_fields((await browser.get(address)).text, address))
    record = (await record_of(browser, consent_id))["record"]
    assert record["dpv:hasConsentStatus"] == "dpv:ConsentWithdrawn"
    assert [each["xq:act"] for each in record["xq:events"]] == [
        "requested",
        "granted",
        "withdrawn",
    ]


async def test_a_changed_text_is_not_decided_upon(portal: PortalFixture) -> None:
    """The decision is refused if the text changed since it was shown."""
    browser = await portal.signed_in()
    consent_id = await decide_link_request(portal, browser, "nothing at all")
    address = f"/portal/asked/{consent_id}"
    fields = hidden_fields((await browser.get(address)).text, address)
    forged = fields | {"text": "0" * 64, "decision": "grant", "dataset": ["penalty"]}
    answer = await browser.post(address, data=forged)
    assert (answer.status_code, "您的选择没有提交" in answer.text) == (422, True)


@pytest.mark.skipif(FONT is None, reason=f"no font with Chinese at {USUAL_FONTS[0]}")
@pytest.mark.parametrize(("decision", "title"), [("grant", "授权凭证"), ("refuse", "拒绝凭证")])
async def test_a_person_can_read_and_print_it(
    portal: PortalFixture, decision: str, title: str
) -> None:
    """Recipient, purpose, data, term and verification, in both languages."""
    browser = await portal.signed_in()
    consent_id = await decide_link_request(portal, browser, decision)
    answer = await browser.get(f"/portal/consents/{consent_id}/receipt.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = text_of_pdf(answer.content)
    for words in (
        title,
        "杭州云栖数据科技有限公司",
        "浙江示范银行",
        "贷款审批",
        "行政处罚",
        consent_id,
        "jwks.json",
        "Loanapproval",
    ):
        assert words in text
    assert len(answer.content) < 200_000


@pytest.mark.skipif(FONT is None, reason=f"no font with Chinese at {USUAL_FONTS[0]}")
@pytest.mark.parametrize(
    ("decision", "title", "status"),
    [
        ("nothing at all", "授权申请", "dpv:ConsentRequestDeferred"),
        ("refuse", "拒绝凭证", "dpv:ConsentRefused"),
    ],
)
async def test_receipts_of_lapsed_and_refused_requests_claim_no_consent(
    portal: PortalFixture, decision: str, title: str, status: str
) -> None:
    """A lapsed request is not an expired consent; a refusal lists no data."""
    consent_id = await decide_link_request(portal, await portal.signed_in(), decision)
    portal.clock.advance(timedelta(days=8))
    browser = await portal.signed_in()
    answer = await browser.get(f"/portal/consents/{consent_id}/receipt.pdf")
    text = text_of_pdf(answer.content)
    assert title in text
    assert "Requested,notauthorised" in text
    assert "Authorised" not in text
    assert "Consentreceipt" not in text
    record = (await record_of(browser, consent_id))["record"]
    assert record["dpv:hasConsentStatus"] == status


async def test_another_enterprises_consent_has_no_file(portal: PortalFixture) -> None:
    """The same page as for an unknown consent."""
    consent_id = await decide_link_request(portal, await portal.signed_in(), "grant")
    stranger = await portal.signed_in("wang")
    for name in ("record.json", "receipt.pdf"):
        answers = [
            await stranger.get(f"/portal/consents/{each}/{name}")
            for each in (consent_id, "cst_" + "a" * 26)
        ]
        assert {each.status_code for each in answers} == {404}
        assert len({each.text for each in answers}) == 1


async def test_drawings_at_once_all_come_out(portal: PortalFixture) -> None:
    """Concurrent PDF generation."""
    if FONT is None:
        pytest.skip(f"no font with Chinese at {USUAL_FONTS[0]}")
    browser = await portal.signed_in()
    consent_id = await decide_link_request(portal, browser, "grant")
    path = f"/portal/consents/{consent_id}/receipt.pdf"
    answers = await asyncio.gather(*(browser.get(path) for _ in range(4)))
    assert {each.status_code for each in answers} == {200}
    assert json.dumps(sorted({each.content[:5].decode() for each in answers})) == '["%PDF-"]'


@pytest.mark.skipif(FONT is None, reason=f"no font with Chinese at {USUAL_FONTS[0]}")
async def test_a_receipt_of_a_withdrawal_says_so_in_its_term(portal: PortalFixture) -> None:
    """And its pages are numbered."""
    browser = await portal.signed_in()
    consent_id = await decide_link_request(portal, browser, "grant")
    address = f"/portal/consents/{consent_id}/withdraw"
    await browser.post(address, data=hidden_fields((await browser.get(address)).text, address))
    answer = await browser.get(f"/portal/consents/{consent_id}/receipt.pdf")
    text = text_of_pdf(answer.content)
    for words in ("撤回凭证", "原定有效至", "已撤回，不再有效", "申请单位", "被查询主体", "第1页"):
        assert words in text


async def test_a_receipt_is_confirmed_to_whoever_holds_it(portal: PortalFixture) -> None:
    """Without sign-in, by the address of its QR code alone; a later change shows."""
    browser = await portal.signed_in()
    consent_id = await decide_link_request(portal, browser, "grant")
    async with portal.engine.connect() as connection:
        held = await store.by_id(connection, consent_id)
    assert held is not None
    path = receipt_path(portal.runtime.digests, held)
    stranger = portal.browser()
    page = await stranger.get(path)
    assert page.status_code == 200
    for words in ("凭证由本系统出具", "浙江示范银行", "杭州云栖数据科技有限公司", consent_id):
        assert words in page.text
    assert "又有变化" not in page.text
    address = f"/portal/consents/{consent_id}/withdraw"
    await browser.post(address, data=hidden_fields((await browser.get(address)).text, address))
    later = await stranger.get(path)
    assert ("又有变化" in later.text, "已撤回" in later.text) == (True, True)
    forged = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert (await stranger.get(forged)).status_code == 404
