"""Routes of batches: `POST /v1/verifications/batch`, and the proof of one of its lines."""

import re
from typing import Final

import orjson
from fastapi import Request, Response

from gateway.access.admission_control import admit, idempotency_key
from gateway.access.authentication import authenticate
from gateway.access.errors import (
    GatewayError,
    NotFoundError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from gateway.access.http.body import has_media_type, refuse_content_coding
from gateway.access.http.content_digest import ContentDigest
from gateway.access.http.json_response import json_response
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime
from gateway.verifications.batch import store
from gateway.verifications.batch.line_source import MAX_BYTES
from gateway.verifications.batch.manifest import line_proof
from gateway.verifications.batch.openapi import BATCH_BODY, BATCH_RESPONSES
from gateway.verifications.batch.response import NDJSON, BatchCall, BatchResponse
from gateway.verifications.batch.schemas import LineProofOut

router = PrefixRouter(prefix="/v1/verifications/batch", tags=["verification"])
NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}")


@router.post("", response_class=Response, openapi_extra=BATCH_BODY, responses=BATCH_RESPONSES)
async def verify_batch(request: Request, runtime: UsingRuntime) -> Response:
    """Answer questions about up to 10,000 enterprises: NDJSON in, answers in the same order out."""
    caller = await authenticate(request, runtime, scope="verify")
    key, declared, trouble = _head(request)
    await admit(request, runtime, caller, uscc=None, key=key)
    if trouble is not None:
        raise trouble
    return BatchResponse(
        BatchCall(
            request=request,
            runtime=runtime,
            caller=caller,
            key=None if key is None else key.key,
            declared=declared,
        )
    )


@router.get("/{batch_id}/proofs/{line}", response_model=LineProofOut)
async def get_batch_line_proof(
    batch_id: str,
    line: str,
    request: Request,
    runtime: UsingRuntime,
) -> Response:
    """Show that one line is under the root of its batch's manifest, without the others."""
    caller = await authenticate(request, runtime, scope="verify")
    await admit(request, runtime, caller, uscc=None, key=None)
    number = int(line) if NUMBER.fullmatch(line) else -1
    found = await store.finished_batch(runtime.hot, runtime.vault, caller.client_id, batch_id)
    if found is None or number not in found.numbers:
        raise NotFoundError("There is no such line in a batch of yours that has its manifest.")
    index = found.numbers.index(number)
    return json_response(
        {
            **orjson.loads(found.manifest),
            "line": number,
            "leaf_index": index,
            "leaf_hash": found.leaves[index].hex(),
            "proof": [each.hex() for each in line_proof(found.leaves, index)],
        }
    )


def _head(
    request: Request,
) -> tuple[IdempotencyKey | None, ContentDigest | None, GatewayError | None]:
    """The key and the digest that a batch came with, and what is wrong with its header.

    The key stands for a batch, whatever its body: that is compared line by line.
    """
    try:
        key = idempotency_key(request, b"")
    except GatewayError as error:
        return None, None, error
    try:
        refuse_content_coding(request.headers)
        if not has_media_type(request.headers.getlist("content-type"), NDJSON):
            raise UnsupportedMediaTypeError(f"Send the body as {NDJSON}.")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > MAX_BYTES:
            raise PayloadTooLargeError
        return key, ContentDigest.read(request.headers.getlist("content-digest")), None
    except GatewayError as error:
        return key, None, error
