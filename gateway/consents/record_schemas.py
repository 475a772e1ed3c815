"""Response models of a consent's signed record, `GET /v1/consents/{consent_id}/record`."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from consent import Status
from gateway.access.http.body import WireModel
from gateway.access.serializers.receipt import ReceiptOut


class ConsentRecordOut(BaseModel):
    """The record in JSON-LD: ISO/IEC TS 27560 by the W3C Data Privacy Vocabulary."""

    model_config = ConfigDict(extra="allow")

    context: dict[str, str] = Field(alias="@context")
    id: str = Field(alias="@id")
    type: str = Field(alias="@type")
    conforms_to: str = Field(alias="dct:conformsTo")
    identifier: str = Field(alias="dct:identifier", description="The consent's id.")
    version: int = Field(alias="dct:hasVersion")
    created: str = Field(alias="dct:created")
    modified: str = Field(alias="dct:modified")
    data_subject: dict[str, Any] = Field(alias="dpv:hasDataSubject")
    notice: dict[str, Any] = Field(alias="dpv:hasNotice")
    process: dict[str, Any] = Field(
        alias="dpv:hasProcess", description="Purpose, data, term and how to withdraw."
    )
    entities: list[dict[str, Any]] = Field(
        alias="dpv:hasEntity", description="The controller and the recipient."
    )
    consent_status: str = Field(alias="dpv:hasConsentStatus")
    status: Status = Field(alias="xq:status")
    uses: int = Field(alias="xq:uses")
    events: list[dict[str, Any]] = Field(
        alias="xq:events",
        description="What was done to it and when, each with its leaf in the log.",
    )


class ShownTextOut(WireModel):
    """Text shown before the last decision, line by line in both languages."""

    zh: list[str]
    en: list[str]


class SignedRecordOut(WireModel):
    """A consent's record; `jwt` signs record and text, `receipts` show its events in the log."""

    record: ConsentRecordOut
    text: ShownTextOut
    jwt: str
    receipts: list[ReceiptOut]
