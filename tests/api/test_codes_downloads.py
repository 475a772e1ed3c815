"""Downloads of printed codes: who gets them, under which name, and what is in them."""

import io
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pypdf
import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import text, update

from gateway.access.download_limit import DOWNLOADS_PER_MINUTE
from gateway.codes.ids import code_url
from gateway.codes.printing import downloads
from gateway.codes.printing.formats import FORMATS
from gateway.creditfile.tables import enterprise
from gateway.pages.chinese_font import find_font
from tests.portal_fixture import ISSUER, PortalFixture

pytestmark = pytest.mark.skipif(find_font(None) is None, reason="no Chinese font is installed")
OPERATOR = "欧阳铁锤"


async def test_every_format_is_offered_with_its_paper_and_purpose(portal: PortalFixture) -> None:
    """On the code's page, in both languages; a revoked code offers none."""
    browser = await portal.signed_in()
    code = await portal.add_code(portal.firm)
    page = f"/portal/codes/{code.code_id}"
    for language in ("zh", "en"):
        shown = (await browser.get(page, params={"lang": language})).text
        for each in FORMATS:
            assert f'href="{page}/print/{each.key}.pdf"' in shown
            for said in (each.name, each.paper, each.purpose):
                assert said.text("en" if language == "en" else "zh") in shown
        for ending in ("png", "svg"):
            assert f"{page}/sticker.{ending}" in shown
    await portal.revoke_code(code)
    assert "/print/" not in (await browser.get(page)).text


