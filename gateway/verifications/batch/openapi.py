"""OpenAPI of a batch: NDJSON bodies, whose lines have schemas of their own."""

from typing import Any, Final

from gateway.access.openapi.headers import header
from gateway.access.openapi.operations import ndjson_lines
from gateway.verifications.batch.schemas import (
    BatchLineIn,
    BatchProblemOut,
    LineProblemOut,
    SignedManifestOut,
)

BATCH_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "One verification a line, as `POST /v1/verifications` takes it, with its `line`.",
        "content": ndjson_lines(BatchLineIn),
    }
}
BATCH_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A line each: `VerificationOut` with its `line`, or its problem; then the signed "
        "manifest, or the problem that ended the batch.",
        "content": ndjson_lines(LineProblemOut, SignedManifestOut, BatchProblemOut),
        "headers": {"Cache-Control": header("Cache-Control", required=True)},
    }
}
