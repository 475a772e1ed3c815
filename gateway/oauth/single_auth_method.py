"""One client authentication method in a request (RFC 6749 §2.3); any other but an assertion refused.

Methods are HTTP authentication, a secret in the form, and an assertion. A certificate is not counted:
beside an assertion it binds the token (RFC 8705 §3).
"""

import re
from collections.abc import Sequence
from typing import Final

from gateway.oauth.errors import OAuthError, invalid_request
from gateway.oauth.form import PostedFields

ASSERTION: Final = frozenset({"client_assertion", "client_assertion_type"})
SECRET: Final = frozenset({"client_secret"})
REALM: Final = "xinqiao"
_SCHEME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")


def demand_one_method(authorization: Sequence[str], form: PostedFields) -> None:
    """Refuse two methods in one request, and HTTP authentication; raises `OAuthError`.

    `authorization` are the values of the request's `Authorization` fields.
    """
    names = form.parameters.keys()
    used = len(authorization) + bool(ASSERTION & names) + bool(SECRET & names)
    if used > 1:
        raise invalid_request("Use one client authentication method: a client_assertion alone.")
    if authorization:
        raise _no_http_authentication(authorization[0])


def _no_http_authentication(field: str) -> OAuthError:
    """The error for HTTP authentication: 401 with a challenge of its scheme (RFC 6749 §5.2)."""
    scheme = _SCHEME.fullmatch(field.partition(" ")[0])
    return OAuthError(
        "invalid_client",
        "There is no HTTP authentication of clients here; use private_key_jwt.",
        status=401,
        headers={"WWW-Authenticate": f'{scheme[0] if scheme else "Basic"} realm="{REALM}"'},
    )
