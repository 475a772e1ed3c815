"""JSON responses that no cache stores."""

from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response


def json_response(content: bytes | BaseModel | dict[str, Any], status_code: int = 200) -> Response:
    """A `no-store` response of JSON in UTF-8, a model or a document."""
    if isinstance(content, BaseModel):
        content = content.model_dump_json().encode()
    return Response(
        content if isinstance(content, bytes) else orjson.dumps(content),
        status_code,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
