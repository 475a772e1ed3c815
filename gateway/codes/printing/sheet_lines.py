"""NDJSON of a bulk issue as a printer reads it: checked line by line, and divided into files of sheets."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from gateway.codes.printing.content import Content

MAX_LINE: Final = 64 << 10
"""Bytes."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class InvalidSheetFileError(ValueError):
    """The file is no NDJSON of codes of one gateway."""


class SheetLine(BaseModel):
    """One code of the file; further members are not read."""

    model_config = ConfigDict(frozen=True, strict=True)

    code_id: Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{26}$")]
    address: Annotated[str, StringConstraints(pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[!-~]+$")]
    uscc: Annotated[str, StringConstraints(max_length=18)]
    name: Name
    sign_name: Name
    label: Annotated[str, StringConstraints(max_length=200)] = ""
    check_phrase: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    expires_at: datetime | None = None

    @model_validator(mode="after")
    def _one_code(self) -> Self:
        if not self.address.upper().endswith(f"/E/{self.code_id}"):
            raise ValueError("address leads to another code")
        return self

    @property
    def content(self) -> Content:
        """The printed content: values of the public page alone."""
        return Content(
            address=self.address,
            code_id=self.code_id,
            sign_name=self.sign_name,
            name=self.name,
            check_phrase=self.check_phrase,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFile:
    """The checked file: its codes, and the place of the first line of each part."""

    codes: int
    starts: Sequence[int]
    """Byte offsets."""
    characters: frozenset[str]
    origin: str
    """The gateway of every address, in lower case."""
    digest: str
    """SHA-256, in hexadecimal."""


def scan_file(path: Path, codes_per_part: int) -> SheetFile:
    """Check every line, in constant memory; raises `InvalidSheetFileError` with the first bad one."""
    starts, characters, origins = [], set[str](), set[str]()
    offset = codes = 0
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), start=1):
            parsed = _parse(line, number)
            if codes % codes_per_part == 0:
                starts.append(offset)
            characters.update(parsed.sign_name, parsed.name, parsed.check_phrase)
            origins.add(_origin(parsed.address))
            if len(origins) > 1:
                raise InvalidSheetFileError(
                    f"Line {number} is of {_origin(parsed.address)}, the lines before of another "
                    "gateway: one file has the codes of one."
                )
            digest.update(line)
            offset += len(line)
            codes += 1
    if not codes:
        raise InvalidSheetFileError("The file has no lines.")
    return SheetFile(
        codes=codes,
        starts=starts,
        characters=frozenset(characters),
        origin=origins.pop(),
        digest=digest.hexdigest(),
    )


def read_part(path: Path, start: int, codes: int) -> Iterator[SheetLine]:
    """The lines of one part of a checked file."""
    with path.open("rb") as file:
        file.seek(start)
        yield from (SheetLine.model_validate_json(line) for line in islice(file, codes))


def _parse(line: bytes, number: int) -> SheetLine:
    if len(line) >= MAX_LINE:
        raise InvalidSheetFileError(f"Line {number} is longer than {MAX_LINE:,} bytes.")
    try:
        return SheetLine.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        member = ".".join(map(str, first["loc"])) or "the line"
        raise InvalidSheetFileError(f"Line {number}, {member}: {first['msg']}.") from None


def _origin(address: str) -> str:
    parts = urlsplit(address.lower())
    return f"{parts.scheme}://{parts.netloc}"
