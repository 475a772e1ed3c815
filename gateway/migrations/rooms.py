"""Importing this module fills the metadata: one line for each room that has tables."""

import consent.tables  # noqa: F401
import gateway.access.tables
import gateway.answers.tables
import gateway.clients.tables
import gateway.codes.tables
import gateway.creditfile.catalogue_versions
import gateway.creditfile.intake.tables
import gateway.creditfile.objections.tables
import gateway.creditfile.retention.tables
import gateway.creditfile.tables
import gateway.disclosure.tables
import gateway.identity.tables
import gateway.intake.tables
import gateway.notices.tables
import gateway.oauth.tables  # noqa: F401
from gateway.db.metadata import metadata

__all__ = ["metadata"]
