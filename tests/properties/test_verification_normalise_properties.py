"""Name normalisation: idempotent and insensitive to the listed differences."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from verification import loose_name, normalise_address, normalise_id_number, strict_name
from verification.gbk_private_use import ASSIGNED

TRICKY = st.sampled_from(
    "〔〕【】（）•・‧⋅·○〇 　\t\u0301\u0338\u200b\ufe0f\u00b4\u1e9e\u0130ſßaAé臺乾薴著瞭鍾隆麼"
    + "".join(map(chr, ASSIGNED))
)
TEXTS = st.text(st.one_of(TRICKY, st.characters()), max_size=30)


@given(TEXTS)
@example("x a \u0301")
@example("薴")
def test_a_form_is_its_own_form(text: str) -> None:
    """Normalisation is idempotent."""
    for normalise in (strict_name, loose_name, normalise_address, normalise_id_number):
        form = normalise(text)
        assert normalise(form) == form


@given(TEXTS)
def test_the_loose_form_follows_from_the_strict_one(text: str) -> None:
    """Equal strict forms have equal loose forms."""
    assert loose_name(strict_name(text)) == loose_name(text)


@given(st.text("杭州云栖数据（）·ab", min_size=1), st.data())
def test_invisible_characters_are_ignored(text: str, data: st.DataObject) -> None:
    """A zero-width character at any position is ignored."""
    at = data.draw(st.integers(0, len(text)))
    unseen = data.draw(st.sampled_from("\u200b\u200d\u2060\ufeff\ufe00\ufe0f\U000e0100"))
    assert strict_name(text[:at] + unseen + text[at:]) == strict_name(text)


@given(st.integers(0, 0x10FFFF).filter(lambda point: not 0xD800 <= point <= 0xDFFF).map(chr))
def test_an_ideograph_of_any_plane_is_never_lost(character: str) -> None:
    """For any ideographic plane, assigned in this Python's tables or not."""
    if 0x20000 <= ord(character) <= 0x3FFFD:
        assert strict_name(character)
