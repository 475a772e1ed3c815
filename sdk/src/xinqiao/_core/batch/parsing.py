"""Parsing of a batch's lines, verified before, into the results of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.parsing import check_answered, read_answer, read_log_promise
from xinqiao.errors import ProtocolError

from .results import LineEvidence, RowProblem, RowResult

if TYPE_CHECKING:
    from .answer import BatchAnswer


def read_problem(problem: Reader) -> RowProblem:
    """The problem of one line."""
    return RowProblem(
        code=problem.text("code"),
        detail=problem.text("detail"),
        retry_after=problem.optional_integer("retry_after"),
    )


def row_result(
    answer: BatchAnswer, place: int, *, row: int, uscc: str, asked: tuple[str, ...] | None
) -> RowResult:
    """The result of the line at `place`; its answers must be in the order of the questions.

    `asked` is None where a bundle stood for them.
    """
    line = Reader.of(answer.documents[place], f"line {place}")
    evidence = LineEvidence(line=answer.lines[place], index=place, batch=answer.manifest)
    if line.integer("line") != place:
        raise ProtocolError("The lines are not in the order in which they were asked.")
    problem = line.optional_object("problem")
    if problem is not None:
        return RowResult(
            row=row,
            uscc=uscc,
            answers=(),
            problem=read_problem(problem),
            warnings=line.texts("warnings"),
            verification_id=None,
            disclosure_id=None,
            as_of=None,
            log_promise=None,
            evidence=evidence,
        )
    answers = tuple(read_answer(each) for each in line.objects("answers"))
    check_answered(answers, asked)
    return RowResult(
        row=row,
        uscc=uscc,
        answers=answers,
        problem=None,
        warnings=line.texts("warnings"),
        verification_id=line.text("verification_id"),
        disclosure_id=line.text("disclosure_id"),
        as_of=line.time("as_of"),
        log_promise=read_log_promise(line),
        evidence=evidence,
    )
