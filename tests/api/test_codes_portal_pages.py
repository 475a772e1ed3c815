"""Portal pages of enterprise codes: QR symbols, check phrases, revocation."""

import pytest
import zxingcpp
from sqlalchemy import text

from gateway.codes import qr
from gateway.codes.ids import PHRASE_WORDS, code_id_from, code_url, parse_code_id, phrase_from
from tests.portal_fixture import ISSUER, PortalFixture, hidden_fields


def pixels(matrix: qr.Matrix, scale: int) -> memoryview:
    """Grey pixels of the symbol."""
    lines = [bytes(0 if dark else 255 for dark in row for _ in range(scale)) for row in matrix]
    size = len(matrix) * scale
    return memoryview(b"".join(line * scale for line in lines)).cast("B", (size, size))


def test_the_scheme_of_a_printed_address_is_in_lower_case() -> None:
    """As phones match it; host, path and number are in capitals."""
    assert code_url("https://qym.zj.gov.cn", "A" * 26) == f"https://QYM.ZJ.GOV.CN/E/{'A' * 26}"


@pytest.mark.parametrize(
    ("host", "version"), [("qym.zj.gov.cn", 5), ("credit.zhejiang.gov.cn", 5), ("a" * 23, 5)]
)
def test_a_host_of_up_to_23_characters_stays_within_version_5(host: str, version: int) -> None:
    """At level H; the scheme in bytes costs no version."""
    matrix = qr.matrix_of(code_url(f"https://{host}", "A" * 26))
    [read] = zxingcpp.read_barcodes(pixels(matrix, 3))
    assert read.ec_level == "H"
    assert len(matrix) - 2 * qr.QUIET_ZONE_MODULES == 17 + 4 * version


def test_every_printed_symbol_is_read_back_at_small_size() -> None:
    """Level H, version 5 or less, three pixels a module."""
    for n in range(20):
        address = code_url(ISSUER, code_id_from(bytes([n * 11]) * 16))
        matrix = qr.matrix_of(address)
        [read] = zxingcpp.read_barcodes(pixels(matrix, 3))
        assert (read.text, read.ec_level) == (address, "H")
        assert len(matrix) - 2 * qr.QUIET_ZONE_MODULES <= 37  # version 5


def test_a_long_host_keeps_the_symbol_small_at_a_lower_level() -> None:
    """A lower error correction level rather than more modules."""
    address = code_url(f"https://{'credit.' * 4}example.gov.cn", "A" * 26)
    matrix = qr.matrix_of(address)
    [read] = zxingcpp.read_barcodes(pixels(matrix, 3))
    assert (read.text, read.ec_level) == (address, "Q")


def test_ids_are_random_and_of_one_alphabet() -> None:
    """Upper-case base32, which a QR symbol encodes as alphanumeric."""
    assert parse_code_id(code_id_from(bytes(range(16)))) == "AAAQEAYEAUDAOCAJBIFQYDIOB4"
    assert parse_code_id("../../etc/passwd") is None


def test_a_check_phrase_is_two_different_plain_words() -> None:
    """From a list without duplicates; every pair of bytes gives two."""
    assert len(PHRASE_WORDS) == len(set(PHRASE_WORDS)) == 64
    phrases = {phrase_from(bytes((one, other))) for one in range(256) for other in range(256)}
    assert len(phrases) == 64 * 63
    for phrase in phrases:
        one, other = phrase.split(" ")
        assert one != other
        assert {one, other} <= set(PHRASE_WORDS)


async def test_a_code_is_listed_and_shown(portal: PortalFixture) -> None:
    """With its check phrase and its symbol."""
    browser = await portal.signed_in()
    code = await portal.add_code(portal.firm)
    listed = await browser.get(f"/portal/enterprises/{portal.firm}/codes")
    assert f"/portal/codes/{code.code_id}" in listed.text
    shown = await browser.get(f"/portal/codes/{code.code_id}")
    assert code.check_phrase in shown.text
    assert f"/portal/codes/{code.code_id}/qr.svg" in shown.text


async def test_the_symbol_is_given_as_svg_and_png(portal: PortalFixture) -> None:
    """To view and to download."""
    browser = await portal.signed_in()
    code = await portal.add_code(portal.firm)
    svg = await browser.get(f"/portal/codes/{code.code_id}/qr.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.text.startswith("<svg")
    png = await browser.get(f"/portal/codes/{code.code_id}/qr.png?download")
    assert png.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert "attachment" in png.headers["content-disposition"]


async def test_a_code_is_revoked_alone(portal: PortalFixture) -> None:
    """The enterprise's other codes stay valid."""
    browser = await portal.signed_in()
    lost, kept = await portal.add_code(portal.firm), await portal.add_code(portal.firm)
    address = f"/portal/codes/{lost.code_id}/revoke"
    form = hidden_fields((await browser.get(address)).text, address)
    done = await browser.post(address, data=form)
    assert "已作废" in (await browser.get(done.headers["location"])).text
    again = await browser.post(address, data=form)
    assert again.headers["location"].endswith("too_late")
    assert (await browser.get(f"/E/{lost.code_id}")).status_code == 410
    assert (await browser.get(f"/E/{kept.code_id}")).status_code == 200
    assert (await browser.get(f"/portal/codes/{lost.code_id}/qr.svg")).status_code == 404
    async with portal.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT * FROM enterprise_code WHERE uscc = :u"), {"u": portal.firm}
        )
        by_id = {row["code_id"]: row for row in rows.mappings()}
        session = await connection.execute(
            text("SELECT identity_token_digest FROM session WHERE subject = 'demo:zhang'")
        )
        assert by_id[lost.code_id]["revoked_token_digest"] in set(session.scalars())
    assert by_id[lost.code_id]["revoked_by"] == "demo:zhang"
    assert by_id[kept.code_id]["revoked_by"] is None
