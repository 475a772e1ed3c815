"""Enterprise code ids (128 random bits) and their check phrases (two words from a list).

The phrase on the sticker exposes a forged page; it does not expose a copied sticker.
"""

import re
import unicodedata
from base64 import b32encode
from typing import Final

RANDOM_BYTES: Final = 16
PHRASE_BYTES: Final = 2
ID_PATTERN: Final = "[A-Z2-7]{26}"
"""An id as it stands in the symbol of a sticker."""
_ID: Final = re.compile(ID_PATTERN, re.ASCII)
MAX_WRITTEN: Final = 200
_BLANKS: Final = re.compile(r"[\s\u200b\ufeff]+")
_ENDINGS: Final = "/,.。"
"""Characters that scanners and messages add to an address; full-width forms are folded to these."""

# 64 words of two characters, distinct in sight and sound.
PHRASE_WORDS: Final = tuple(
    """青山 白云 红枫 金桥 清泉 长河 明月 朝阳 春风 秋雨 冬雪 夏荷 竹林 松涛 梅花 兰草
    菊园 桃源 柳岸 麦田 茶香 稻浪 石板 木船 灯塔 风筝 书桌 铜铃 纸伞 瓷碗 丝巾 棉布
    飞鸟 游鱼 小鹿 白鹤 喜鹊 蜜蜂 蝴蝶 海豚 骏马 熊猫 杨梅 枇杷 石榴 葡萄 核桃 莲藕
    豆浆 年糕 汤圆 火车 帆布 水井 拱门 钟楼 星空 彩虹 沙滩 草原 雪峰 湖心 花窗 古镇""".split(),  # noqa: SIM905  # legible as a table
)


def code_id_from(randomness: bytes) -> str:
    """26 characters of base32, upper case, from 16 random bytes."""
    if len(randomness) != RANDOM_BYTES:
        message = f"A code's id is made of {RANDOM_BYTES} random bytes."
        raise ValueError(message)
    return b32encode(randomness).decode().rstrip("=")


def phrase_from(randomness: bytes) -> str:
    """Two different words, from two random bytes."""
    first, step = (
        byte % (len(PHRASE_WORDS) - number) for number, byte in enumerate(randomness[:2])
    )
    second = (first + 1 + step) % len(PHRASE_WORDS)
    return f"{PHRASE_WORDS[first]} {PHRASE_WORDS[second]}"


def parse_code_id(written: str) -> str | None:
    """A scanned or typed id in upper case; `None` if malformed.

    Blanks, width, and a `/`, comma or full stop at its end make no difference.
    """
    if len(written) > MAX_WRITTEN:
        return None
    plain = _BLANKS.sub("", unicodedata.normalize("NFKC", written)).rstrip(_ENDINGS).upper()
    return plain if _ID.fullmatch(plain) else None


def code_url(issuer: str, code_id: str) -> str:
    """The address in the symbol of a sticker."""
    return symbol_url(issuer, f"/E/{code_id}")


def symbol_url(issuer: str, path: str) -> str:
    """An address in a QR symbol: scheme in lower case for phones, the rest in capitals to be small."""
    scheme, colon, rest = f"{issuer}{path}".partition(":")
    return f"{scheme.lower()}{colon}{rest.upper()}"


def code_id_in(written: str, issuer: str) -> str | None:
    """The id in a typed or pasted text: an id, or the address of a code of this gateway.

    The address counts with or without its scheme and query.
    """
    plain = unicodedata.normalize("NFKC", written[:MAX_WRITTEN]).strip().upper()
    ours = re.escape(issuer.partition("://")[2].upper())
    address = re.fullmatch(rf"(?:HTTPS?://)?{ours}/E/([^?#]*)(?:[?#].*)?", plain)
    return parse_code_id(address[1] if address else plain)
