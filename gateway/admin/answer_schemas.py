"""Response models of the admin API, for its OpenAPI description; the serializers write the answers."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from gateway.access.http.body import WireModel
from gateway.access.serializers.data_quality import SourceQualityOut
from gateway.access.serializers.objection import WholeObjectionOut

CSV: Final[dict[str, Any]] = {"text/csv": {"schema": {"type": "string"}}}
"""The same report for a spreadsheet."""
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Time = Annotated[str, Field(examples=["2026-11-22T10:00:00+08:00"])]
Day = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class FilingOut(WireModel):
    """The filing of a credit-service agency (R13); of one from before it had parts, the number alone."""

    kind: str | None
    authority: str | None
    number: str
    checked_on: Day | None
    valid_until: Day | None


class ClientOut(WireModel):
    """A client: its registration, its state, and the ids of its keys."""

    client_id: str
    kind: str
    name_zh: str
    name_en: str
    state: Literal["active", "suspended", "ended"]
    scopes: list[str]
    redirect_uris: list[str]
    jwks_uri: str | None
    kids: list[str]
    keys_fetched_at: Time | None
    keys_trouble: str | None
    filing: FilingOut | None
    personal_credit_licence: str | None
    contact: str | None
    token_endpoint_auth_method: str
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    tls_client_certificate_bound_access_tokens: bool
    created_at: Time
    digest: Digest


class ClientsOut(WireModel):
    """A page of clients; `after` is the cursor of the next page."""

    clients: list[ClientOut]
    after: str | None


class ActOut(WireModel):
    """Act of an operator; its leaf in the log is SHA-256(`salt` ‖ the canonical row)."""

    act_id: str
    operator: str
    operator_name: str | None
    what: str
    client_id: str
    subject: str | None
    before: Digest | None
    after: Digest | None
    at: Time
    salt: str
    leaf_hash: Digest


class ActsOut(WireModel):
    """Acts of operators, the newest first."""

    acts: list[ActOut]


class SignatureOut(WireModel):
    """The signature of one side of an agreement."""

    name: str
    role: str
    signed_on: Day


class SignaturesOut(WireModel):
    """The signatures of both sides of an agreement."""

    operator: SignatureOut
    client: SignatureOut


class QuotasOut(WireModel):
    """The quotas of an agreement."""

    per_minute: int
    per_day: int
    per_enterprise_per_minute: int
    distinct_enterprises_per_day: int


class TermsOut(WireModel):
    """The terms of an agreement, as in an agreement file."""

    purposes: list[str]
    datasets: list[str]
    questions: list[str]
    quotas: QuotasOut
    retention_days: int
    id_numbers: Literal["encrypted", "channel"] | None
    automated_decisions: bool | None
    requires_signed_requests: bool
    valid_from: Time
    valid_until: Time
    signatures: SignaturesOut | None


class AgreementVersionOut(TermsOut):
    """One version of an agreement; the newest counts."""

    version: int
    agreement_id: str
    ended_at: Time | None
    digest: Digest


class AgreementOut(WireModel):
    """Every version of a client's agreement, the newest first."""

    versions: list[AgreementVersionOut]


class ProposedTermsOut(WireModel):
    """The document whose digest is approved; what is not agreed has no member."""

    client_id: str
    version: int
    purposes: list[str]
    datasets: list[str]
    questions: list[str]
    quotas: QuotasOut
    retention_days: int = Field(default=0, description="There if data may be retained.")
    id_numbers: Literal["encrypted", "channel"] = Field(
        default="channel", description="There if ID numbers are agreed on."
    )
    automated_decisions: bool = Field(default=False, description="There if it is declared.")
    requires_signed_requests: bool = Field(default=True, description="There if it is agreed.")
    valid_from: Time
    valid_until: Time
    signatures: SignaturesOut | None = None


class ProposalOut(WireModel):
    """A proposed version of an agreement; `digest` is what is approved, `widens` what it adds."""

    proposal_id: str
    client_id: str
    status: Literal["open", "approved", "rejected", "superseded"]
    widens: list[str]
    agreement: ProposedTermsOut
    digest: Digest
    proposed_by: str
    proposed_name: str | None
    proposed_at: Time
    decided_by: str | None
    decided_at: Time | None


class ProposalsOut(WireModel):
    """Proposals for one client, the newest first."""

    proposals: list[ProposalOut]


class InForceOut(WireModel):
    """The version of an agreement that is in force now."""

    status: Literal["in_force"]
    version: int
    digest: Digest


class DueObjectionOut(WireModel):
    """A deadline of an objection; `next` is who has to act."""

    objection_id: str
    kind: str
    status: str
    next: str
    source_id: str
    source_name: str
    dataset: str
    record_id: str
    uscc: str
    raised_at: Time
    due_on: Day | None
    provisional: bool
    working_days_left: int | None


class DueObjectionsOut(WireModel):
    """Overdue decisions of sources and reviewers, the longest overdue first."""

    due: list[DueObjectionOut]


class DueRepairOut(WireModel):
    """A deadline of an application for repair."""

    application_id: str
    source_id: str
    source_name: str
    dataset: str
    record_id: str
    uscc: str
    applied_at: Time
    due_on: Day
    provisional: bool
    working_days_left: int


class DueRepairsOut(WireModel):
    """Applications for repair that sources have to decide, the longest overdue first."""

    due: list[DueRepairOut]


class ObjectionForReviewOut(WholeObjectionOut):
    """An objection with its texts and history, as its reviewer needs it."""


class NamedSourceQualityOut(SourceQualityOut):
    """A source's month as it is published, with the source's name."""

    name: str


class DataQualityOut(WireModel):
    """A page of sources; `after` is the cursor of the next page."""

    month: str
    rules_version: str
    sources: list[NamedSourceQualityOut]
    after: str | None
