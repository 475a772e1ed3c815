"""Exceptions of the SDK, one tree. An error's docstring is its sentence where no other is given.

::

    XinqiaoError
    ├── ConfigurationError            the caller's own settings or arguments
    │   ├── ClientClosed              a call of a client that was closed
    │   └── EvidenceExists            a file that `Evidence.save` would have overwritten
    ├── ProtocolError                 a verified answer that does not keep to the wire
    ├── SignatureInvalid              an answer not provably the gateway's; nothing of it was read
    │   └── EvidenceInvalid           a kept answer that does not verify any more
    │       └── EvidenceUnreadable    a file that is not evidence, or could be read in two ways
    ├── ReceiptInvalid                a receipt that does not show what the log promised
    │   └── PromiseBroken             the log lacks it after its time: proof against the operator
    ├── OAuthError                    the authorization server refused (RFC 6749 `error`)
    ├── RequestRefused                the request itself is wrong; repeating it does not help
    │   ├── InvalidRequest            invalid_request
    │   │   └── CursorRefused         invalid_request: of the cursor in a store; also a `ConfigurationError`
    │   ├── InvalidUscc               invalid_uscc
    │   ├── UnknownQuestion           unknown_question
    │   ├── UnknownDataset            unknown_dataset
    │   ├── UnknownPurpose            unknown_purpose
    │   ├── InvalidAuthorizationDetails  invalid_authorization_details, also an `OAuthError`
    │   ├── PayloadTooLarge           payload_too_large
    │   ├── UnsupportedMediaType      unsupported_media_type
    │   ├── DigestMismatch            digest_mismatch
    │   ├── SignatureRequired         signature_required
    │   ├── RequestSignatureInvalid   signature_invalid
    │   ├── IdempotencyConflict       idempotency_conflict
    │   └── NotFound                  not_found
    ├── AccessRefused                 the token or its proof was refused
    │   ├── InvalidToken              invalid_token
    │   ├── InsufficientScope         insufficient_scope
    │   ├── InvalidDpopProof          invalid_dpop_proof
    │   └── DpopNonceRefused          use_dpop_nonce, even with the nonce given
    ├── AgreementError                the client's agreement does not allow it
    │   ├── AgreementMissing          agreement_missing
    │   ├── AgreementEnded            agreement_ended
    │   ├── NotInAgreement            not_in_agreement
    │   └── ClientSuspended           client_suspended
    ├── NotAvailable                  not_available: why is not told
    ├── ConsentError                  the enterprise's consent does not allow it
    │   ├── ConsentRefused            access_denied, at the end of a consent flow
    │   ├── ConsentFlowInvalid        a callback that does not belong to the flow
    │   │   └── CallbackExpired       invalid_grant: its code was used before, or is too old
    │   ├── ConsentWithdrawn          consent_withdrawn
    │   ├── ConsentExpired            consent_expired
    │   ├── ConsentExhausted          consent_exhausted
    │   ├── ConsentPaused             consent_paused
    │   └── CoolingDown               cooling_down
    ├── LimitReached                  `retry_after` says when to come back
    │   ├── RateLimited               rate_limited
    │   └── QuotaExhausted            quota_exhausted
    └── ServerUnavailable             not reached, or answered by something that is not the gateway
        ├── AnswerLost                the call was sent, and no answer to it came back
        │   └── AnswerTimedOut        no answer in time; also a `TimedOut`
        ├── HostUnknown               DNS does not know the gateway's host
        ├── ConnectionRefused         nothing listens at the gateway's address
        ├── CertificateUntrusted      the gateway's TLS certificate; not tried again
        ├── TimedOut                  no connection in time; `AnswerTimedOut` where the call was sent
        └── TemporarilyUnavailable    temporarily_unavailable, said and signed by the gateway

Every error has `code`, `status`, `title`, `detail`, `request_id` and `retry_after` (seconds), each
None where nothing is known, `warnings` (of the code that was asked about, `check_character`), and
`idempotency_key`, with which a call is repeated without spending another use. A code of an error that
this version does not know raises the nearest class above. Errors are pickled whole, `to_dict()` is JSON.

After `AnswerLost` a use may have been spent: the same call with `error.idempotency_key` gets its answer and
spends no other. It is raised too where only an earlier try was sent. After every other `ServerUnavailable`
the call was never sent or never begun; a `SignatureInvalid` or `ProtocolError` came with an answer.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from xinqiao._core.wire.serialization import ReadOnlyDict, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._core.evidence.receipts import PromisedLeaf


class XinqiaoError(Exception):
    """The gateway or the way to it failed."""

    known_code: ClassVar[str | None] = None
    """The `code` of the class; given as `class …(…, code="…")`."""
    detail: str
    code: str | None
    unknown: Mapping[str, str | None] = ReadOnlyDict()
    """Names in the request that are in no published list, each with the nearest that is."""

    def __init_subclass__(cls, *, code: str | None = None) -> None:
        """Set the class's own code."""
        super().__init_subclass__()
        if code is not None:
            cls.known_code = code

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        title: str | None = None,
        request_id: str | None = None,
        retry_after: int | None = None,
        warnings: tuple[str, ...] = (),
        idempotency_key: str | None = None,
    ) -> None:
        """Store `detail`, or the class's own sentence where it is None."""
        self.detail = detail or (inspect.getdoc(type(self)) or "").partition("\n")[0]
        self.code = code or self.known_code
        self.status = status
        self.title = title
        self.request_id = request_id
        self.retry_after = retry_after
        self.warnings = warnings
        self.idempotency_key = idempotency_key
        super().__init__(self.detail)

    def __str__(self) -> str:
        """One line: code, sentence and the request id to quote to the operator."""
        head = f"{self.code}: " if self.code else ""
        tail = f" (request {self.request_id})" if self.request_id else ""
        return f"{head}{self.detail}{tail}"

    def to_dict(self) -> dict[str, Any]:
        """The error as a JSON object; `error` names its class."""
        return {"error": type(self).__name__, **json_object(vars(self))}


