"""A disclosed record as JSON, with its source, its term of use and its objection, if there is one."""

from collections.abc import Mapping
from typing import Any

from gateway.access.serializers.timestamps import format_time
from gateway.creditfile.records import Record
from gateway.creditfile.use_term import UseTerm


def record_json(record: Record, fields: Mapping[str, Any], term: UseTerm) -> dict[str, Any]:
    """The record with these of its fields."""
    out: dict[str, Any] = {
        "dataset": record.dataset,
        "record_id": record.record_id,
        "version": record.version,
        "source": {"name": record.source_name, "uscc": record.source_uscc},
        "source_time": format_time(record.source_time),
        "catalogue_version": record.catalogue_version,
        "use_until": format_time(term.use_until),
        "delete_by": format_time(term.delete_by),
        "fields": fields,
    }
    if record.objection_since is not None:
        out["objection"] = {"since": format_time(record.objection_since)}
    return out
