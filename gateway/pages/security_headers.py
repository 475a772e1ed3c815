"""Security headers of pages: no scripts, no framing, no caching, no referrer."""

import re
from collections.abc import Iterable
from typing import Final

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|http://\[::1\](:\d{1,5})?")


def security_headers(*, form_action: Iterable[str] = ("'self'",)) -> dict[str, str]:
    """The headers of a page; `form_action` lists allowed form targets, redirects included."""
    actions = " ".join(form_action) or "'none'"
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; "
            f"form-action {actions}; frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def self_and(origin: str) -> tuple[str, ...]:
    """Form targets: this gateway, and `origin` if it is a valid origin."""
    return ("'self'", origin) if _ORIGIN.fullmatch(origin) else ("'self'",)
