"""operationIds of the published API, fixed because clients are generated from them."""

from pathlib import Path

from tests.openapi_description import api_document

OPERATION_IDS = [
    "acknowledge_changes",
    "act_on_records",
    "append_to_upload",
    "approve_agreement",
    "approve_record_action",
    "begin_authorization",
    "change_client_state",
    "create_upload",
    "decide_code_report",
    "decide_objection",
    "decide_repair",
    "delete_watch_list",
    "deliver_records",
    "describe_uploads",
    "end_agreement",
    "extend_objection",
    "get_agreement",
    "get_authorization_server_metadata",
    "get_batch_line_proof",
    "get_client",
    "get_code_report",
    "get_consent",
    "get_consent_record",
    "get_consent_symbol",
    "get_enterprise_code",
    "get_ingest_job",
    "get_ingest_job_rejects",
    "get_ingest_job_warnings",
    "get_jwks",
    "get_log_checkpoint",
    "get_log_entries",
    "get_log_event",
    "get_log_tile",
    "get_log_tile_entries",
    "get_objection",
    "get_objection_for_review",
    "get_protected_resource_metadata",
    "get_receipt",
    "get_repair",
    "get_upload_offset",
    "get_watch_list",
    "give_up_consent",
    "introspect_token",
    "issue_enterprise_code",
    "issue_token",
    "list_agreement_proposals",
    "list_bundles",
    "list_changes",
    "list_clients",
    "list_code_reports",
    "list_consents",
    "list_due_objections",
    "list_due_repairs",
    "list_enterprise_codes",
    "list_ingest_jobs",
    "list_log_events",
    "list_objections",
    "list_operator_acts",
    "list_overdue_records",
    "list_questions",
    "list_record_actions",
    "list_repairs",
    "list_watches",
    "propose_agreement",
    "push_authorization_request",
    "put_watch_list",
    "query",
    "register_client",
    "reissue_enterprise_code",
    "reject_agreement",
    "report_platforms",
    "request_consent",
    "review_objection",
    "revoke_enterprise_code",
    "revoke_token",
    "rotate_client_keys",
    "scan_code",
    "terminate_upload",
    "verify",
    "verify_batch",
]


def test_the_operation_ids_of_the_published_api(tmp_path: Path) -> None:
    """One for each operation, named after its handler; names never change."""
    paths = api_document(tmp_path)["paths"]
    found = sorted(
        operation["operationId"]
        for operations in paths.values()
        for operation in operations.values()
    )
    assert found == OPERATION_IDS
