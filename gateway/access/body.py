"""A body is bounded before it is read, compared with its digest before it is parsed, and parsed
strictly: unknown members and wrong types are refused, not guessed at."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from gateway import strict_json
from gateway.access.admission_control import idempotency_key
from gateway.access.content_digest import ContentDigest
from gateway.access.errors import (
    DigestMismatchError,
    GatewayError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from gateway.access.subject_uscc import warnings_of
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.privacy.redaction import scan
from gateway.strict_json import StrictJsonError

LARGEST = 64 * 1024
ARRIVES_WITHIN = 20  # seconds, for the whole body
SHOWN_MISTAKES = 5
UTF_8 = frozenset({"charset=utf-8", 'charset="utf-8"'})


class WireModel(BaseModel):
    """A shape on the wire: frozen, strict, nothing unknown."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    any_number: ClassVar[bool] = False
    """Whether the values in it are judged one by one: then a number may be any, NaN too."""


class EnterpriseIn(WireModel):
    """Which enterprise is meant."""

    uscc: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["91330106MA2XXXXXXX"])


W = TypeVar("W", bound=WireModel)


async def read(request: Request, *, largest: int = LARGEST) -> bytes:
    """The body of `request`, at most `largest` bytes; checked against `Content-Digest` if given."""
    demand_no_coding(request.headers)
    digest = ContentDigest.read(request.headers.getlist("content-digest"))
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > largest:
        raise PayloadTooLargeError
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVES_WITHIN):
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
        note_digest(request, digest)
    return bytes(body)


def demand_no_coding(headers: Headers) -> None:
    """Refuse content that is compressed or coded in another way (RFC 9110 §8.4); `identity` is no coding."""
    codings = ",".join(headers.getlist("content-encoding")).split(",")
    if any(each.strip(" \t").lower() not in {"", "identity"} for each in codings):
        raise UnsupportedMediaTypeError(
            "Send the body as it is: no Content-Encoding is taken here.",
            headers={"Accept-Encoding": "identity"},
        )


def note_digest(request: Request, digest: ContentDigest) -> None:
    """The body has been compared with its digest: the answer's signature may speak of it."""
    request.state.content_digest = digest.value


def parse(request: Request, body: bytes, model: type[W]) -> W | GatewayError:
    """`body` as a `model`, or the error that says which members to mend (never what they held)."""
    if not _is_json(request.headers.getlist("content-type")):
        return UnsupportedMediaTypeError()
    try:
        if model.any_number:
            strict_json.check_but_for_numbers(body)
        else:
            strict_json.parse(body)
    except StrictJsonError as error:
        return InvalidRequestError(f"The body cannot be read: {error}.")
    if strict_json.holds_nul(body):
        return InvalidRequestError("The character U+0000 is not accepted.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        return InvalidRequestError(_mistakes(error))


def _is_json(content_types: list[str]) -> bool:
    """Whether one `Content-Type` says JSON, in UTF-8 if it speaks of a charset at all."""
    if len(content_types) != 1:
        return False
    media_type, *parameters = (each.strip().lower() for each in content_types[0].split(";"))
    charsets = [each for each in parameters if each.partition("=")[0].strip() == "charset"]
    return media_type == "application/json" and all(each in UTF_8 for each in charsets)


def _mistakes(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    # An unknown member's name is the caller's own text: somebody's number is not sent back.
    places = (
        f"{'.'.join(scan(str(part)).text for part in e['loc']) or 'body'}: {e['msg']}"
        for e in found[:SHOWN_MISTAKES]
    )
    return f"Mend these members: {'; '.join(places)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall(Generic[W]):
    """A parsed body, or what is wrong with the call; and its idempotency key."""

    parsed: W | GatewayError
    key: IdempotencyKey | None


async def read_call(request: Request, model: type[W], *, largest: int = LARGEST) -> IncomingCall[W]:
    """Read the body of `request`, of at most `largest` bytes, as a `model`."""
    try:
        raw = await read(request, largest=largest)
        key = idempotency_key(request, raw)
    except GatewayError as error:
        return IncomingCall(parsed=error, key=None)
    parsed = parse(request, raw, model)
    request.state.warnings = warnings_of(_uscc_of(parsed))
    return IncomingCall(parsed=parsed, key=key)


def _uscc_of(parsed: object) -> object:
    """The code that is asked about, where one is: answers and problems say what is to be said of it."""
    return getattr(getattr(parsed, "enterprise", None), "uscc", None)
