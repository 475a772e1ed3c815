"""Distribution of each table over a cluster: by USCC, or local to the coordinator.

Everything about one enterprise is distributed by `uscc`, so that it lies together on one shard. Local
tables lie on the coordinator: those about clients, sources and the log, and the look-up tables that
say whose an id is.
"""

from typing import Final

DISTRIBUTION_COLUMN: Final = "uscc"

DISTRIBUTED: Final = frozenset(
    {
        "application_outcome",
        "consent",
        "consent_event",
        "consent_kept",
        "consent_leaf",
        "credit_report",
        "delegation",
        "disclosure",
        "disclosure_salt",
        "enterprise",
        "enterprise_code",
        "enterprise_history",
        "idempotency",
        "notice",
        "notice_place",
        "objection",
        "objection_event",
        "pending_leaf",
        "probe",
        "record",
        "record_action",
        "record_history",
        "repair_application",
        "repair_platform",
        "representative_change",
        "signed_request",
        "tombstone",
        "turned_away",
        "watch",
    }
)
"""Tables with `uscc` in their primary key and in each unique index; no trigger, foreign key or identity."""

LOCATORS: Final = frozenset(
    {
        "consent_locator",
        "credit_report_locator",
        "delegation_locator",
        "enterprise_code_locator",
        "national_code",
        "objection_locator",
        "repair_application_locator",
    }
)
"""Local: they say whose an id is, and are read before the USCC is known."""

LOCAL: Final = LOCATORS | {
    # Clients, their tokens and what they may do.
    "access_token",
    "agreement",
    "agreement_proposal",
    "anomaly",
    "anomaly_cursor",
    "assertion_jti",
    "authorization_code",
    "change_feed",
    "client",
    "client_activity",
    "client_key_set",
    "pushed_request",
    "refresh_token",
    "verification_batch",
    "watch_list",
    "verification_job",
    "verification_job_set",
    # The portal's sign-ins and open consent requests.
    "consent_text",
    "interaction",
    "session",
    # The catalogue, sources' deliveries, operators and daily runs.
    "catalogue_notice_run",
    "catalogue_version",
    "comparison_count",
    "intake_job",
    "intake_upload",
    "key_folding",
    "operator_act",
    "quality_figures",
    "retention_day",
    # One order over all enterprises: the log, purges of a CDN, and changes for those who watch.
    "changed_file",
    "checkpoint",
    "deletion_proof",
    "log_entry",
    "log_event",
    "log_node",
    "page_purge",
    "page_purge_lease",
    # Codes as they are scanned and reported, by the code's id: it may be of no enterprise.
    "code_report",
    "code_report_case",
    "code_scan_day",
    "code_scan_today",
    "enterprise_code_batch",
}

IS_DISTRIBUTED: Final = "to_regclass('pg_dist_partition') IS NOT NULL"
"""SQL condition: the database is a Citus cluster."""

DISCLOSE_FUNCTION: Final = "xinqiao_disclose"
"""The function whose first parameter is the USCC: it is pushed to the enterprise's shard."""
CALLED_FUNCTIONS: Final = ("xinqiao_abort_unless", "xinqiao_spend_use")
"""Functions that it calls there."""
