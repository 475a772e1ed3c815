"""Public errors of the API: an error's docstring is its public sentence, its code never changes.

None tells more than the caller may know: whatever depends on an enterprise has one error only,
`NotAvailableError`. Statuses and titles stand in `gateway.problems`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from gateway.disclosure.idempotency import KeyConflict


class GatewayError(Exception):
    """The request was refused."""

    code: ClassVar[str]

    def __init__(
        self,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        super().__init__(self.detail)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expected refusal as a value: the error that `raise_if_refused` raises for it."""

    error: type[GatewayError]
    detail: str | None = None
    headers: Mapping[str, str] | None = None
    retry_after: int | None = None


T = TypeVar("T")


def raise_if_refused(value: T | Refusal) -> T:
    """`value`, unless it is a refusal: then its error is raised."""
    if isinstance(value, Refusal):
        raise value.error(value.detail, headers=value.headers, retry_after=value.retry_after)
    return value


class InvalidRequestError(GatewayError):
    """The request is not of the form that this endpoint takes; see `detail` and mend it."""

    code = "invalid_request"


class InvalidUsccError(GatewayError):
    """This is not a unified social credit code of an enterprise; check its 18 characters."""

    code = "invalid_uscc"


class UnknownQuestionError(GatewayError):
    """No such question; GET /v1/questions lists them."""

    code = "unknown_question"


class UnknownDatasetError(GatewayError):
    """No such dataset; the catalogue in the documentation lists them."""

    code = "unknown_dataset"


class UnknownPurposeError(GatewayError):
    """No such purpose; purposes are a closed list in the documentation."""

    code = "unknown_purpose"


class PayloadTooLargeError(GatewayError):
    """The request body is larger than this endpoint takes; send less at a time."""

    code = "payload_too_large"


class UnsupportedMediaTypeError(GatewayError):
    """Send the body as application/json."""

    code = "unsupported_media_type"


class ChecksumMismatchError(GatewayError):
    """Upload-Checksum does not fit the part that arrived; nothing of it was kept. Send it again."""

    code = "checksum_mismatch"


class UploadBusyError(GatewayError):
    """Another call is writing at this upload; ask for its offset again in a moment."""

    code = "upload_busy"


class UnsupportedVersionError(GatewayError):
    """Send Tus-Resumable: 1.0.0."""

    code = "unsupported_version"


class DigestMismatchError(GatewayError):
    """Content-Digest does not fit the body: give its sha-256, its sha-512 or both (RFC 9530), no other."""

    code = "digest_mismatch"


class SignatureInvalidError(GatewayError):
    """The request's signature (RFC 9421) cannot be accepted; see `detail`."""

    code = "signature_invalid"


class SignatureRequiredError(GatewayError):
    """This client's agreement requires signed requests (RFC 9421); sign each one."""

    code = "signature_required"


class AgreementMissingError(GatewayError):
    """No agreement covers this client; ask the operator."""

    code = "agreement_missing"


class AgreementEndedError(GatewayError):
    """This client's agreement is not in force; ask the operator for a new one."""

    code = "agreement_ended"


class NotInAgreementError(GatewayError):
    """This client's agreement does not cover what was asked; see `detail`."""

    code = "not_in_agreement"


class ClientSuspendedError(GatewayError):
    """This client is suspended; ask the operator."""

    code = "client_suspended"


class NotAvailableError(GatewayError):
    """Not available to this client. A consent of the enterprise may be needed."""

    code = "not_available"


class ConsentWithdrawnError(GatewayError):
    """The enterprise has withdrawn this consent."""

    code = "consent_withdrawn"


class ConsentExpiredError(GatewayError):
    """This consent has expired; ask the enterprise for a new one."""

    code = "consent_expired"


class ConsentExhaustedError(GatewayError):
    """All uses of this consent are spent; ask the enterprise for a new one."""

    code = "consent_exhausted"


class ConsentPausedError(GatewayError):
    """The enterprise has paused this consent."""

    code = "consent_paused"


class CoolingDownError(GatewayError):
    """The enterprise refused a short while ago; ask again when the cool-down has ended."""

    code = "cooling_down"


class RateLimitedError(GatewayError):
    """Too many calls; wait for as long as Retry-After says."""

    code = "rate_limited"


class QuotaExhaustedError(GatewayError):
    """The quota of this client's agreement is spent; it refills as Retry-After says."""

    code = "quota_exhausted"


class IdempotencyConflictError(GatewayError):
    """This Idempotency-Key was used with another request; use a new key for each."""

    code = "idempotency_conflict"


class SecondOperatorNeededError(GatewayError):
    """Whoever asked for this cannot approve it; another operator must."""

    code = "second_operator_needed"


class ConflictError(GatewayError):
    """This cannot be done as things stand; see `detail`, read again and decide anew."""

    code = "conflict"


class NotFoundError(GatewayError):
    """There is nothing here."""

    code = "not_found"


class TemporarilyUnavailableError(GatewayError):
    """The gateway cannot answer right now; try again as Retry-After says."""

    code = "temporarily_unavailable"


class UnauthenticatedError(GatewayError):
    """The caller's token or proof will not do; `WWW-Authenticate` says why."""


class InvalidTokenError(UnauthenticatedError):
    """The access token is missing, expired, revoked or not for this server; get a new one."""

    code = "invalid_token"


class NoCredentialsError(InvalidTokenError):
    """Send one access token as `Authorization: DPoP <token>`."""


class InsufficientScopeError(UnauthenticatedError):
    """The access token lacks the scope that this endpoint needs."""

    code = "insufficient_scope"


class InvalidDpopProofError(UnauthenticatedError):
    """The DPoP proof cannot be accepted; see `detail`."""

    code = "invalid_dpop_proof"


class UseDpopNonceError(UnauthenticatedError):
    """Repeat the call with a proof that carries the nonce in DPoP-Nonce."""

    code = "use_dpop_nonce"


CONSENT_ERRORS: Final[Mapping[str, type[GatewayError]]] = {
    error.code: error
    for error in (
        ConsentWithdrawnError,
        ConsentExpiredError,
        ConsentExhaustedError,
        ConsentPausedError,
        CoolingDownError,
    )
}
"""The errors by which a client may be told the state of its own consents, by `consent.Reason`."""


def conflict_refusal(conflict: KeyConflict) -> Refusal:
    """The refusal of an `Idempotency-Key` whose answer cannot be repeated."""
    if conflict is KeyConflict.ANSWER_DELETED:
        return Refusal(
            IdempotencyConflictError,
            "What this Idempotency-Key was answered with has been deleted; use a new key.",
        )
    return Refusal(IdempotencyConflictError)
