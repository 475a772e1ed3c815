"""`names.v2`: idempotent, and yes wherever `names.v1` is, but for the characters kept apart."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.name_vectors import APART_IN_SOME_WORDS, KEPT_APART, answer, standard_characters
from tests.properties.test_verification_normalise_properties import TEXTS
from verification import loose_readings, strict_name, strict_name_v2
from verification.names_v2 import SIMPLIFIED
from verification.radicals import EQUIVALENT

ALL = standard_characters()
APART = frozenset("".join(map("".join, KEPT_APART)) + APART_IN_SOME_WORDS)
STANDARD = [each for each in ALL if each not in APART]
VARIANTS: dict[str, list[str]] = {}
for variant, standard in SIMPLIFIED.items():
    VARIANTS.setdefault(standard, []).append(chr(variant))
OTHERS = st.sampled_from(
    "·.．∙・•⸱（）〔〕【】 \u200b\ufe0f○〇ＡaB1" + "".join(map(chr, EQUIVALENT))
)
NAMES = st.lists(st.sampled_from(STANDARD) | OTHERS, min_size=1, max_size=8).map("".join)


@given(TEXTS | NAMES)
@example("⻰．⻰")
@example("\ue815.\ue816")
def test_a_form_is_its_own_form(text: str) -> None:
    """Normalisation is idempotent, and the strict form follows from that of `names.v1`."""
    form = strict_name_v2(text)
    assert strict_name_v2(form) == form
    assert strict_name_v2(strict_name(text)) == form
    for reading in loose_readings(text):
        assert loose_readings(reading)[0] == reading
        assert strict_name_v2(reading) == reading


@st.composite
def written(draw: st.DrawFn, name: str) -> str:
    """The name with characters in other writings."""
    ways = ([each, *VARIANTS.get(each, ())] for each in name)
    return "".join(draw(st.sampled_from(each)) for each in ways)


@given(st.data(), NAMES)
def test_a_yes_of_v1_is_a_yes_of_v2(data: st.DataObject, name: str) -> None:
    """Strictly or loosely, but for the characters kept apart."""
    other = data.draw(written(name) | NAMES)
    before = answer("legal_representative_name.v1", name, other)
    if before[0] == "yes":
        after = answer("legal_representative_name.v2", name, other)
        assert after[0] == "yes"
        assert before[1] == "loose" or after[1] == "strict"


@given(st.data(), st.lists(st.sampled_from(ALL), min_size=1, max_size=4))
def test_no_name_in_standard_characters_is_another(data: st.DataObject, name: list[str]) -> None:
    """Replacing one character gives `no`."""
    place = data.draw(st.integers(0, len(name) - 1))
    other = [*name[:place], data.draw(st.sampled_from(ALL)), *name[place + 1 :]]
    told = answer("legal_representative_name.v2", "".join(name), "".join(other))
    assert told == (("yes", "strict") if name == other else ("no", None))
