"""The result of a job, streamed in bounded memory: the answers in order, then the signed manifest.

NDJSON is what is signed. CSV and xlsx show the same to people: a row for each line, a column for each
question.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import orjson

from gateway.runtime import Runtime
from gateway.verifications.jobs import client_store
from gateway.verifications.jobs.sealing import ANSWERS, manifest_of, open_lines, place_of
from gateway.verifications.jobs.stored_job import Job

SETS_AT_ONCE: Final = 4
_LF: Final = b"\n"


async def answered_sets(runtime: Runtime, job: Job, after: int = 0) -> AsyncIterator[list[bytes]]:
    """The answers set by set, from the line after `after` on; of a stopped job those that it has."""
    while True:
        async with runtime.engine.connect() as connection:
            sets = await client_store.answers_after(connection, job, after, limit=SETS_AT_ONCE)
        for each in sets:
            if each.answers is None:
                continue
            place = place_of(job.job_id, each.first_line)
            texts = open_lines(runtime.vault, each.answers, column=ANSWERS, row=place)
            yield [text for text in texts[max(0, after + 1 - each.first_line) :] if text]
            after = each.first_line + each.lines - 1
        if len(sets) < SETS_AT_ONCE:
            return


async def ndjson_result(runtime: Runtime, job: Job, after: int = 0) -> AsyncIterator[bytes]:
    """The answers as NDJSON, and the manifest as the last line."""
    async for texts in answered_sets(runtime, job, after):
        yield _LF.join(texts) + _LF
    yield manifest_of(runtime.vault, job).encode() + _LF


async def result_page(runtime: Runtime, job: Job, after: int, lines: int) -> bytes:
    """So many answers after a line, and the manifest behind the last one."""
    found: list[bytes] = []
    async for texts in answered_sets(runtime, job, after):
        found += texts
        if len(found) > lines:
            return _LF.join(found[:lines]) + _LF
    return _LF.join([*found, manifest_of(runtime.vault, job).encode()]) + _LF


async def asked_tags(runtime: Runtime, job: Job) -> list[str]:
    """The tags of the questions that the job's answers name, in the order in which they come first."""
    if job.questions is not None:
        return list(dict.fromkeys(str(each["question"]) for each in job.questions))
    tags: dict[str, None] = {}
    async for texts in answered_sets(runtime, job):
        for text in texts:
            answers = orjson.loads(text).get("answers", ())
            tags.update(dict.fromkeys(each["question"] for each in answers))
    return list(tags)


def result_header(tags: Sequence[str]) -> list[str]:
    """The names of the columns."""
    return ["line", "uscc", *tags, "problem", "detail", "disclosure_id", "as_of"]


def result_row(text: bytes, tags: Sequence[str]) -> list[str]:
    """One line as cells: of a question asked with several values the answers by semicolons."""
    found: dict[str, Any] = orjson.loads(text)
    by_tag: dict[str, list[str]] = {}
    for each in found.get("answers", ()):
        match = each.get("match")
        by_tag.setdefault(each["question"], []).append(
            each["answer"] if match is None else f"{each['answer']} ({match})"
        )
    return [
        str(found["line"]),
        found.get("enterprise", {}).get("uscc", ""),
        *("; ".join(by_tag.get(tag, ())) for tag in tags),
        found.get("problem", {}).get("code", ""),
        found.get("problem", {}).get("detail", ""),
        found.get("disclosure_id", ""),
        found.get("as_of", ""),
    ]
