"""Request bodies of the admin API, agreement files and `client apply`; unknown members are refused."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.access.http.body import WireModel
from gateway.admin.operators import NAME
from gateway.clients.authentication_method import MEMBERS, PRIVATE_KEY_JWT, Authentication
from gateway.clients.filing import Filing
from gateway.clients.registration import CLIENT_ID, Registration
from gateway.clients.terms import LONGEST_NAME, IdNumbers, Signature, Signatures, Terms
from gateway.limits.quotas import Quotas
from gateway.rfc3339 import Day, Moment

Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Tags = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=128)], ...], Field(max_length=200)
]
Signed = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
ClientId = Annotated[str, StringConstraints(pattern=f"^(?:{CLIENT_ID.pattern})$")]
Name = Annotated[str, StringConstraints(pattern=f"^(?:{NAME.pattern})$")]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class SignatureIn(WireModel):
    """The signature of one side."""

    name: Signed
    role: Signed
    signed_on: Day


class SignaturesIn(WireModel):
    """The signatures of both sides."""

    operator: SignatureIn
    client: SignatureIn


class QuotasIn(WireModel):
    """Quotas; one left out has its default."""

    per_minute: int | None = None
    per_day: int | None = None
    per_enterprise_per_minute: int | None = None
    distinct_enterprises_per_day: int | None = None


class TermsIn(WireModel):
    """The terms of an agreement, with signatures."""

    purposes: Tags = ()
    datasets: Tags = ()
    questions: Tags = ()
    quotas: QuotasIn = QuotasIn()
    retention_days: int = 0
    id_numbers: IdNumbers | None = None
    automated_decisions: bool | None = None
    requires_signed_requests: bool = False
    valid_from: Moment
    valid_until: Moment
    signatures: SignaturesIn

    def to_terms(self) -> Terms:
        """The checked terms; raises `TermsError` or `QuotasError`."""
        return Terms(
            purposes=frozenset(self.purposes),
            datasets=frozenset(self.datasets),
            questions=frozenset(self.questions),
            quotas=Quotas.from_json(self.quotas.model_dump(exclude_none=True)),
            retention_days=self.retention_days,
            id_numbers=self.id_numbers,
            automated_decisions=self.automated_decisions,
            requires_signed_requests=self.requires_signed_requests,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            signatures=Signatures(
                operator=Signature(**self.signatures.operator.model_dump()),
                client=Signature(**self.signatures.client.model_dump()),
            ),
        )


class FilingIn(WireModel):
    """The filing of a credit-service agency (R13)."""

    kind: Text
    authority: Text
    number: Text
    checked_on: Day
    valid_until: Day

    def to_filing(self) -> Filing:
        """The filing, not yet checked."""
        return Filing(**self.model_dump())


class CertificateSubjectIn(WireModel):
    """The name that a client's certificate has (RFC 8705 §2.1.2); at most one member."""

    tls_client_auth_subject_dn: Text | None = None
    tls_client_auth_san_dns: Text | None = None
    tls_client_auth_san_uri: Text | None = None
    tls_client_auth_san_ip: Text | None = None
    tls_client_auth_san_email: Text | None = None


class ClientDetailsIn(CertificateSubjectIn):
    """A client's registration, without its id."""

    kind: Text
    name_zh: Text
    name_en: Text
    scopes: Tags
    redirect_uris: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    jwks: dict[str, Any] | None = None
    jwks_uri: Text | None = None
    filing: FilingIn | None = None
    personal_credit_licence: Text | None = None
    contact: Text | None = None
    token_endpoint_auth_method: Text = PRIVATE_KEY_JWT
    tls_client_certificate_bound_access_tokens: bool = False

    def to_registration(self, client_id: str, *, loopback: bool) -> Registration:
        """The checked registration; raises `RegistrationError`."""
        details = self.model_dump(exclude=set(MEMBERS))
        details["filing"] = self.filing.to_filing() if self.filing else None
        authentication = Authentication.of(self.model_dump())
        return Registration(
            client_id=client_id, authentication=authentication, loopback=loopback, **details
        )


class ByOperator(WireModel):
    """The acting person's name, as claimed by the operator's client."""

    operator: Name | None = None


class ClientIn(ByOperator):
    """A new client."""

    client_id: ClientId
    registration: ClientDetailsIn


class RotationIn(ByOperator):
    """A statement that the client signed with a key it has now."""

    rotation: Annotated[str, StringConstraints(min_length=1, max_length=32_768)]


class ProposalIn(ByOperator):
    """The next version of an agreement."""

    agreement: TermsIn


class ApprovalIn(ByOperator):
    """The digest of the proposal that was read."""

    digest: Digest


class ReviewIn(ByOperator):
    """The decision of a review."""

    outcome: Literal["upheld", "partly", "rejected"]
    reasons: Annotated[str, Field(min_length=1, max_length=3_000)]


class CodeReportDecisionIn(ByOperator):
    """The decision on a reported code."""

    outcome: Literal["dismissed", "confirmed"]
    reasons: Annotated[str, Field(min_length=1, max_length=3_000)]
    revoke: bool = False
