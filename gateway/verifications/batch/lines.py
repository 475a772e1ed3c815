"""Lines of a batch, parsed: a request with its number, or what is wrong with it. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from gateway.access.errors import InvalidRequestError, PayloadTooLargeError, Refusal
from gateway.access.http.body import parse_json
from gateway.access.refused_request import RefusedRequest
from gateway.verifications.batch.line_splitter import RawLine
from gateway.verifications.batch.schemas import MAX_LINE_NUMBER, BatchLineIn
from gateway.verifications.request import VerificationRequest, parse_request


class Line(NamedTuple):
    """One line: its place from 1, the number that it is answered under, and what it asks."""

    position: int
    number: int
    digest: bytes
    parsed: VerificationRequest | RefusedRequest | Refusal

    @property
    def uscc(self) -> str | None:
        """The enterprise that the line names, if it names one."""
        return None if isinstance(self.parsed, Refusal) else self.parsed.uscc


@dataclass(slots=True)
class LineParser:
    """Parses the lines of one batch, whose numbers are all different."""

    _numbers: set[int] = field(default_factory=set)

    def parse(self, raw: RawLine) -> Line:
        """The line; one whose number cannot be read is answered under its position."""
        parsed = self._parsed(raw)
        number = parsed.line if isinstance(parsed, BatchLineIn) else _number_in(raw)
        return Line(
            position=raw.position,
            number=number,
            digest=hashlib.sha256(raw.text).digest(),
            parsed=parsed if isinstance(parsed, Refusal) else parse_request(parsed, line=number),
        )

    def _parsed(self, raw: RawLine) -> BatchLineIn | Refusal:
        if raw.is_too_long:
            return Refusal(PayloadTooLargeError, "The line is longer than this endpoint takes.")
        body = parse_json(raw.text, BatchLineIn)
        if isinstance(body, Refusal):
            return body
        if body.line in self._numbers:
            return Refusal(
                InvalidRequestError,
                f"An earlier line has this number; this is line {raw.position}.",
            )
        self._numbers.add(body.line)
        return body


def rounds(lines: Iterable[Line]) -> Sequence[Sequence[Line]]:
    """The lines in as many sets as it takes for no enterprise to stand in one of them twice.

    Of one enterprise the lines keep their order.
    """
    found: list[list[Line]] = []
    asked: dict[str | None, int] = {}
    for line in lines:
        turn = asked.get(line.uscc, 0)
        asked[line.uscc] = turn + 1
        if turn == len(found):
            found.append([])
        found[turn].append(line)
    return found


def _number_in(raw: RawLine) -> int:
    """The number of a wrong line where it has one, else its position."""
    try:
        found: Any = orjson.loads(raw.text)
    except orjson.JSONDecodeError:
        return raw.position
    number = found.get("line") if isinstance(found, dict) else None
    return number if type(number) is int and 0 <= number <= MAX_LINE_NUMBER else raw.position
