"""OpenAPI descriptions of the upload endpoints: headers of tus 1.0.0, and their answers.

They describe only: `tus` parses requests.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.access.openapi.headers import header
from gateway.access.openapi.operations import problem_response
from gateway.ingest.readers.file_formats import FILE_FORMATS
from gateway.ingest.readers.text_encoding import ENCODINGS
from gateway.records import tus

_BYTES: Final = {"type": "integer", "minimum": 0}
_ALGORITHMS: Final = "|".join(tus.ALGORITHMS)
_VERSION: Final = {"const": tus.VERSION}

_REQUEST: Final[Mapping[str, dict[str, Any]]] = {
    "Tus-Resumable": {
        "required": True,
        "schema": _VERSION,
        "description": "The version of the protocol.",
        "example": tus.VERSION,
    },
    "Upload-Length": {
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": 9_999_999_999_999_999},
        "description": "The length of the whole file as it is sent, in bytes.",
        "example": 1048576,
    },
    "Upload-Metadata": {
        "required": True,
        "schema": {"type": "string", "maxLength": tus.MAX_METADATA},
        "description": "Pairs of a key and a value in Base64, with commas between them. `dataset` and "
        "`sha256` (of the file, in hexadecimal) are needed, and `filename` or `format` "
        f"({', '.join(FILE_FORMATS)}); `encoding` is one of {', '.join(ENCODINGS)}. "
        "`columns` is a JSON object of the file's own columns and the fields that they are (null: not "
        "kept); `ignore_unknown` with true leaves out those that are not known; "
        "`sheet` names a workbook's sheet (else the only one whose header is known).",
        "example": "dataset cGVuYWx0eQ==,filename cGVuYWx0aWVzLmNzdi5neg==,sha256 "
        "ZTNiMGM0NDI5OGZjMWMxNDlhZmJmNGM4OTk2ZmI5MjQyN2FlNDFlNDY0OWI5MzRjYTQ5NTk5MWI3ODUyYjg1NQ==",
    },
    "Upload-Offset": {
        "required": True,
        "schema": {**_BYTES, "maximum": 9_999_999_999_999_999},
        "description": "How much has arrived before this part, in bytes.",
        "example": 0,
    },
    "Upload-Checksum": {
        "required": False,
        "schema": {"type": "string", "pattern": f"^({_ALGORITHMS}) [A-Za-z0-9+/]+=*$"},
        "description": "An algorithm, and the digest of this part in Base64. A part that does not fit "
        "is not kept (460).",
        "example": "sha256 RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
    },
}
_ANSWER: Final[Mapping[str, dict[str, Any]]] = {
    "Tus-Resumable": {"schema": _VERSION, "description": "The version of the protocol."},
    "Tus-Version": {"schema": _VERSION, "description": "The versions that are served."},
    "Tus-Extension": {
        "schema": {"const": tus.EXTENSIONS},
        "description": "The extensions of the protocol that are served.",
    },
    "Tus-Max-Size": {
        "schema": _BYTES,
        "description": "How much a source may have unfinished at a time, in bytes.",
    },
    "Tus-Checksum-Algorithm": {
        "schema": {"const": ",".join(tus.ALGORITHMS)},
        "description": "The algorithms of `Upload-Checksum`.",
    },
    "Upload-Offset": {"schema": _BYTES, "description": "How much has arrived, in bytes."},
    "Upload-Length": {"schema": _BYTES, "description": "The length of the whole file, in bytes."},
    "Upload-Expires": {
        "schema": {"type": "string"},
        "description": "Until when the rest may come; absent once the file is whole.",
        "example": "Sun, 29 Nov 2026 10:00:00 GMT",
    },
}
_OFFSETS: Final = {"Upload-Offset": True, "Upload-Length": True, "Upload-Expires": False}


_REFUSALS: Final = ("400", "401", "403", "404", "412", "429", "503")


def describe() -> dict[str, Any]:
    """OPTIONS /v1/records/uploads."""
    sent = ("Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm")
    return _answers("204", "What is supported.", dict.fromkeys(sent, True), ("400", "503"))


def create() -> dict[str, Any]:
    """POST /v1/records/uploads."""
    described = _call(
        ("Upload-Length", "Upload-Metadata"),
        _answers("201", "The upload; send its parts to Location.", _OFFSETS, ("413", "415")),
    )
    described["responses"]["201"]["headers"]["Location"] = header("Location", required=True)
    return described


def get_offset() -> dict[str, Any]:
    """HEAD /v1/records/uploads/{upload_id}."""
    return _call((), _answers("200", "How much has arrived.", _OFFSETS))


def append() -> dict[str, Any]:
    """PATCH /v1/records/uploads/{upload_id}."""
    part = {tus.PART_TYPE: {"schema": {"type": "string", "format": "binary"}}}
    own = ("409", "413", "415", "423", "460")
    described = _call(
        ("Upload-Offset", "Upload-Checksum"),
        _answers("204", "The part was received; the last one queues the file.", _OFFSETS, own),
    )
    return described | {"requestBody": {"required": True, "content": part}}


def terminate() -> dict[str, Any]:
    """DELETE /v1/records/uploads/{upload_id}."""
    return _call((), _answers("204", "The upload is gone.", {}, ("423",)))


def _call(headers: tuple[str, ...], answers: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a source's call: its request headers, answers and the usual refusals."""
    names = ("Tus-Resumable", *headers)
    usual = _answers("204", "", {}, _REFUSALS)["responses"]
    usual["412"]["headers"] |= {"Tus-Version": _ANSWER["Tus-Version"] | {"required": True}}
    return {
        "parameters": [{"name": name, "in": "header", **_REQUEST[name]} for name in names],
        "responses": {**{each: usual[each] for each in _REFUSALS}, **answers["responses"]},
    }


def _answers(
    status: str, description: str, sent: Mapping[str, bool], refusals: tuple[str, ...] = ()
) -> dict[str, Any]:
    """One answer with its headers (True: always sent), and the refusals."""
    version = _ANSWER["Tus-Resumable"]
    headers = {name: {**_ANSWER[name], "required": always} for name, always in sent.items()}
    headers["Tus-Resumable"] = version | {"required": True}
    refused = {
        each: problem_response(each) | {"headers": {"Tus-Resumable": version}} for each in refusals
    }
    return {"responses": {status: {"description": description, "headers": headers}, **refused}}
