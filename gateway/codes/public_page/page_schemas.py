"""Response models of an enterprise code's page as JSON, for its OpenAPI description."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.codes.public_page.status_line import Icon

_MARKED = "There while the enterprise objects."


class TextOut(BaseModel):
    """A text in Chinese and in English."""

    zh: str
    en: str


class ObjectionMarkOut(BaseModel):
    """The mark 异议中: the enterprise objects."""

    since: str


class ShownCodeOut(BaseModel):
    """The code: what its sign says."""

    code_id: str
    status: Literal["valid"]
    sign_name: str
    check_phrase: str
    issued_at: str


class ShownEnterpriseOut(BaseModel):
    """The public part of the enterprise's registration."""

    model_config = ConfigDict(extra="allow")

    district: str
    objection: ObjectionMarkOut | None = Field(default=None, description=_MARKED)


class ShownSourceOut(BaseModel):
    """The department that a record comes from."""

    name: str
    uscc: str | None


class ShownRecordOut(BaseModel):
    """A public record, with the fields that everybody may see."""

    record_id: str
    version: int
    source: ShownSourceOut
    source_time: str
    catalogue_version: str
    objection: ObjectionMarkOut | None = Field(default=None, description=_MARKED)
    fields: dict[str, Any]


class ShownDatasetOut(BaseModel):
    """A dataset: found, none found, or its source does not deliver; `more` records are not shown."""

    dataset: str
    name: TextOut
    state: Literal["found", "none", "unavailable"]
    statement: TextOut
    records: list[ShownRecordOut]
    more: int


class AlertOut(BaseModel):
    """A record that warns, in one sentence; the record is among those of its dataset."""

    dataset: str
    record_id: str
    sentence: TextOut


class TradeLicenceOut(BaseModel):
    """A licence that the enterprise's trade needs."""

    name: TextOut
    held: bool
    valid_to: str | None = Field(description="The last day; null without an end, or if not held.")


class CodePageOut(BaseModel):
    """The public credit summary of the enterprise that a code stands for."""

    code: ShownCodeOut
    enterprise: ShownEnterpriseOut
    as_of: str
    catalogue_version: str
    status: Icon = Field(description="The gravest that was found: the icon before the statement.")
    statement: TextOut
    alerts: list[AlertOut]
    trade_licences: list[TradeLicenceOut]
    datasets: list[ShownDatasetOut]


INVALID_CODE: dict[str, Any] = {
    "type": "object",
    "description": "Why the code is not valid (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"enum": [404, 410, 429]},
        "code": {
            "enum": ["not_found", "code_revoked", "code_replaced", "code_expired", "rate_limited"]
        },
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "detail"],
}
