"""No page runs a script, is framed, is cached, or names itself to the next site."""

import re
from collections.abc import Iterable
from typing import Final

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|http://\[::1\](:\d{1,5})?")


def security_headers(*, form_action: Iterable[str] = ("'self'",)) -> dict[str, str]:
    """The headers of a page; `form_action` says where its forms may lead, redirects included."""
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
    """Forms may lead to this gateway and on to `origin`, if that is an origin and nothing else."""
    return ("'self'", origin) if _ORIGIN.fullmatch(origin) else ("'self'",)
