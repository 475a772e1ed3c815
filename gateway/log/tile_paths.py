"""Tile paths (C2SP tlog-tiles): one path for each tile, so that caches hold it once. Pure."""

import re
from dataclasses import dataclass

from gateway.transparency.tiles import WIDTH

HIGHEST_LEVEL = 63
_LEVEL = re.compile(r"0|[1-9]\d?", re.ASCII)
# At most 15 digits: times a tile's width it fits into PostgreSQL's bigint.
_INDEX = re.compile(r"((?:x\d{3}/){0,4}\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's index in its level, and how many of its hashes are requested."""

    index: int
    width: int

    @property
    def begin(self) -> int:
        """The index of its first hash in its level."""
        return self.index * WIDTH

    @property
    def end(self) -> int:
        """The index after its last hash."""
        return self.begin + self.width

    @property
    def is_full(self) -> bool:
        """True where all its hashes are requested."""
        return self.width == WIDTH


def tile_of(path: str) -> Tile | None:
    """The tile at `path`, as `x001/x234/067` or `067.p/12`; `None` for any other text."""
    match = _INDEX.fullmatch(path)
    if match is None:
        return None
    index = int(match[1].replace("x", "").replace("/", ""))
    width = int(match[2]) if match[2] else WIDTH
    if match[1] != index_path(index) or (match[2] and width >= WIDTH):
        return None
    return Tile(index, width)


def index_path(index: int) -> str:
    """`index` in groups of three digits, all but the last prefixed with x."""
    digits = str(index)
    padded = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [padded[place : place + 3] for place in range(0, len(padded), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def level_of(text: str) -> int | None:
    """The tile level that `text` names."""
    if not _LEVEL.fullmatch(text):
        return None
    level = int(text)
    return level if level <= HIGHEST_LEVEL else None
