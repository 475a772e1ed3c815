"""Ways to ask about many enterprises: single calls, a batch, a job, and all of them by turns."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx2

from tests import job_builders
from tests.batch_builders import batch_body, batch_line, read_batch, send_batch
from tests.gateway_fixture import Caller, QuestionValue

PURPOSE: Final = "loan_approval"

Question = str | tuple[str, QuestionValue]
Row = tuple[str, Sequence[Question]]
"""A code, and what is asked of it."""
Told = list[str]
"""What a row was told: an answer to each question, or by itself the code of its problem."""
Ask = Callable[[Caller, Sequence[Row]], Awaitable[list[Told]]]


async def ask_singly(caller: Caller, rows: Sequence[Row]) -> list[Told]:
    """One call a row."""
    return [
        told_of((await caller.verify(uscc, *asked, purpose=PURPOSE)).json()) for uscc, asked in rows
    ]


async def ask_in_a_batch(caller: Caller, rows: Sequence[Row]) -> list[Told]:
    """All rows in one call."""
    response = await send_batch(caller, _lines(rows))
    if response.status_code != httpx2.codes.OK:
        return [told_of(response.json())] * len(rows)
    return [told_of(each) for each in read_batch(response.content).documents]


async def ask_in_a_job(caller: Caller, rows: Sequence[Row]) -> list[Told]:
    """All rows as a job, whose result is collected."""
    job = await job_builders.started(caller, batch_body(_lines(rows)))
    return [told_of(each) for each in (await job_builders.finished(caller, job)).documents]


async def ask_by_turns(caller: Caller, rows: Sequence[Row]) -> list[Told]:
    """The rows dealt out to the other ways, one after the other."""
    told: dict[int, Told] = {}
    for turn, way in enumerate(WAYS[: len(rows)]):
        places = range(turn, len(rows), len(WAYS))
        told |= zip(places, await way(caller, [rows[place] for place in places]), strict=True)
    return [told[place] for place in range(len(rows))]


WAYS: Final[tuple[Ask, ...]] = (ask_singly, ask_in_a_batch, ask_in_a_job)
EVERY_WAY: Final[Mapping[str, Ask]] = {
    "single": ask_singly,
    "batch": ask_in_a_batch,
    "job": ask_in_a_job,
    "by turns": ask_by_turns,
}


def told_of(document: Mapping[str, object]) -> Told:
    """Contents of an answer, of a line of one, or of a problem."""
    answers = document.get("answers")
    if isinstance(answers, list):
        return [str(each["answer"]) for each in answers]
    problem = document.get("problem", document)
    assert isinstance(problem, Mapping)
    return [str(problem["code"])]


def _lines(rows: Sequence[Row]) -> list[bytes]:
    return [
        batch_line(number, uscc, *asked, purpose=PURPOSE)
        for number, (uscc, asked) in enumerate(rows, 1)
    ]


@dataclass(slots=True, kw_only=True)
class Report:
    """Report of an attack: its aim, and what it has learned."""

    goal: str
    asked: int = 0
    learned: set[str] = field(default_factory=set)
    """Facts that the answers have told, beyond what the attacker knew."""

    def __str__(self) -> str:
        """One line, for the output of the tests."""
        return f"{self.goal}: asked {self.asked}, learned {sorted(self.learned) or 'nothing'}"
