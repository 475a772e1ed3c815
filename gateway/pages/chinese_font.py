"""The font with Chinese that PDFs and pictures embed: configured, or Noto Sans CJK where Debian has it."""

from pathlib import Path
from typing import Final

# Debian's `fonts-noto-cjk`; index 2 of the collection is simplified Chinese.
USUAL_FONTS: Final = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
)
SIMPLIFIED: Final = 2


def find_font(chosen: Path | None) -> Path | None:
    """The configured font, or one at a usual path; `None` if there is none."""
    paths = (chosen,) if chosen else USUAL_FONTS
    return next((each for each in paths if each.is_file()), None)


def face_of(font: Path) -> int:
    """Index of the face for simplified Chinese in the font's file."""
    return SIMPLIFIED if font.suffix == ".ttc" else 0
