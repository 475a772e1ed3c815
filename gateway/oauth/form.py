"""Parse the posted form of an OAuth request: in the body only, bounded, each parameter once.

`resource` (RFC 8707) alone may repeat. A parameter without a value counts as left out (RFC 6749 §3).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from gateway.access.errors import (
    DigestMismatchError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from gateway.access.http import body
from gateway.oauth.errors import OAuthError, invalid_request

LARGEST_FORM: Final = 64 * 1024
MOST_PARAMETERS: Final = 64
MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
MAY_REPEAT: Final = "resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedFields:
    """The parameters of one request. Its repr has no values: they are secrets."""

    parameters: Mapping[str, str]
    resources: tuple[str, ...]

    def __repr__(self) -> str:
        """The parameters' names."""
        return f"PostedFields({', '.join(sorted(self.parameters))})"

    def get(self, name: str) -> str | None:
        """A parameter's value, if given."""
        return self.parameters.get(name)


async def read_form(request: Request) -> PostedFields:
    """The form in the body of `request`; raises `OAuthError`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise OAuthError("invalid_request", f"Send the parameters as {MEDIA_TYPE}.", status=415)
    if request.scope["query_string"]:
        raise invalid_request("Parameters belong into the body, not into the address.")
    try:
        return parse_form(await body.read_body(request, largest=LARGEST_FORM))
    except PayloadTooLargeError as error:
        raise OAuthError("invalid_request", error.detail, status=413) from None
    except UnsupportedMediaTypeError as error:
        raise OAuthError(
            "invalid_request", error.detail, status=415, headers=error.headers
        ) from None
    except (DigestMismatchError, InvalidRequestError) as error:
        raise invalid_request(error.detail) from None


def parse_form(data: bytes) -> PostedFields:
    """The form in `data`; raises `OAuthError`."""
    try:
        pairs = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:  # UnicodeError too
        raise invalid_request(
            f"The body is not a form of at most {MOST_PARAMETERS} parameters."
        ) from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise invalid_request("The character U+0000 is not accepted.")
    counts = Counter(name for name, _ in pairs)
    repeated = sorted(name for name, count in counts.items() if count > 1 and name != MAY_REPEAT)
    if repeated:
        raise invalid_request(f"The parameter {repeated[0]} is repeated.")
    return PostedFields(
        parameters={name: value for name, value in pairs if value and name != MAY_REPEAT},
        resources=tuple(value for name, value in pairs if value and name == MAY_REPEAT),
    )
