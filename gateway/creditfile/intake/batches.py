"""Judged rows on their way into one COPY: of rows with the same key the last one counts."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson

from gateway.creditfile.intake.judging import Judge
from gateway.creditfile.intake.staging import ID_BYTES, Liner
from gateway.creditfile.intake.verdicts import Rejected, Warned
from gateway.creditfile.mapping import Problem

UNWRITABLE: Final = Problem(field="?", reason="has bytes that are no characters")

_AT_ONCE: Final = 256
Key = tuple[str, str]
"""USCC and natural key."""


class Batch:
    """Rows of one dataset, by their numbers. Small whatever it is given: a rejected row leaves
    only its problems."""

    def __init__(
        self,
        judge: Judge,
        liner: Liner,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._judge = judge.judge
        self._liner = liner
        self._ids = _new_ids(random)
        self._lines: dict[Key, tuple[int, bytes]] = {}
        self.rejected: dict[int, tuple[Problem, ...]] = {}
        self.warned: dict[int, tuple[Warned, ...]] = {}
        self.superseded: dict[int, Key] = {}
        self.size = 0

    def add(self, number: int, row: Mapping[str, Any]) -> None:
        """Judge a row and keep its line, or its problems."""
        verdict = self._judge(row)
        if isinstance(verdict, Rejected):
            self.rejected[number] = verdict.problems
            return
        try:
            line = self._liner(number, verdict, next(self._ids)).encode()
        except (UnicodeEncodeError, orjson.JSONEncodeError):
            self.rejected[number] = (UNWRITABLE,)
            return
        key = verdict.uscc, verdict.key
        earlier = self._lines.get(key)
        if earlier is not None:
            self.superseded[earlier[0]] = key
        self._lines[key] = number, line
        self.size += len(line)
        if verdict.warnings:
            self.warned[number] = verdict.warnings

    def reject(self, number: int, problem: Problem) -> None:
        """Count a row that could not even be read."""
        self.rejected[number] = (problem,)

    def payload(self) -> bytes:
        """What COPY is given, in the order of the keys: so the table's indexes are walked once."""
        lines = [line for _, (_, line) in sorted(self._lines.items())]
        lines.append(b"")
        return b"\n".join(lines)


def _new_ids(random: Callable[[int], bytes]) -> Iterator[str]:
    """Opaque ids, many from one call for randomness."""
    length = 2 * ID_BYTES
    while True:
        many = random(ID_BYTES * _AT_ONCE).hex()
        yield from (many[at : at + length] for at in range(0, len(many), length))
