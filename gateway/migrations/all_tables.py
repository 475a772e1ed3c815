"""All tables: importing this module registers every package's tables with the metadata."""

import consent.tables  # noqa: F401
import gateway.anomalies.tables
import gateway.clients.tables
import gateway.codes.purges.tables
import gateway.codes.reports.tables
import gateway.codes.scans.tables
import gateway.codes.tables
import gateway.credit_reports.tables
import gateway.creditfile.catalogue.notices
import gateway.creditfile.catalogue.versions
import gateway.creditfile.natural_key_version
import gateway.creditfile.objections.tables
import gateway.creditfile.repairs.tables
import gateway.creditfile.retention.tables
import gateway.creditfile.tables
import gateway.creditfile.watches.tables
import gateway.data_quality.tables
import gateway.disclosure.application_outcomes.tables
import gateway.disclosure.tables
import gateway.identity.tables
import gateway.ingest.tables
import gateway.notices.tables
import gateway.oauth.tables
import gateway.records.tables
import gateway.verifications.batch.tables
import gateway.verifications.jobs.tables
import gateway.verifications.tables  # noqa: F401
from gateway.db.metadata import metadata

__all__ = ["metadata"]
