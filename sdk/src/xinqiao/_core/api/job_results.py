"""Results of a verification job, read page by page and checked against its manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from xinqiao._core.batch.parsing import read_problem
from xinqiao._core.batch.results import RowProblem
from xinqiao._core.signatures.merkle import Frontier, leaf_hash
from xinqiao._core.transport.api_call import call
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.parsing import read_answer
from xinqiao._core.wire.results import Answer
from xinqiao._core.wire.serialization import Serializable
from xinqiao._core.wire.strict import parse_json
from xinqiao.errors import ProtocolError, SignatureInvalid

from .jobs import SCOPE, job_path

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session

PAGE: Final = 5_000
"""Lines of a result that are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine(Serializable):
    """One line of a result: its answers, or its `problem`. `text` are its bytes in the signed tree."""

    line: int
    uscc: str | None
    answers: tuple[Answer, ...]
    problem: RowProblem | None
    disclosure_id: str | None
    as_of: datetime | None
    text: str = field(repr=False, compare=False)

    def __getitem__(self, question: str) -> Answer:
        """The answer to a question."""
        found = [answer for answer in self.answers if answer.question == question]
        if len(found) != 1:
            raise KeyError(question)
        return found[0]


@dataclass(slots=True, kw_only=True)
class ResultReader:
    """Reads a job's result page by page; each is signed, and at the end the whole fits its manifest."""

    job_id: str
    page: int = PAGE
    _after: int = 0
    _tree: Frontier = field(default_factory=Frontier)
    _has_ended: bool = False

    def next_results(self, session: Session) -> Flow[tuple[JobLine, ...] | None]:
        """The next lines, or None after the last."""
        if self._has_ended:
            return None
        query = urlencode({"from_line": self._after + 1, "lines": self.page})
        target = f"{job_path(self.job_id)}/result?{query}"
        evidence = yield from call(session, "GET", target, scope=SCOPE)
        texts = evidence.body.split(b"\n")[:-1]
        documents = [_document(text) for text in texts]
        if documents and "manifest" in documents[-1].members:
            self._has_ended = True
            end, texts = documents.pop(), texts[:-1]
        self._tree.add(leaf_hash(text) for text in texts)
        if self._has_ended:
            self._check(end)
        elif not texts:
            raise ProtocolError("The result has neither lines nor a manifest.")
        found = tuple(_line(each, text) for each, text in zip(documents, texts, strict=True))
        if found:
            self._after = found[-1].line
        return found

    def _check(self, end: Reader) -> None:
        """Check the manifest against all lines; the page that holds it is signed."""
        manifest = end.object("manifest")
        fits = manifest.text("root") == self._tree.root().hex()
        if not fits or manifest.integer("lines") != self._tree.size:
            raise SignatureInvalid(
                "The lines are not those that the manifest was signed over: nothing of this job is to "
                "be believed.",
                reason="lines",
            )


def _document(text: bytes) -> Reader:
    try:
        return Reader.of(parse_json(text), "a line")
    except ValueError as error:
        raise ProtocolError(f"A line of the result cannot be read: {error}.") from None


def _line(line: Reader, text: bytes) -> JobLine:
    problem = line.optional_object("problem")
    enterprise = line.optional_object("enterprise")
    return JobLine(
        line=line.integer("line"),
        uscc=None if enterprise is None else enterprise.text("uscc"),
        answers=tuple(read_answer(each) for each in line.optional_objects("answers")),
        problem=None if problem is None else read_problem(problem),
        disclosure_id=line.optional_text("disclosure_id"),
        as_of=line.optional_time("as_of"),
        text=text.decode(),
    )
