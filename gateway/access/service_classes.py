"""Service classes of the API's operations: the latency and availability that an installation aims at.

Latency is from the request's last byte to the answer's first, at up to 70 % of the installation's peak
rate; availability is of a calendar month, in calls that were answered otherwise than with 5xx. Each
operation of the OpenAPI document has one class, as `x-service-class`.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceClass:
    """A class: its name, what it covers, and what is aimed at."""

    name: str
    title_zh: str
    title_en: str
    p50_ms: int
    p99_ms: int
    availability: str
    """Per cent of a calendar month."""
    note_zh: str = ""
    note_en: str = ""
    operations: frozenset[str]


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


SERVICE_CLASSES: Final = (
    ServiceClass(
        name="online",
        title_zh="在线调用：有人或业务在等",
        title_en="Online: somebody waits for the answer",
        p50_ms=50,
        p99_ms=250,
        availability="99.9",
        operations=_named(
            "verify query request_consent issue_token push_authorization_request begin_authorization "
            "introspect_token revoke_token show_limits get_consent"
        ),
        note_zh="`get_consent` 的 `wait` 另计。",
        note_en="The `wait` of `get_consent` comes on top.",
    ),
    ServiceClass(
        name="page",
        title_zh="公众扫码页",
        title_en="The public page of a code",
        p50_ms=20,
        p99_ms=200,
        availability="99.95",
        operations=_named("scan_code"),
        note_zh="前有 CDN 的，CDN 自行答复的部分不计。",
        note_en="Behind a CDN, what the CDN answers by itself is not counted.",
    ),
    ServiceClass(
        name="published",
        title_zh="公布的内容：元数据、公钥、目录、透明日志",
        title_en="Published: metadata, keys, catalogues, the transparency log",
        p50_ms=20,
        p99_ms=200,
        availability="99.95",
        operations=_named(
            "get_authorization_server_metadata get_protected_resource_metadata get_jwks list_questions "
            "list_bundles list_outcomes get_log_checkpoint get_log_entries get_log_tile get_log_tile_entries "
            "list_log_events get_log_event"
        ),
    ),
    ServiceClass(
        name="follow",
        title_zh="跟进：变更、授权、关注、回执、结果",
        title_en="Follow-up: changes, consents, watches, receipts, results",
        p50_ms=100,
        p99_ms=500,
        availability="99.9",
        operations=_named(
            "list_changes acknowledge_changes list_consents give_up_consent get_consent_record "
            "get_consent_symbol get_receipt list_watches put_watch_list get_watch_list "
            "delete_watch_list get_batch_line_proof list_verification_jobs create_verification_job "
            "get_verification_job delete_verification_job start_verification_job "
            "pause_verification_job resume_verification_job tell_query_outcome"
        ),
        note_zh="`list_changes` 的 `wait` 另计。",
        note_en="The `wait` of `list_changes` comes on top.",
    ),
    ServiceClass(
        name="bulk",
        title_zh="批量：批量核验、任务数据、报送",
        title_en="Bulk: batches, lines and results of jobs, deliveries",
        p50_ms=500,
        p99_ms=2_000,
        availability="99.5",
        operations=_named(
            "verify_batch put_verification_job_lines get_verification_job_result deliver_records "
            "describe_uploads create_upload get_upload_offset append_to_upload terminate_upload "
            "get_ingest_job_rejects get_ingest_job_warnings"
        ),
        note_zh="至第一行答复为止；其余取决于行数和双方的速度。",
        note_en="To the first line of the answer; the rest depends on their number and on both sides' pace.",
    ),
    ServiceClass(
        name="administration",
        title_zh="管理：运营机构、登记机关和数源单位的办理",
        title_en="Administration: the acts of operators, registrars and departments",
        p50_ms=200,
        p99_ms=1_000,
        availability="99.5",
        operations=_named(
            "list_clients register_client get_client rotate_client_keys change_client_state "
            "list_operator_acts get_agreement list_agreement_proposals propose_agreement "
            "approve_agreement reject_agreement end_agreement list_due_objections "
            "get_objection_for_review review_objection list_due_repairs list_code_reports "
            "get_code_report decide_code_report list_objections get_objection decide_objection "
            "extend_objection list_repairs report_platforms get_repair decide_repair act_on_records "
            "list_record_actions approve_record_action list_overdue_records get_data_quality "
            "list_data_quality list_ingest_jobs "
            "get_ingest_job issue_enterprise_code list_enterprise_codes get_enterprise_code "
            "reissue_enterprise_code revoke_enterprise_code"
        ),
    ),
)
CLASS_OF: Final = {
    operation: each.name for each in SERVICE_CLASSES for operation in each.operations
}
"""Operation → the name of its class."""
