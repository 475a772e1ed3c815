"""Padding of answers to a constant length for the same questions, with white space after the JSON."""

from collections.abc import Mapping
from typing import Any

from gateway.db.engine import to_json

MAX_ANSWER_LENGTH = len(',"answer":"yes","match":"strict"')


def pad_answer(document: Mapping[str, Any]) -> str:
    """`document` as JSON text, padded for each of its `answers` that is shorter than the longest."""
    missing = sum(MAX_ANSWER_LENGTH - _length(each) for each in document["answers"])
    return to_json(document) + " " * missing


def _length(answer: Mapping[str, Any]) -> int:
    return len(to_json(answer)) - len(to_json({"question": answer["question"]}))
