"""Models of a batch: its lines, its signed manifest, and the proof of one line."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.access.http.body import WireModel
from gateway.verifications.schemas import VerificationIn

MAX_LINE_NUMBER = 2**53 - 1
LineNumber = Annotated[int, Field(ge=0, le=MAX_LINE_NUMBER, examples=[1])]


class BatchLineIn(VerificationIn):
    """One line of a batch: a verification and the line's number."""

    line: LineNumber


class RefusalOut(WireModel):
    """Why a line, or the batch, is not answered; `retry_after`, in seconds, where it may be asked again."""

    code: str
    detail: str
    retry_after: int | None = None


class LineProblemOut(WireModel):
    """One line's problem."""

    line: int
    problem: RefusalOut
    warnings: list[Literal["check_character"]] | None = None


class BatchProblemOut(WireModel):
    """The last line of a batch that ends without a manifest."""

    problem: RefusalOut


class ManifestOut(WireModel):
    """What a batch was answered with: the root is that of its answered lines' tree (RFC 9162)."""

    batch_id: str
    lines: int
    root: str
    request_digest: str = Field(description="SHA-256 of the request's body, in hexadecimal.")
    created: str


class SignedManifestOut(WireModel):
    """The last line of a batch: `signature` is Ed25519 over the manifest's RFC 8785 bytes."""

    manifest: ManifestOut
    keyid: str
    signature: str


class LineProofOut(SignedManifestOut):
    """The proof that one line is in a batch: RFC 9162 §2.1.3, from the leaf upwards."""

    line: int
    leaf_index: int
    leaf_hash: str
    proof: list[str]