async def test_a_pdf_is_saved_under_the_shops_sign_and_leads_to_its_page(
    portal: PortalFixture,
) -> None:
    """Its symbol is the code's address; nothing is cached."""
    browser = await portal.signed_in()
    code = await portal.add_code(portal.firm, "云栖 小店/总店")
    answer = await browser.get(f"/portal/codes/{code.code_id}/print/a6.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    said = answer.headers["content-disposition"]
    assert f'filename="{code.code_id}-a6.pdf"' in said
    assert unquote(said).endswith("UTF-8''企业码-云栖_小店_总店-a6.pdf")
    page = pypdfium2.PdfDocument(answer.content)[0]
    picture = page.render(scale=150 / 72, grayscale=True).to_pil()
    pixels = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
    [read] = zxingcpp.read_barcodes(pixels)
    assert read.text == code_url(ISSUER, code.code_id)


@pytest.mark.parametrize("file", ["print/a6.pdf", "sticker.png", "sticker.svg", "qr.svg"])
async def test_only_a_valid_code_is_printed_and_only_for_its_own_enterprise(
    portal: PortalFixture, file: str
) -> None:
    """404 for a revoked, an expired and another's code, and for a format that is none."""
    owner, stranger = await portal.signed_in("zhang"), await portal.signed_in("wang")
    code = await portal.add_code(portal.firm)
    path = f"/portal/codes/{code.code_id}"
    assert (await owner.get(f"{path}/{file}")).status_code == 200
    assert (await stranger.get(f"{path}/{file}")).status_code == 404
    assert (await owner.get(f"{path}/print/a0.pdf")).status_code == 404
    async with portal.engine.begin() as connection:
        firm = enterprise.c.uscc == portal.firm
        await connection.execute(update(enterprise).where(firm).values(name="云栖新名"))
    assert (await owner.get(f"{path}/{file}")).status_code == 404, "it is out of date"
    fresh = await portal.add_code(portal.firm)
    path = f"/portal/codes/{fresh.code_id}"
    assert (await owner.get(f"{path}/{file}")).status_code == 200
    await portal.revoke_code(fresh)
    assert (await owner.get(f"{path}/{file}")).status_code == 404


async def test_a_sheet_has_every_valid_code_once(portal: PortalFixture) -> None:
    """One number a sticker; a revoked code is left out, and a stranger gets nothing."""
    browser, stranger = await portal.signed_in(), await portal.signed_in("wang")
    address = f"/portal/enterprises/{portal.firm}/codes/sheet.pdf"
    assert (await browser.get(address)).status_code == 404
    codes = [await portal.add_code(portal.firm, f"店{number}") for number in range(10)]
    await portal.revoke_code(codes[0])
    listed = await browser.get(f"/portal/enterprises/{portal.firm}/codes")
    assert f'href="{address}"' in listed.text
    assert (await stranger.get(address)).status_code == 404
    document = pypdfium2.PdfDocument((await browser.get(address)).content)
    read = []
    for page in document:
        picture = page.render(scale=150 / 72, grayscale=True).to_pil()
        pixels = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
        read += [each.text for each in zxingcpp.read_barcodes(pixels)]
    async with portal.engine.begin() as connection:
        firm = enterprise.c.uscc == portal.firm
        await connection.execute(update(enterprise).where(firm).values(name="云栖新名"))
    assert (await browser.get(address)).status_code == 404, "all are out of date"
    assert len(document) == 2
    assert sorted(read) == sorted(code_url(ISSUER, each.code_id) for each in codes[1:])


async def test_the_operator_of_an_individual_business_is_in_no_byte(
    portal: PortalFixture,
) -> None:
    """Nor any other field than those that the public page has."""
    browser = await portal.signed_in()
    row = {"kind": "individual_business", "legal_representative": OPERATOR, "address": "秘密街9号"}
    async with portal.engine.begin() as connection:
        await connection.execute(
            update(enterprise).where(enterprise.c.uscc == portal.firm).values(**row)
        )
    code = await portal.add_code(portal.firm)
    path = f"/portal/codes/{code.code_id}"
    pdf = (await browser.get(f"{path}/print/a6.pdf")).content
    drawn = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    svg = (await browser.get(f"{path}/sticker.svg")).text
    for said in (drawn, str(pypdf.PdfReader(io.BytesIO(pdf)).metadata), svg):
        assert code.sign_name in said
        for each in (OPERATOR[0], OPERATOR[1:], "秘密", portal.firm):
            assert each not in said


async def test_a_hostile_sign_is_text_in_every_format(portal: PortalFixture) -> None:
    """In SVG it is escaped, and the answer lets no script run."""
    browser = await portal.signed_in()
    code = await portal.add_code(portal.firm, "</title><script>alert(1)</script>")
    answer = await browser.get(f"/portal/codes/{code.code_id}/sticker.svg")
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    pdf = await browser.get(f"/portal/codes/{code.code_id}/print/round.pdf")
    assert pdf.status_code == 200
    assert pdf.headers["content-disposition"].isascii()


@pytest.mark.parametrize(
    ("file", "drawing"),
    [("print/a4.pdf", "_pdf"), ("sticker.svg", "_svg"), ("sticker.png", "_png")],
)
async def test_drawing_is_limited_per_person(
    portal: PortalFixture, monkeypatch: pytest.MonkeyPatch, file: str, drawing: str
) -> None:
    """429 with the time to wait, before anything is drawn."""
    browser = await portal.signed_in()
    code = await portal.add_code(portal.firm)
    monkeypatch.setattr(downloads, drawing, lambda *_: b"drawn")
    address = f"/portal/codes/{code.code_id}/{file}"
    answers = [await browser.get(address) for _ in range(DOWNLOADS_PER_MINUTE + 1)]
    assert [each.status_code for each in answers[:-1]] == [200] * DOWNLOADS_PER_MINUTE
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_without_a_font_the_page_says_so_and_gives_the_symbol(
    portal: PortalFixture,
) -> None:
    """No format is offered that could not be drawn."""
    browser = await portal.signed_in()
    code = await portal.add_code(portal.firm)
    settings = portal.runtime.settings.model_copy(update={"font": Path("/none.ttf")})
    portal.app.state.runtime = replace(portal.runtime, settings=settings)
    shown = (await browser.get(f"/portal/codes/{code.code_id}")).text
    assert "没有中文字体" in shown
    assert "/print/" not in shown
    assert "/qr.svg?download" in shown
    answer = await browser.get(f"/portal/codes/{code.code_id}/print/a6.pdf")
    assert answer.status_code == 404


async def test_an_individual_business_without_a_name_is_named_on_its_page_alone(
    portal: PortalFixture,
) -> None:
    """Registered as its operator: the page has the name to compare with the licence, the paper has not."""
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE enterprise SET name = legal_representative WHERE uscc = :uscc"),
            {"uscc": portal.shop},
        )
    code = await portal.add_code(portal.shop, "佳禾小店")
    assert code.printed_name is None
    page = (await portal.browser().get(f"/E/{code.code_id}")).text
    assert "李四光" in page
    assert "李**" in page or "李*" in page
    twin = await portal.browser(Accept="application/json").get(f"/E/{code.code_id}")
    assert twin.json()["enterprise"]["name"] == "李四光"
    assert "李四光" not in twin.json()["enterprise"]["legal_representative"]
    owner = await portal.signed_in("shopkeeper")
    drawn = await owner.get(f"/portal/codes/{code.code_id}/sticker.svg")
    assert "佳禾小店" in drawn.text
    assert "李四光" not in drawn.text
