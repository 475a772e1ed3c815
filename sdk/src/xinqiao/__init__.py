"""Python SDK for the Xinqiao (信桥) gateway: verifications, queries, consents, offline evidence.

Every answer's signature is verified before it is read.

::

    from xinqiao import Client

    with Client.from_kit("kit.json", "platform") as client:
        result = client.verify(uscc, purpose="merchant_onboarding", questions=["is_active.v1"])
        if result["is_active.v1"].yes:
            result.evidence.save("evidence.json")
"""

from xinqiao._core.api.consent_flow import ConsentGrant, ConsentStart

from . import errors
from ._async_client import AsyncClient, AsyncQueryPage
from ._client import Client, QueryPage
from ._core.api.bundles import Bundle, Bundles
from ._core.api.feed import AsyncCursorStore, CursorFunctions, CursorStore, FileCursor, MemoryCursor
from ._core.api.job_results import JobLine
from ._core.api.jobs import Job, TakenLines
from ._core.api.limits import Limit, LimitRefusal, Limits
from ._core.api.outcomes import ToldOutcome
from ._core.api.report_status import ReportStatus
from ._core.api.watches import WatchList, WatchLists
from ._core.batch.results import LineEvidence, RowProblem, RowResult, SignedManifest
from ._core.client_settings import ClientSettings
from ._core.connection import ClientOptions
from ._core.evidence.answer import Evidence, verify_evidence
from ._core.evidence.consent_records import ConsentRecord, verify_consent_record
from ._core.evidence.credit_report import CreditReport, LeftOut, verify_report
from ._core.evidence.receipts import Receipt
from ._core.signatures.jose import generate_client_key, generate_dpop_key, public_jwks
from ._core.signatures.keys import KeySet
from ._core.transport.retry import RetryPolicy
from ._core.version import VERSION
from ._core.wire.closed_lists import (
    PURPOSES,
    AnswerChangeKind,
    ApplicationOutcome,
    BundleName,
    ConsentChangeKind,
    ConsentStatus,
    OutcomeReason,
    Purpose,
    QuestionTag,
    RecordChangeKind,
    ReportState,
    WithheldReason,
)
from ._core.wire.questions import QuestionValue, four_elements, three_elements
from ._core.wire.results import (
    Answer,
    AnswerChange,
    AnswerValue,
    Change,
    Changes,
    Consent,
    ConsentChange,
    ConsentRequest,
    Consents,
    ConsentUse,
    Due,
    DueForDeletion,
    LogPromise,
    Objection,
    QueryResult,
    Question,
    Questions,
    Record,
    RecordChange,
    SeparateConsent,
    Source,
    Verification,
    Withheld,
)
from ._open_pages import fetch_keys, report_status
from .errors import XinqiaoError

__version__ = VERSION

__all__ = [
    "PURPOSES",
    "Answer",
    "AnswerChange",
    "AnswerChangeKind",
    "AnswerValue",
    "ApplicationOutcome",
    "AsyncClient",
    "AsyncCursorStore",
    "AsyncQueryPage",
    "Bundle",
    "BundleName",
    "Bundles",
    "Change",
    "Changes",
    "Client",
    "ClientOptions",
    "ClientSettings",
    "Consent",
    "ConsentChange",
    "ConsentChangeKind",
    "ConsentGrant",
    "ConsentRecord",
    "ConsentRequest",
    "ConsentStart",
    "ConsentStatus",
    "ConsentUse",
    "Consents",
    "CreditReport",
    "CursorFunctions",
    "CursorStore",
    "Due",
    "DueForDeletion",
    "Evidence",
    "FileCursor",
    "Job",
    "JobLine",
    "KeySet",
    "LeftOut",
    "Limit",
    "LimitRefusal",
    "Limits",
    "LineEvidence",
    "LogPromise",
    "MemoryCursor",
    "Objection",
    "OutcomeReason",
    "Purpose",
    "QueryPage",
    "QueryResult",
    "Question",
    "QuestionTag",
    "QuestionValue",
    "Questions",
    "Receipt",
    "Record",
    "RecordChange",
    "RecordChangeKind",
    "ReportState",
    "ReportStatus",
    "RetryPolicy",
    "RowProblem",
    "RowResult",
    "SeparateConsent",
    "SignedManifest",
    "Source",
    "TakenLines",
    "ToldOutcome",
    "Verification",
    "WatchList",
    "WatchLists",
    "Withheld",
    "WithheldReason",
    "XinqiaoError",
    "errors",
    "fetch_keys",
    "four_elements",
    "generate_client_key",
    "generate_dpop_key",
    "public_jwks",
    "report_status",
    "three_elements",
    "verify_consent_record",
    "verify_evidence",
    "verify_report",
]
