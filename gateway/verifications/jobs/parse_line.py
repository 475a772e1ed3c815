"""A line of a job parsed as the batch's core takes it. Pure."""

import hashlib

from gateway.access.body import parse_json
from gateway.access.errors import InvalidRequestError, Refusal
from gateway.access.refused_request import RefusedRequest
from gateway.verifications.batch.lines import Line
from gateway.verifications.batch.problem_lines import refusal_document
from gateway.verifications.batch.schemas import BatchLineIn
from gateway.verifications.jobs.job_line import broken_line
from gateway.verifications.jobs.template import NO_ID_NUMBERS, asks_id_number
from gateway.verifications.request import VerificationRequest, parse_request


def parse_line(text: bytes, position: int) -> Line:
    """The line at this place from 1, whose number it is too."""
    body = parse_json(text, BatchLineIn)
    parsed = body if isinstance(body, Refusal) else parse_request(body, line=position)
    return Line(
        position=position,
        number=position,
        digest=hashlib.sha256(text).digest(),
        parsed=_without_id_numbers(parsed),
    )


def checked_line(text: bytes, position: int) -> bytes:
    """The line, or its problem where it cannot be asked: then nothing of it is stored."""
    parsed = parse_line(text, position).parsed
    if not isinstance(parsed, Refusal):
        return text
    return broken_line(position, refusal_document(parsed)["detail"], parsed.error.code)


def _without_id_numbers(
    parsed: VerificationRequest | RefusedRequest | Refusal,
) -> VerificationRequest | RefusedRequest | Refusal:
    if not isinstance(parsed, VerificationRequest):
        return parsed
    for each in parsed.questions:
        if asks_id_number(each):
            return Refusal(InvalidRequestError, NO_ID_NUMBERS.format(tag=each.tag))
    return parsed
