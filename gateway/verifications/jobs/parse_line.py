"""A line of a job parsed as the batch's core takes it. Pure."""

import hashlib
from typing import Final

from gateway.access.errors import InvalidRequestError, Refusal
from gateway.access.http.body import parse_json
from gateway.signing.jwe import is_compact_jwe
from gateway.verifications.batch.lines import Line
from gateway.verifications.batch.problem_lines import refusal_document
from gateway.verifications.batch.schemas import BatchLineIn
from gateway.verifications.id_numbers import id_number_in
from gateway.verifications.jobs.job_line import broken_line
from gateway.verifications.request import asked_value, parse_request
from verification import Asked

BARE_ID_NUMBER: Final = (
    "ID numbers are taken in jobs only if they are encrypted to the gateway's key of use enc."
)


def parse_line(text: bytes, position: int) -> Line:
    """The line at this place from 1, whose number it is too."""
    body = parse_json(text, BatchLineIn)
    if not isinstance(body, Refusal):
        body = _without_bare_id_numbers(body)
    return Line(
        position=position,
        number=position,
        digest=hashlib.sha256(text).digest(),
        parsed=body if isinstance(body, Refusal) else parse_request(body, line=position),
    )


def checked_line(text: bytes, position: int) -> bytes:
    """The line, or its problem where it cannot be asked: then nothing of it is stored."""
    parsed = parse_line(text, position).parsed
    if not isinstance(parsed, Refusal):
        return text
    return broken_line(position, refusal_document(parsed)["detail"], parsed.error.code)


def _without_bare_id_numbers(body: BatchLineIn) -> BatchLineIn | Refusal:
    """The line, or a refusal where it holds an ID number that is not encrypted."""
    for each in body.questions or ():
        number = id_number_in(Asked(tag=each.question, value=asked_value(each)))
        if number is not None and not is_compact_jwe(number):
            return Refusal(InvalidRequestError, BARE_ID_NUMBER)
    return body
