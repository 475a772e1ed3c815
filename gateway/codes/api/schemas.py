"""Request and response models of `/v1/enterprise-codes`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.access.http.body import EnterpriseIn, WireModel
from gateway.access.serializers.timestamps import format_time
from gateway.codes.ids import code_url
from gateway.codes.model import Code, CodeState, PrintedFact, Registration
from gateway.rfc3339 import Moment

Text = Annotated[str, StringConstraints(max_length=200)]
Issuer = Literal["enterprise", "authority", "operator"]


class CodeIn(WireModel):
    """Body of `POST /v1/enterprise-codes`: a sign, and the place of its sticker."""

    enterprise: EnterpriseIn
    sign_name: Text = Field(examples=["云栖小店"])
    label: Text = Field(default="", examples=["南门"])
    expires_at: Moment | None = None


class ReissueIn(WireModel):
    """Body of a reissue; what is left out stays as it was."""

    sign_name: Text | None = None
    label: Text | None = None
    expires_at: Moment | None = None


class RevokeIn(WireModel):
    """Body of a revocation: an empty object, or none."""


class PrintedOut(WireModel):
    """The facts of the registration on a sticker, as they were at issue; null where unknown."""

    name: str | None
    division: str | None


class EnterpriseCodeOut(WireModel):
    """A code: what its sticker says, its state, and who issued or revoked it.

    `out_of_date` lists what is printed and differs from the registration now.
    """

    code_id: str
    address: str
    enterprise: EnterpriseIn
    state: CodeState
    sign_name: str
    label: str
    check_phrase: str
    printed: PrintedOut
    out_of_date: list[PrintedFact]
    issued_at: str
    issued_by: Issuer | None
    expires_at: str | None
    revoked_at: str | None
    revoked_by: Issuer | None
    replaced_by: str | None


class EnterpriseCodesOut(WireModel):
    """A page of an enterprise's codes by id; `after` is the cursor of the next page."""

    codes: list[EnterpriseCodeOut]
    after: str | None


def code_json(code: Code, registration: Registration, issuer: str, now: datetime) -> dict[str, Any]:
    """One code for its authority: kinds of actors, never persons."""
    return {
        "code_id": code.code_id,
        "address": code_url(issuer, code.code_id),
        "enterprise": {"uscc": code.uscc},
        "state": code.state_at(now).value,
        "sign_name": code.sign_name,
        "label": code.label,
        "check_phrase": code.check_phrase,
        "printed": {"name": code.printed_name, "division": code.printed_division},
        "out_of_date": list(code.outdated_facts(registration)),
        "issued_at": format_time(code.issued_at),
        "issued_by": kind_of(code.issued_by),
        "expires_at": format_time(code.expires_at) if code.expires_at else None,
        "revoked_at": format_time(code.revoked_at) if code.revoked_at else None,
        "revoked_by": kind_of(code.revoked_by),
        "replaced_by": code.replaced_by,
    }


def kind_of(actor: str | None) -> Issuer | None:
    """The kind of an actor: `client:ID`, `shell:NAME`, or a person of the enterprise."""
    if actor is None:
        return None
    kinds: dict[str, Issuer] = {"client": "authority", "shell": "operator"}
    return kinds.get(actor.partition(":")[0], "enterprise")
