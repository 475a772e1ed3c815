"""Name normalisation `names.v2`: the strict form, and the readings of the loose form.

Differences from `names.v1` (`normalise`): radicals become ideographs, a dot between Han characters
becomes a middle dot, typographic apostrophes, dashes and circles become plain ones, and the loose form
merges no two of the 8,105 standard characters (通用规范汉字表): 於建 is not 于建. Its table
(`tables/names.v2.json`) was derived from OpenCC and does not follow it.
Vectors: `vectors/names.v2.json`, `vectors/answers-*.json`.
"""

import json
import re
from importlib.resources import files
from typing import Final

from verification.normalise import COMMON, is_illegible, strict_name, until_stable
from verification.radicals import EQUIVALENT

NAMES_V2: Final = "names.v2"

MIDDLE_DOTS: Final = "\u2022\u2027\u2219\u22c5\u30fb\u1427\u16eb\u2e31\u2e33\ua78f\U00010101"
"""Characters folded to U+00B7 that NFKC leaves: Unicode's confusables, and the raised dot."""
APOSTROPHES: Final = "\u2018\u2019\u02bc"
"""Characters folded to the apostrophe: O’Neil is O'Neil."""
HYPHENS: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""Characters folded to the hyphen-minus, as in `document_numbers.v1`."""
_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys(MIDDLE_DOTS, "\u00b7"),
        **dict.fromkeys(APOSTROPHES, "'"),
        **dict.fromkeys(HYPHENS, "-"),
        "\u25ef": "〇",  # the large circle of input methods
    }
)
# By code points, not by category: extensions are newer than many systems' Unicode tables. Private-use
# characters stand for Han characters that a system could not encode otherwise.
_HAN: Final = (
    "〇々\u3400-\u4dbf\u4e00-\u9fff\ue000-\ufaff\U00020000-\U0003ffff\U000f0000-\U0010ffff"
)
_DOT_BETWEEN_HAN: Final = re.compile(rf"(?<=[{_HAN}])\.(?=[{_HAN}])")
_STAND_IN: Final = re.compile("[●■▢▣▯◻◼]")

_tables: Final = json.loads(
    files("verification").joinpath("tables/names.v2.json").read_text(encoding="utf-8")
)


def _pairs(text: str) -> dict[int, str]:
    return {ord(one): other for one, other in zip(text[::2], text[1::2], strict=True)}


SIMPLIFIED: Final[dict[int, str]] = _pairs("".join(_tables["simplified"]))
"""Variant → standard character."""
ALSO: Final[dict[int, str]] = {**SIMPLIFIED, **_pairs(_tables["also"])}
"""Variant → standard character, the second one for variants that stand for two."""


def strict_name_v2(text: str) -> str:
    """A name in its strict form, as `match: strict` compares it.

    Steps: (1) radicals and strokes to their ideographs; (2) the strict form of `names.v1`, which
    assigns private-use characters, some of them to radicals; (3) more middle dots to U+00B7, and a
    full stop of any width between Han characters; apostrophes, dashes and the large circle to plain
    ones. Repeated until nothing changes.
    """
    return text if COMMON.fullmatch(text) else until_stable(_one_pass, text)


def loose_readings(text: str) -> tuple[str, str]:
    """The loose readings of a name: in standard characters, twice for variants that stand for two.

    Two names match loosely if they share a reading. The first reading is the loose form; for most
    names both are the same.
    """
    form = strict_name_v2(text)
    return form.translate(SIMPLIFIED), form.translate(ALSO)


def is_illegible_v2(form: str) -> bool:
    """True where a form has a placeholder for a character that could not be written."""
    return is_illegible(form) or _STAND_IN.search(form) is not None


def _one_pass(text: str) -> str:
    form = strict_name(text.translate(EQUIVALENT)).translate(_PLAIN)
    return _DOT_BETWEEN_HAN.sub("\u00b7", form)
