"""OpenAPI of a batch: NDJSON bodies, whose lines have schemas of their own."""

from typing import Any, Final

from gateway.access.openapi_headers import header

BATCH_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "One verification a line, as `POST /v1/verifications` takes it, with its `line`.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
}
BATCH_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "An answer a line, or its problem; then the signed manifest, or the problem that "
        "ended the batch.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        "headers": {"Cache-Control": header("Cache-Control", required=True)},
    }
}
