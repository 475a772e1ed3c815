"""Request and response models of a query."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.access.http.body import EnterpriseIn, WireModel
from gateway.access.named_bundle import either_bundle_or
from gateway.access.serializers.consent import SeparateConsentOut
from gateway.queries.withheld import WithheldReason
from gateway.rfc3339 import Day

Text = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MAX_PAGE_SIZE = 200
MAX_DATASETS = 32


class FilterIn(WireModel):
    """Filter of records by the date of their decision, both ends included."""

    decided_from: Day | None = None
    decided_to: Day | None = None


class PageIn(WireModel):
    """Size of a page, and the cursor of a further one."""

    size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = 50
    cursor: Annotated[str, StringConstraints(max_length=1024)] | None = None


class QueryIn(WireModel):
    """`POST /v1/queries`."""

    model_config = either_bundle_or("datasets")

    enterprise: EnterpriseIn
    purpose: Text = Field(examples=["loan_approval"])
    consent_id: Text | None = None
    bundle: Text | None = Field(default=None, examples=["pre_loan.v1"])
    datasets: Annotated[list[Text], Field(min_length=1, max_length=MAX_DATASETS)] | None = None
    filter: FilterIn = FilterIn()
    page: PageIn = PageIn()


class SourceOut(WireModel):
    """The source of a record."""

    name: str
    uscc: str | None


class RecordOut(WireModel):
    """One record with its provenance; `objection` where the enterprise disputes it.

    It is not used from `use_until` on, and deleted by `delete_by`; a notice of withdrawal ends both.
    """

    dataset: str
    record_id: str
    version: int
    source: SourceOut
    source_time: str
    catalogue_version: str
    use_until: str | None
    delete_by: str | None
    objection: dict[str, str] | None = None
    fields: dict[str, Any]


class WithheldOut(WireModel):
    """A dataset, or fields of one, that were asked for and are not given, and why."""

    dataset: str
    fields: list[str] | None = None
    reason: WithheldReason


class ConsentOut(WireModel):
    """The consent that allows the answer."""

    consent_id: str
    valid_until: str
    uses_left: int | None
    separate_consents: list[SeparateConsentOut]


class NextPageOut(WireModel):
    """Cursor of the next page; `null` on the last one."""

    cursor: str | None


class ExpandedBundleOut(WireModel):
    """The bundle that was named, and the datasets that it stood for: those that the agreement covers."""

    name: str
    datasets: list[str]


class QueryOut(WireModel):
    """The answer of `POST /v1/queries`."""

    disclosure_id: str
    enterprise: EnterpriseIn
    purpose: str
    bundle: ExpandedBundleOut | None = None
    recipient: str
    as_of: str
    consent: ConsentOut
    records: list[RecordOut]
    withheld: list[WithheldOut]
    page: NextPageOut
    warnings: list[Literal["check_character"]] | None = None
    log_promise: dict[str, str]
