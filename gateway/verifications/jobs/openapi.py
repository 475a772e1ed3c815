"""OpenAPI of what jobs take and give in files."""

from typing import Any, Final

from gateway.access.openapi.headers import header
from gateway.verifications.jobs.receive_lines import CSV, NDJSON, XLS, XLSX

_TEXT: Final = {"type": "string"}
_FILE: Final = {"type": "string", "format": "binary"}
LINES_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "At most 1,000,000 lines in 512 MiB (a workbook: 64 MiB). NDJSON: one "
        "verification a line, as in a batch, its `line` left out or its place from 1; of a job with "
        "questions of its own an object of texts by the names of columns. CSV (UTF-8 or GB 18030) and "
        "workbooks: a header that names 统一社会信用代码 or `uscc`, and the columns of values.",
        "content": {
            NDJSON: {"schema": _TEXT},
            CSV: {"schema": _TEXT},
            XLSX: {"schema": _FILE},
            XLS: {"schema": _FILE},
        },
    }
}
RESULT_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "NDJSON: an answer or a problem a line, then the signed manifest of the whole, "
        "in the form of a batch's. CSV or xlsx: a row a line, signed in the header.",
        "content": {
            NDJSON: {"schema": _TEXT},
            CSV: {"schema": _TEXT},
            XLSX: {"schema": _FILE},
        },
        "headers": {
            "Cache-Control": header("Cache-Control", required=True),
            "Content-Disposition": header("Content-Disposition", required=False),
        },
    }
}
