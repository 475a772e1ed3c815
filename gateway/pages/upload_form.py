"""Forms with files (multipart/form-data, RFC 7578): files are hashed as they arrive, and never stored."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from gateway.pages.forms import MAX_FORM_BYTES, MAX_FORM_FIELDS, Fields, read_form

UPLOAD_TYPE: Final = b"multipart/form-data"
MAX_UPLOAD_BYTES: Final = 32 * 1024 * 1024
"""Of all files of a form together."""
MAX_DRAINED_BYTES: Final = 4 * MAX_UPLOAD_BYTES
"""Bytes that are read of a form that is too large, so that its browser sees the answer."""
UPLOAD_TIMEOUT_SECONDS: Final = 120
MAX_NAMES: Final = 20
MAX_NAME: Final = 100
FILE_NAMES: Final = "names of files"
"""The field under which a kept form has the names of its files."""
MAX_BOUNDARY: Final = 70  # RFC 2046, section 5.1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedFile:
    """A file of a form: its digest, without its contents."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadForm:
    """The fields and files of a form; `too_large` if the files exceed `MAX_UPLOAD_BYTES`."""

    fields: Fields
    files: tuple[HashedFile, ...] = ()
    too_large: bool = False
    unread: str = ""
    """The name of the file at which a form that is too large was cut."""

    @property
    def names(self) -> list[str]:
        """The names of its files, as far as they were read."""
        named = (*(each.name for each in self.files), self.unread)
        return [each[:MAX_NAME] for each in named if each][:MAX_NAMES]

    @property
    def fields_and_names(self) -> Fields:
        """The fields, with the names of the files as `FILE_NAMES`."""
        return Fields({**self.fields, FILE_NAMES: self.names})


def is_upload(request: Request) -> bool:
    """True for a form with files."""
    return parse_options_header(request.headers.get("content-type"))[0].lower() == UPLOAD_TYPE


async def read_upload_form(request: Request) -> UploadForm | None:
    """Parse a form with or without files; `None` if it is malformed, or too slow."""
    _, options = parse_options_header(request.headers.get("content-type"))
    if not is_upload(request):
        fields = await read_form(request)
        return None if fields is None else UploadForm(fields=fields)
    boundary = options.get(b"boundary", b"")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if not 0 < len(boundary) <= MAX_BOUNDARY or encoding != "identity":
        return None
    parts, received = _Parts(), 0
    parser = MultipartParser(boundary, parts.callbacks())
    try:
        async with asyncio.timeout(UPLOAD_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                received += len(chunk)
                if received <= MAX_UPLOAD_BYTES:
                    parser.write(chunk)
                elif received > MAX_DRAINED_BYTES:
                    break
    except (TimeoutError, ClientDisconnect, FormParserError, ValueError):
        return None
    too_large = received > MAX_UPLOAD_BYTES
    if not too_large and not parts.is_whole:
        return None
    return UploadForm(
        fields=Fields(parts.fields),
        files=tuple(parts.files),
        too_large=too_large,
        unread=parts.unread if too_large else "",
    )


@dataclass(slots=True)
class _Parts:
    """Collects the parts of a form from the parser's callbacks."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[HashedFile] = field(default_factory=list)
    is_whole: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _options: dict[bytes, bytes] = field(default_factory=dict)
    _text: bytearray = field(default_factory=bytearray)
    _digest: Any = None  # hashlib's object, for a file
    _size: int = 0
    _texts_size: int = 0
    _count: int = 0

    def callbacks(self) -> Any:  # the parser's mapping
        """The parser's callbacks."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    @property
    def unread(self) -> str:
        """The name of the file whose end has not been read."""
        if self._digest is None:
            return ""
        return self._options[b"filename"].decode("utf-8", "replace")

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_FORM_FIELDS:
            raise ValueError("too many parts")
        self._options, self._digest, self._size = {}, None, 0
        self._text = bytearray()

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._options = parse_options_header(bytes(self._value))[1]
        self._header, self._value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        if b"name" not in self._options:
            raise ValueError("a part without a name")
        if b"filename" in self._options:
            self._digest = hashlib.sha256()

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._digest is not None:
            self._digest.update(memoryview(data)[start:end])
            return
        self._texts_size += end - start
        if self._texts_size > MAX_FORM_BYTES:
            raise ValueError("the fields are too long")
        self._text += data[start:end]

    def _end(self) -> None:
        name = self._options[b"name"].decode()
        if self._digest is None:
            self.fields.setdefault(name, []).append(self._text.decode())
            return
        given = self._options[b"filename"].decode("utf-8", "replace")
        if given or self._size:  # an empty file input is sent as a file without a name
            self.files.append(
                HashedFile(name=given, size=self._size, sha256=self._digest.hexdigest())
            )
        self._digest = None

    def _finish(self) -> None:
        self.is_whole = True
