"""Natural keys (`keys.v2`): all spellings of a number give one key, distinct numbers distinct keys."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gateway.creditfile.natural_keys import fold

UNSEEN = ("", " ", "\u3000", "\u00a0", "\u200b", "\u200d", "\ufeff", "\ufe0f", "\U000e0101", "\n")
SIGNS = {
    "-": "-－—–―‐‑‒−﹣﹘─ー〜～",
    "〔": "〔([{（［｛【〖《〈<＜「『﹝⟨",
    "〕": "〕)]}）］｝】〗》〉>＞」』﹞⟩",
    "〇": "〇○零◯",
    "·": "·・•‧∙⋅･",
    "/": "/／∕",
    ":": ":：∶",
}
WIDE = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}

# A number in its own form: no numeral stands beside a zero or an o, no two dashes beside each other.
_TOKENS = st.sampled_from(
    [*"杭测破罚监局字第号甲乙龙", *"123456789", *"abcxyz", *"〔〕/:.·、〇", "一", "丁", "10", "o1"]
)
KEYS = (
    st.lists(st.lists(_TOKENS, min_size=1, max_size=6).map("".join), min_size=1, max_size=4)
    .map("-".join)
    .filter(lambda key: not any(f"一{zero}" in key or f"{zero}一" in key for zero in "0o"))
)


@st.composite
def spelled(draw: st.DrawFn, key: str) -> str:
    """A spelling of the number."""
    typed = []
    for sign in key:
        ways = [
            sign,
            sign.upper(),
            *SIGNS.get(sign, ""),
            WIDE.get(sign, sign),
            WIDE.get(sign.upper(), sign),
        ]
        typed += [draw(st.sampled_from(UNSEEN)), draw(st.sampled_from(ways))]
    text = "".join(typed) + draw(st.sampled_from(UNSEEN))
    return unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])), text)


@given(st.data(), KEYS)
def test_however_it_is_typed_it_is_one_key(data: st.DataObject, key: str) -> None:
    """Normalisation is idempotent, so two keys never become one."""
    assert fold(key) == key
    assert fold(data.draw(spelled(key))) == key


@given(st.text(max_size=12))
def test_folding_a_form_changes_nothing(text: str) -> None:
    """For any text."""
    assert fold(fold(text)) == fold(text)
