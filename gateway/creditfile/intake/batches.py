"""Judged rows on their way into one COPY: of rows with the same key the last one counts."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from gateway.creditfile.intake.judging import Judge
from gateway.creditfile.intake.staging import ID_BYTES, Liner
from gateway.creditfile.intake.verdicts import Rejected, Warned
from gateway.creditfile.mapping import Problem

UNWRITABLE: Final = Problem(field="?", reason="has bytes that are no characters")

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
        self._random = random
        self._lines: dict[Key, tuple[int, str]] = {}
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
            line = self._liner(number, verdict, self._random(ID_BYTES).hex())
            line.encode()
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
        """What COPY is given, in the order of the keys: so the table's index is walked once."""
        lines = [line for _, (_, line) in sorted(self._lines.items())]
        lines.append("")
        return "\n".join(lines).encode()
