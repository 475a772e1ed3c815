"""Language of an answer by `Accept-Language` (RFC 9110 §12.5.4): English unless Chinese is preferred."""

from typing import Final

from starlette.requests import Request

from gateway.pages.i18n import Language

_LONGEST: Final = 1_000


def requested_language(request: Request) -> Language:
    """The language that the caller prefers, of the two there are."""
    header = request.headers.get("accept-language", "")[:_LONGEST]
    best = {"zh": 0.0, "en": 0.0}
    for item in header.lower().split(","):
        tag, *parameters = item.split(";")
        primary = tag.strip().partition("-")[0]
        if primary in best:
            best[primary] = max(best[primary], _quality(parameters))
    return "zh" if best["zh"] > best["en"] else "en"


def _quality(parameters: list[str]) -> float:
    """The weight in these parameters, 1 without one."""
    for each in parameters:
        name, _, value = each.strip().partition("=")
        if name == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
