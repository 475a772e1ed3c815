"""Answer of a list of what is due: JSON or CSV."""

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import Response

from gateway.access.http.json_response import json_response
from gateway.creditfile.objections.serializers import as_csv

Form = Literal["json", "csv"]


def due_list(rows: Sequence[dict[str, Any]], columns: Sequence[str], form: Form) -> Response:
    """The rows, which no cache stores; CSV with a header line."""
    if form == "json":
        return json_response({"due": rows})
    return Response(
        as_csv(rows, columns),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Cache-Control": "no-store"},
    )
