"""Request bodies: read within bounds, compared with `Content-Digest`, parsed strictly.

Unknown members and wrong types are refused.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from gateway import strict_json
from gateway.access.admission_control import idempotency_key
from gateway.access.errors import (
    DigestMismatchError,
    GatewayError,
    InvalidRequestError,
    PayloadTooLargeError,
    Refusal,
    UnsupportedMediaTypeError,
)
from gateway.access.http.content_digest import ContentDigest
from gateway.access.http.invalid_members import invalid_members
from gateway.access.subject_uscc import code_warnings
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.strict_json import StrictJsonError
from verification import EnterpriseCode, NotACode, enterprise_code

MAX_BODY_BYTES = 64 * 1024
BODY_TIMEOUT_SECONDS = 20  # seconds, for the whole body
MAX_MISTAKES_SHOWN = 5
UTF_8 = frozenset({"charset=utf-8", 'charset="utf-8"'})


class WireModel(BaseModel):
    """Base of request and response models: frozen, strict, no unknown members."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    any_number: ClassVar[bool] = False
    """True where numbers of any size and NaN pass: then its values are validated one by one."""


class EnterpriseIn(WireModel):
    """The enterprise, by its unified social credit code."""

    uscc: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["91330106MAHD08319M"])

    @cached_property
    def code(self) -> EnterpriseCode | NotACode:
        """The code, parsed once."""
        return enterprise_code(self.uscc)


W = TypeVar("W", bound=WireModel)


async def read_body(request: Request, *, largest: int = MAX_BODY_BYTES) -> bytes:
    """Read the body, at most `largest` bytes, and check it against `Content-Digest` if given."""
    refuse_content_coding(request.headers)
    digest = ContentDigest.read(request.headers.getlist("content-digest"))
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > largest:
        raise PayloadTooLargeError
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise PayloadTooLargeError
    except TimeoutError:
        raise InvalidRequestError("The body did not arrive in time.") from None
    except ClientDisconnect:
        raise InvalidRequestError("The body did not arrive whole.") from None
    if digest is not None and not digest.fits_body(bytes(body)):
        raise DigestMismatchError
    if digest is not None and body:
        record_checked_digest(request, digest)
    return bytes(body)


def refuse_content_coding(headers: Headers) -> None:
    """Refuse content that is compressed or coded in another way (RFC 9110 §8.4); `identity` is no coding."""
    codings = ",".join(headers.getlist("content-encoding")).split(",")
    if any(each.strip(" \t").lower() not in {"", "identity"} for each in codings):
        raise UnsupportedMediaTypeError(
            "Send the body as it is: no Content-Encoding is taken here.",
            headers={"Accept-Encoding": "identity"},
        )


def record_checked_digest(request: Request, digest: ContentDigest) -> None:
    """Record that the body matches its digest, so that the response's signature may cover it."""
    request.state.content_digest = digest.value


def parse_body(request: Request, body: bytes, model: type[W]) -> W | Refusal:
    """`body` as a `model`, or a refusal that names the wrong members, never their values."""
    if not _is_json(request.headers.getlist("content-type")):
        return Refusal(UnsupportedMediaTypeError)
    return parse_json(body, model)


def parse_json(body: bytes, model: type[W]) -> W | Refusal:
    """A JSON text as a `model`, or a refusal that names the wrong members, never their values."""
    try:
        if model.any_number:
            strict_json.check_ignoring_numbers(body)
        else:
            strict_json.parse(body)
    except StrictJsonError as error:
        return Refusal(InvalidRequestError, f"The body cannot be read: {error}.")
    if strict_json.holds_nul(body):
        return Refusal(InvalidRequestError, "The character U+0000 is not accepted.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return Refusal(InvalidRequestError, mistakes(found))


def _is_json(content_types: list[str]) -> bool:
    """True where there is one `Content-Type`, and it is JSON in UTF-8."""
    return has_media_type(content_types, "application/json")


def has_media_type(content_types: list[str], wanted: str) -> bool:
    """True where there is one `Content-Type`, and it is `wanted` in UTF-8."""
    if len(content_types) != 1:
        return False
    media_type, *parameters = (each.strip().lower() for each in content_types[0].split(";"))
    charsets = [each for each in parameters if each.partition("=")[0].strip() == "charset"]
    return media_type == wanted and all(each in UTF_8 for each in charsets)


def mistakes(errors: Sequence[Any], *, root: str | None = None) -> str:
    """A sentence that names the wrong members and how to mend them, never their values or `root`."""
    return f"Mend these members: {invalid_members(errors, most=MAX_MISTAKES_SHOWN, root=root)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall(Generic[W]):
    """A parsed body or its refusal, and the call's idempotency key."""

    parsed: W | Refusal
    key: IdempotencyKey | None


async def read_call(
    request: Request, model: type[W], *, largest: int = MAX_BODY_BYTES
) -> IncomingCall[W]:
    """Read and parse the body, at most `largest` bytes, as a `model`."""
    try:
        raw = await read_body(request, largest=largest)
        key = idempotency_key(request, raw)
    except GatewayError as error:
        refusal = Refusal(type(error), error.detail, error.headers)
        return IncomingCall(parsed=refusal, key=None)
    parsed = parse_body(request, raw, model)
    request.state.warnings = code_warnings(_code_of(parsed))
    return IncomingCall(parsed=parsed, key=key)


def _code_of(parsed: object) -> EnterpriseCode | NotACode | None:
    """The code asked about, if any, for the `warnings` of answers and problems."""
    return getattr(getattr(parsed, "enterprise", None), "code", None)
