"""Results of a batch: one row each, with what shows it alone under the batch's signed manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xinqiao._core.signatures.merkle import inclusion_proof, leaf_hash
from xinqiao._core.wire.results import Answer, LogPromise
from xinqiao._core.wire.serialization import Serializable


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedManifest(Serializable):
    """A verified manifest: `manifest` has the root over the lines, `signature` is Ed25519 over it."""

    manifest: dict[str, Any]
    keyid: str
    signature: str
    leaves: Sequence[bytes] = field(repr=False)
    """The leaf hashes of the batch's lines."""

    def to_dict(self) -> dict[str, Any]:
        """The manifest as it came."""
        return {"manifest": self.manifest, "keyid": self.keyid, "signature": self.signature}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEvidence(Serializable):
    """One line's exact bytes and its batch's manifest."""

    line: bytes = field(repr=False)
    index: int
    batch: SignedManifest = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The line with its proof (RFC 9162, section 2.1.3), which shows it without the others."""
        return {
            **self.batch.to_dict(),
            "line": self.line.decode(),
            "leaf_index": self.index,
            "leaf_hash": leaf_hash(self.line).hex(),
            "proof": [each.hex() for each in inclusion_proof(self.index, self.batch.leaves)],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem(Serializable):
    """Why a row was not answered; `retry_after`, in seconds, where it may be asked again."""

    code: str
    detail: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult(Serializable):
    """The result of one row, in the order of the rows: its answers, or its `problem`.

    `row` counts from 0. The ids, `as_of` and `log_promise` are None where there is a problem.
    """

    row: int
    uscc: str
    answers: tuple[Answer, ...]
    problem: RowProblem | None
    warnings: tuple[str, ...]
    verification_id: str | None
    disclosure_id: str | None
    as_of: datetime | None
    log_promise: LogPromise | None
    evidence: LineEvidence = field(repr=False, compare=False)

    @property
    def answered(self) -> bool:
        """True if the row was answered."""
        return self.problem is None

    def __getitem__(self, question: str) -> Answer:
        """The answer to a question."""
        found = [answer for answer in self.answers if answer.question == question]
        if len(found) != 1:
            raise KeyError(question)
        return found[0]
