"""Padding of answers to a constant length for the same questions, with white space after the JSON."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

_ANSWER: Final = len(',"answer":""')
_MATCH: Final = len(',"match":""')
MAX_ANSWER_LENGTH: Final = _ANSWER + len("yes") + _MATCH + len("strict")


def pad_answer(document: Mapping[str, Any]) -> bytes:
    """`document` as JSON text, padded for each of its `answers` that is shorter than the longest."""
    missing = sum(MAX_ANSWER_LENGTH - _length(each) for each in document["answers"])
    return orjson.dumps(document) + b" " * missing


def _length(answer: Mapping[str, str]) -> int:
    """The length of an answer's JSON beside its question."""
    match = answer.get("match")
    return _ANSWER + len(answer["answer"]) + (0 if match is None else _MATCH + len(match))
