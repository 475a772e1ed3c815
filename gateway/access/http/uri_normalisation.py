"""Equivalence of http URIs: normalisation by syntax and scheme (RFC 3986 §6.2.2, §6.2.3). Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DEFAULT_PORTS: Final = {"https": 443, "http": 80}

_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)", re.ASCII)
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]]+)(?::([0-9]{0,5}))?", re.ASCII)
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})?", re.ASCII)
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A normalised http URI without query and fragment, for comparison."""

    scheme: str
    host: str
    port: int
    path: str


@lru_cache(maxsize=1_024)
def target_of(uri: str) -> Target | None:
    """The normalised target of an http or https URI; `None` if it is not one or has user info."""
    found = _URI.match(uri)
    if found is None or not uri.isprintable() or " " in uri:
        return None
    scheme, authority, path = found[1].lower(), found[2], found[3]
    named = _AUTHORITY.fullmatch(authority)
    if named is None or scheme not in DEFAULT_PORTS or not (authority + path).isascii():
        return None
    host, decoded = _decoded(named[1]), _decoded(path)
    if host is None or decoded is None:
        return None
    return Target(
        scheme=scheme,
        host=host.lower(),
        port=int(named[2] or DEFAULT_PORTS[scheme]),
        path=without_dot_segments(decoded),
    )


def without_dot_segments(path: str) -> str:
    """An absolute path without `.` and `..` (RFC 3986 §5.2.4); an empty one is `/`."""
    *_, last = segments = path.split("/")[1:] or [""]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _decoded(text: str) -> str | None:
    """Normalise percent-encoding: upper case, unreserved characters decoded; `None` if broken."""
    if any(match[1] is None for match in _ENCODED.finditer(text)):
        return None
    return _ENCODED.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else match[0].upper()