class ConfigurationError(XinqiaoError):
    """A setting or an argument cannot be used as it is."""


class ClientClosed(ConfigurationError):
    """The client is closed; open a new one, or close it later."""


class EvidenceExists(ConfigurationError):
    """There is a file of that name, which may hold other evidence."""


class ProtocolError(XinqiaoError):
    """The answer was verified, but does not have the shape that the wire promises."""


class SignatureInvalid(XinqiaoError):
    """The answer is not provably the gateway's, so nothing of it was read.

    `reason` names the check that failed: `missing`, `malformed`, `components`, `tag`, `algorithm`,
    `created`, `key`, `digest` or `signature`.
    """

    def __init__(
        self,
        detail: str | None = None,
        *,
        reason: str = "signature",
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        """Store the name of the check that failed."""
        super().__init__(detail, status=status, request_id=request_id)
        self.reason = reason


class EvidenceInvalid(SignatureInvalid):
    """The evidence is not what the gateway signed."""


class EvidenceUnreadable(EvidenceInvalid, ConfigurationError):
    """The file is not evidence: it is no JSON object, or JSON that two readers could read differently."""


class ReceiptInvalid(XinqiaoError):
    """The receipt does not show the promised leaf in the log; `promised` holds the evidence."""

    def __init__(self, detail: str | None = None, *, promised: PromisedLeaf | None = None) -> None:
        """Store the promise that was not kept."""
        super().__init__(detail)
        self.promised = promised


class PromiseBroken(ReceiptInvalid):
    """The log lacks the leaf that an answer promised; keep `promised.evidence`, it is the proof."""


class OAuthError(XinqiaoError):
    """The authorization server refused; `code` is its `error` (RFC 6749, section 5.2)."""


class RequestRefused(XinqiaoError):
    """The gateway does not accept this request; repeating it does not help."""


class InvalidRequest(RequestRefused, code="invalid_request"):
    """The request is malformed."""


class CursorRefused(InvalidRequest, ConfigurationError):
    """The text in the change feed's store is no cursor of this feed."""


class InvalidUscc(RequestRefused, code="invalid_uscc"):
    """This is not a unified social credit code."""


class UnknownQuestion(RequestRefused, code="unknown_question"):
    """The catalogue has no such question."""


class UnknownDataset(RequestRefused, code="unknown_dataset"):
    """The catalogue has no such dataset."""


class UnknownPurpose(RequestRefused, code="unknown_purpose"):
    """This is not one of the purposes for which data is shared."""


class InvalidAuthorizationDetails(RequestRefused, OAuthError, code="invalid_authorization_details"):
    """The consent flow that was asked for is malformed, or beyond the agreement."""


class PayloadTooLarge(RequestRefused, code="payload_too_large"):
    """The request is larger than the gateway reads."""


class UnsupportedMediaType(RequestRefused, code="unsupported_media_type"):
    """The gateway does not read this media type."""


class DigestMismatch(RequestRefused, code="digest_mismatch"):
    """The request's body did not arrive as its Content-Digest says."""


class SignatureRequired(RequestRefused, code="signature_required"):
    """The agreement requires signed requests."""


class RequestSignatureInvalid(RequestRefused, code="signature_invalid"):
    """The gateway refused the request's own signature."""


class IdempotencyConflict(RequestRefused, code="idempotency_conflict"):
    """This Idempotency-Key was used for another request."""


class NotFound(RequestRefused, code="not_found"):
    """There is nothing here for this client."""


class AccessRefused(XinqiaoError):
    """The access token or its proof of possession was refused."""


class InvalidToken(AccessRefused, code="invalid_token"):
    """The access token was refused."""


class InsufficientScope(AccessRefused, code="insufficient_scope"):
    """The access token's scope does not cover this call."""


class InvalidDpopProof(AccessRefused, code="invalid_dpop_proof"):
    """The DPoP proof was refused; a wrong clock is the usual cause."""


class DpopNonceRefused(AccessRefused, code="use_dpop_nonce"):
    """The server asked for a nonce again although its own had been used."""


class AgreementError(XinqiaoError):
    """The agreement does not allow this call."""


class AgreementMissing(AgreementError, code="agreement_missing"):
    """This client has no agreement."""


class AgreementEnded(AgreementError, code="agreement_ended"):
    """The agreement has ended."""


class NotInAgreement(AgreementError, code="not_in_agreement"):
    """The agreement does not contain what was asked."""


class ClientSuspended(AgreementError, code="client_suspended"):
    """The operator has suspended this client."""


class NotAvailable(XinqiaoError, code="not_available"):
    """Nothing can be told about this enterprise for this purpose; why is not told either."""


class ConsentError(XinqiaoError):
    """The enterprise's consent does not allow this call."""


class ConsentRefused(ConsentError, code="access_denied"):
    """The enterprise refused its consent."""


class ConsentFlowInvalid(ConsentError):
    """The callback does not belong to the consent that was started."""


class CallbackExpired(ConsentFlowInvalid, OAuthError, code="invalid_grant"):
    """The code of this callback was used before, or is too old: look for the consent, or begin anew."""


class ConsentWithdrawn(ConsentError, code="consent_withdrawn"):
    """The enterprise has withdrawn this consent."""


class ConsentExpired(ConsentError, code="consent_expired"):
    """The consent's term has ended."""


class ConsentExhausted(ConsentError, code="consent_exhausted"):
    """All uses of the consent are spent."""


class ConsentPaused(ConsentError, code="consent_paused"):
    """The enterprise has paused this consent."""


class CoolingDown(ConsentError, code="cooling_down"):
    """The enterprise refused not long ago; it cannot be asked again yet.

    It can in `retry_after` seconds; `detail` has the moment. The enterprise may end the cool-down before.
    """


class LimitReached(XinqiaoError):
    """A limit of the agreement is reached; `retry_after` says when to come back."""


class RateLimited(LimitReached, code="rate_limited"):
    """Too many calls in too short a time."""


class QuotaExhausted(LimitReached, code="quota_exhausted"):
    """The quota of this period is used up."""


class ServerUnavailable(XinqiaoError):
    """The gateway could not be reached."""

    #: Whether the gateway may have acted on the request although no answer came back.
    may_have_arrived: bool = True


class AnswerLost(ServerUnavailable):
    """The call was sent, and no answer came back: a use may have been spent."""


class HostUnknown(ServerUnavailable):
    """The gateway's host was not found."""


class ConnectionRefused(ServerUnavailable):
    """Nothing listens at the gateway's address."""


class CertificateUntrusted(ServerUnavailable):
    """The gateway's TLS certificate is not trusted."""


class TimedOut(ServerUnavailable):
    """The gateway did not answer in time."""


class AnswerTimedOut(AnswerLost, TimedOut):
    """The call was sent, and no answer came back in time: a use may have been spent."""


class TemporarilyUnavailable(ServerUnavailable, code="temporarily_unavailable"):
    """The gateway cannot answer at the moment."""

    may_have_arrived: bool = False
