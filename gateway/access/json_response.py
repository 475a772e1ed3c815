"""JSON responses that no cache stores."""

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from gateway.db.engine import to_json


def json_response(content: str | BaseModel | dict[str, Any], status_code: int = 200) -> Response:
    """A `no-store` response of JSON text, a model or a document."""
    if isinstance(content, BaseModel):
        content = content.model_dump_json()
    return Response(
        content if isinstance(content, str) else to_json(content),
        status_code,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
