"""Headers of the tus 1.0.0 upload protocol (tus.io/protocols/resumable-upload). Pure parsing, bounded.

Supports core, creation, expiration, checksum and termination. File names are labels and never used
as paths.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from starlette.datastructures import Headers

from gateway.access.errors import (
    InvalidRequestError,
    UnsupportedMediaTypeError,
    UnsupportedVersionError,
)
from gateway.access.http.body import refuse_content_coding
from gateway.ingest.readers.column_map import ColumnMap, read_column_map
from gateway.ingest.readers.file_formats import FILE_FORMATS, format_of_name
from gateway.ingest.readers.text_encoding import ENCODINGS
from gateway.privacy.redaction import scan

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,expiration,checksum,termination"
ALGORITHMS: Final = ("sha1", "sha256")
PART_TYPE: Final = "application/offset+octet-stream"
MAX_METADATA: Final = 8_000
MAX_FILE_NAME: Final = 100
MAX_SHEET_NAME: Final = 100
_KNOWN: Final = frozenset(
    {
        "dataset",
        "sha256",
        "filename",
        "format",
        "encoding",
        "filetype",
        "columns",
        "ignore_unknown",
        "sheet",
    }
)
_BOOLEANS: Final = {"true": True, "false": False}
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,15}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadMetadata:
    """Announced upload: length, contents and SHA-256."""

    length: int
    dataset: str
    format: str
    encoding: str
    sha256: bytes
    file_name: str | None
    columns: ColumnMap | None = None
    ignore_unknown: bool = False
    sheet: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """Declared checksum of a part."""

    algorithm: str
    digest: bytes

    def fits(self, part: "hashlib._Hash") -> bool:
        """True if the part's hash equals the declared one."""
        return part.digest() == self.digest


def require_version(headers: Headers) -> None:
    """Refuse a missing or different protocol version."""
    if headers.get("tus-resumable") != VERSION:
        raise UnsupportedVersionError(headers={"Tus-Version": VERSION})


def parse_creation(headers: Headers) -> UploadMetadata:
    """Metadata of a creation request."""
    if "upload-defer-length" in headers:
        raise InvalidRequestError("Upload-Length is needed at once; its deferral is not supported.")
    length = parse_number(headers, "upload-length")
    if length == 0:
        raise InvalidRequestError("Upload-Length is 0: an empty file holds no records.")
    values = parse_metadata(headers.get("upload-metadata", ""))
    unknown = values.keys() - _KNOWN
    if unknown:
        raise InvalidRequestError(f"Upload-Metadata knows {', '.join(sorted(_KNOWN))} only.")
    if not _SHA256.fullmatch(values.get("sha256", "").lower()):
        raise InvalidRequestError(
            "Upload-Metadata needs sha256: the whole file's SHA-256 in hexadecimal."
        )
    if not values.get("dataset"):
        raise InvalidRequestError("Upload-Metadata needs dataset: its code in the catalogue.")
    encoding = values.get("encoding", "auto").lower()
    if encoding not in ENCODINGS:
        raise InvalidRequestError(f"encoding is one of {', '.join(ENCODINGS)}.")
    return UploadMetadata(
        length=length,
        dataset=values["dataset"],
        format=_format(values),
        encoding=encoding,
        sha256=bytes.fromhex(values["sha256"]),
        file_name=_label(values.get("filename", "")),
        columns=_columns(values),
        ignore_unknown=_flag(values, "ignore_unknown"),
        sheet=_sheet(values),
    )


def parse_metadata(header: str) -> Mapping[str, str]:
    """Pairs of `Upload-Metadata`: `key base64, key base64, …`."""
    if len(header) > MAX_METADATA:
        raise InvalidRequestError("Upload-Metadata is too long.")
    found: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise InvalidRequestError("Upload-Metadata has a value that is not Base64.") from None
        if key in found:
            raise InvalidRequestError("Upload-Metadata names a key twice.")
        found[key] = text
    return found


def parse_number(headers: Headers, name: str) -> int:
    """The whole number in a header."""
    value = headers.get(name, "")
    if not _NUMBER.fullmatch(value):
        raise InvalidRequestError(f"{name.title()} is a whole number of bytes.")
    return int(value)


def parse_checksum(headers: Headers) -> Checksum | None:
    """The part's declared checksum, if any."""
    value = headers.get("upload-checksum")
    if value is None:
        return None
    algorithm, _, encoded = value.partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidRequestError(f"Upload-Checksum is by one of {', '.join(ALGORITHMS)}.")
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequestError(
            "Upload-Checksum is an algorithm and a digest in Base64."
        ) from None
    return Checksum(algorithm=algorithm, digest=digest)


def require_part(headers: Headers) -> None:
    """Refuse a body that is not an uncompressed file part."""
    refuse_content_coding(headers)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != PART_TYPE:
        raise UnsupportedMediaTypeError(f"Send a part as {PART_TYPE}.")


def format_expiry(moment: datetime) -> str:
    """Value of `Upload-Expires`."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _format(values: Mapping[str, str]) -> str:
    """File format as declared or by file name; never guessed from the contents."""
    found = values.get("format") or format_of_name(values.get("filename", ""))
    if found not in FILE_FORMATS:
        raise InvalidRequestError(
            f"Upload-Metadata needs format ({', '.join(FILE_FORMATS)}), or a filename that ends so."
        )
    return found


def _sheet(values: Mapping[str, str]) -> str | None:
    """Name of the workbook's sheet."""
    sheet = values.get("sheet")
    if sheet is not None and not 0 < len(sheet) <= MAX_SHEET_NAME:
        raise InvalidRequestError(f"sheet is a name of 1 to {MAX_SHEET_NAME} characters.")
    return sheet


def _columns(values: Mapping[str, str]) -> ColumnMap | None:
    """The department's own names of columns."""
    if "columns" not in values:
        return None
    found = read_column_map(values["columns"])
    if found is None:
        raise InvalidRequestError(
            'columns is a JSON object: {"name of the column": "field", "a column not kept": null}.'
        )
    return found


def _flag(values: Mapping[str, str], name: str) -> bool:
    found = _BOOLEANS.get(values.get(name, "false"))
    if found is None:
        raise InvalidRequestError(f"{name} is true or false.")
    return found


def _label(name: str) -> str | None:
    """File name as a label: no folders, control characters or personal numbers."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(each for each in last if each.isprintable()).strip()
    return scan(shown[:MAX_FILE_NAME]).text or None
