"""The symbol of a consent request: read back, and told apart from a sticker."""

import io
from typing import Final
from xml.etree import ElementTree as ET

import zxingcpp
from PIL import Image

from gateway.codes import qr
from gateway.consents.request_symbol import request_symbol

ADDRESS: Final = "https://credit.zhejiang.gov.cn/portal/asked/cst_wuivn2opl7qik5eaoiqavcutyq"
SVG: Final = "{http://www.w3.org/2000/svg}"


def drawn() -> ET.Element:
    """The picture, parsed."""
    return ET.fromstring(request_symbol(ADDRESS, until="2026-12-06 10:00"))  # noqa: S314  # ours


def test_the_words_say_what_is_scanned_and_until_when() -> None:
    """In both languages; nothing that a sticker has: no title of ours, no check phrase."""
    root = drawn()
    said = " ".join(each.text or "" for each in root.iter(f"{SVG}text"))
    for words in ("授权申请", "Request for consent", "不是店铺的企业码", "2026-12-06 10:00"):
        assert words in said
    for words in ("企业码 · 信用查询", "核对口令"):
        assert words not in said


def test_the_drawn_symbol_leads_to_the_request() -> None:
    """The path, drawn as it stands, decodes to the address; no word stands in its quiet zone."""
    root = drawn()
    symbol = next(each for each in root.iter(f"{SVG}path") if each.get("transform"))
    matrix = qr.matrix_of(ADDRESS)
    assert symbol.get("d") == qr.as_path(matrix)
    picture = Image.open(io.BytesIO(qr.as_png(matrix))).convert("L")
    pixels = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
    assert [each.text for each in zxingcpp.read_barcodes(pixels)] == [ADDRESS]
    top, bottom = 10 + qr.QUIET_ZONE_MODULES, 10 + len(matrix) - qr.QUIET_ZONE_MODULES
    lines = [float(each.get("y", "0")) for each in root.iter(f"{SVG}text")]
    assert all(y <= top or y >= bottom + qr.QUIET_ZONE_MODULES for y in lines)
