"""Verification of a file's rows: read, asked in batches, written as they are answered, counted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, cast

from xinqiao._core.wire.unknown_names import name_unknown
from xinqiao.cli._errors import InputError
from xinqiao.cli._inputs import parse_question
from xinqiao.cli.deliver.own_rows import OwnRows, ReadOptions, UnreadableError, read_rows
from xinqiao.errors import UnknownPurpose, UnknownQuestion, XinqiaoError

from .answers_file import AnswersWriter, answers_file
from .asked import AskedOfRows, asked_of_rows, code_place

if TYPE_CHECKING:
    from pathlib import Path

    from xinqiao import (
        BundleName,
        Client,
        Purpose,
        QuestionTag,
        QuestionValue,
        RowProblem,
        RowResult,
    )
    from xinqiao._core.batch.reader import RowAsked

_PIECE: Final = 1 << 20
FIRST_ROWS: Final = 20
"""Rows that are asked before the others, so that a wrong name costs no more calls than these."""
_OF_EVERY_ROW: Final = frozenset({"unknown_purpose", "unknown_question", "not_in_agreement"})
"""Problems of what is asked, whoever it is asked of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Review of a file: the questions about its rows, and where the answers go."""

    file: ReadOptions
    purpose: str
    questions: Sequence[str]
    bundle: str | None
    out: Path
    force: bool

    def key(self) -> str:
        """The idempotency key of these questions of these bytes: the same command goes on where it was."""
        digest = hashlib.sha256(
            json.dumps([self.purpose, *self.questions, *filter(None, [self.bundle])]).encode()
        )
        with self.file.path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return f"file-{digest.hexdigest()[:40]}"


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of a review: rows, answers by question, problems and warnings by code."""

    rows: int = 0
    answers: dict[str, Counter[str]] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)


class _Everything:
    def __contains__(self, _number: object) -> bool:
        return True


def open_rows(options: ReadOptions) -> OwnRows:
    """The file's rows; `InputError` where it cannot be read."""
    try:
        return read_rows(options, cast("set[int]", _Everything()))
    except (UnreadableError, OSError):
        raise InputError(
            f"无法读取 {options.path}：请提供带“统一社会信用代码”表头的 CSV、NDJSON 或 Excel 文件。",
            f"{options.path} cannot be read: give a CSV, NDJSON or Excel file whose header names "
            "统一社会信用代码 (or uscc).",
        ) from None


def count_rows(options: ReadOptions) -> int:
    """The number of rows."""
    rows = open_rows(options)
    try:
        return sum(1 for _ in rows.items)
    finally:
        rows.close()


def run_review(client: Client, review: Review, progress: Callable[[int], None]) -> Tally:
    """Ask every row and write its answers; rows are held in memory a batch at a time."""
    rows = open_rows(review.file)
    try:
        code = code_place(rows.columns)
        asked = asked_of_rows(review.questions, rows.columns)
        tags = list(dict.fromkeys(each.tag for each in asked))
        if review.bundle is not None:
            tags = _tags_of(client, review.bundle, review.purpose)
        with answers_file(review.out, rows.columns, tags, force=review.force) as writer:
            return _answered(client, review, _Rows(rows, code, asked), writer, progress)
    finally:
        rows.close()


def _tags_of(client: Client, name: str, purpose: str) -> list[str]:
    """The questions of a published bundle of this purpose: the columns of answers."""
    published = list(client.bundles())
    found = next((each for each in published if each.bundle == name), None)
    if found is None or found.purpose != purpose:
        names = ", ".join(f"{each.bundle} ({each.purpose})" for each in published)
        raise InputError(
            f"没有用途为 {purpose} 的 {name}；已公布的：{names}。",
            f"There is no {name} for the purpose {purpose}; published are: {names}.",
        )
    return list(found.questions)


class _Rows:
    """The rows as they are asked; those that were not answered yet are held, to be written then."""

    def __init__(self, rows: OwnRows, code: int, asked: Sequence[AskedOfRows]) -> None:
        self._rows, self._code, self._asked = rows, code, asked
        self._width = len(rows.columns)
        self.held: deque[list[str]] = deque()

    def __iter__(self) -> Iterator[RowAsked]:
        for item in self._rows.items:
            own = list(self._rows.cells(item))
            cells = (own + [""] * self._width)[: max(self._width, len(own))]
            self.held.append(cells)
            questions = [
                cast("tuple[QuestionTag, QuestionValue]", each.of_row(cells))
                for each in self._asked
            ]
            code = cells[self._code].strip()
            yield (code, questions) if questions else code


def _answered(
    client: Client,
    review: Review,
    rows: _Rows,
    writer: AnswersWriter,
    progress: Callable[[int], None],
) -> Tally:
    tally = Tally()
    asked, key, purpose = iter(rows), review.key(), cast("Purpose", review.purpose)
    bundle = cast("BundleName | None", review.bundle)
    first = client.verify_many(
        islice(asked, FIRST_ROWS), purpose=purpose, bundle=bundle, idempotency_key=f"{key}-first"
    )
    others = client.verify_many(
        asked,
        purpose=purpose,
        bundle=bundle,
        idempotency_key=key,
        progress=lambda answered: progress(FIRST_ROWS + answered),
    )
    results = chain(_unless_all_refused(first, review), others)
    for result in results:
        writer.write(rows.held.popleft(), result)
        tally.rows += 1
        tally.warnings.update(result.warnings)
        for each in result.answers:
            tally.answers.setdefault(each.question, Counter())[each.answer] += 1
        if result.problem is not None:
            tally.problems[result.problem.code] += 1
    return tally


def _unless_all_refused(first: Iterable[RowResult], review: Review) -> list[RowResult]:
    """The first results; `InputError` where all rows that could be asked are refused for what is asked."""
    results = list(first)
    problems = [each.problem for each in results if each.problem is not None]
    refused = [each for each in problems if each.code in _OF_EVERY_ROW]
    if refused and not any(each.answers for each in results):
        told = _with_nearest(refused[0], review)
        raise InputError(
            f"前 {len(results)} 行均被拒绝，其余各行没有发送。{told}",
            f"The first {len(results)} rows were refused, and no others were sent. {told}",
        )
    return results


def _with_nearest(problem: RowProblem, review: Review) -> str:
    """The problem, with the unknown names and the nearest that there are."""
    kinds = {"unknown_purpose": UnknownPurpose, "unknown_question": UnknownQuestion}
    error = kinds.get(problem.code, XinqiaoError)(problem.detail)
    tags = [parse_question(each)[0] for each in review.questions]
    name_unknown(error, {"purpose": review.purpose, "questions": tags})
    return f"{problem.code}: {error.detail}"
