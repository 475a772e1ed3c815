"""The QR symbol of a consent request as SVG, framed in words so that it is no shop's enterprise code.

A sticker has a dark band and a check phrase; this has a dashed frame, and says what it is for and until
when. Lengths are in modules.
"""

from typing import Final

from gateway.codes import qr

COLOUR: Final = "#7a4b00"
LABEL: Final = "授权申请二维码，不是店铺的企业码 Request for consent, no enterprise code of a shop"
PIXELS_PER_MODULE: Final = 8
_FONT: Final = "'PingFang SC','Noto Sans CJK SC','Microsoft YaHei',system-ui,sans-serif"
_MARGIN: Final = 3
_HEAD: Final = 10
_FOOT: Final = 11


def request_symbol(address: str, *, until: str) -> bytes:
    """The symbol for the address of a request that waits until this time, as written."""
    matrix = qr.matrix_of(address)
    size = len(matrix)
    width, height = size + 2 * _MARGIN, size + _HEAD + _FOOT
    below = _HEAD + size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width * PIXELS_PER_MODULE}" height="{height * PIXELS_PER_MODULE}" '
        f'role="img" aria-label="{LABEL}">'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/>'
        f'<rect x="1" y="1" width="{width - 2}" height="{height - 2}" rx="2" fill="none" '
        f'stroke="{COLOUR}" stroke-width=".6" stroke-dasharray="2 1.2"/>'
        f'<g font-family="{_FONT}" text-anchor="middle" fill="{COLOUR}">'
        f"{_line(width, 6.5, 4, '授权申请', bold=True)}"
        f"{_line(width, 10, 2.2, 'Request for consent')}"
        f"{_line(width, below + 2.2, 2.1, '扫码登录后决定是否同意 · Sign in to decide')}"
        f"{_line(width, below + 5.4, 2.1, f'{until} 前有效 · valid until then')}"
        f"{_line(width, below + 8.6, 2.1, '不是店铺的企业码 · Not a shop code', bold=True)}</g>"
        f'<path transform="translate({_MARGIN} {_HEAD})" shape-rendering="crispEdges" '
        f'd="{qr.as_path(matrix)}"/></svg>'
    ).encode()


def _line(width: float, y: float, size: float, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return f'<text x="{width / 2}" y="{y:g}" font-size="{size}"{weight}>{text}</text>'
