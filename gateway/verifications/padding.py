"""The length of an answer must not tell the answer: all answers to the same questions are as long
as the longest could be. JSON allows white space at its end."""

from collections.abc import Mapping
from typing import Any

from gateway.db.engine import to_json

LONGEST_ANSWER = len(',"answer":"yes","match":"strict"')


def padded(document: Mapping[str, Any]) -> str:
    """`document` as JSON text, with white space for each of its `answers` that is shorter."""
    missing = sum(LONGEST_ANSWER - _length(each) for each in document["answers"])
    return to_json(document) + " " * missing


def _length(answer: Mapping[str, Any]) -> int:
    return len(to_json(answer)) - len(to_json({"question": answer["question"]}))
