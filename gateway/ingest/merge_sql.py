"""SQL statements that merge a staged batch, for the tables `enterprise` and `record`.

Existing rows are looked up by key for each staged row: outdated statistics must not lead to a join
that scans the table.
"""

# ruff: noqa: S608  # the names are constants of this package

from dataclasses import dataclass
from typing import Final, Self

from gateway.db.statements import Statement
from gateway.disclosure.withdrawal_notices import notices_sql
from gateway.ingest.staging_table import ENTERPRISE_STAGING, RECORD_STAGING, StagingTable
from verification.facts import LEGAL_REPRESENTATIVE_ID

_TYPES: Final = {
    "former_names": "text[]",
    "capital": "numeric(20,6)",
    "code_ok": "boolean",
    "small_or_micro": "boolean",
    "scope_industries": "text[]",
    "fields": "jsonb",
}
# Off, so that a lookup uses the index even if statistics say the table is small.
_SCAN: Final = "enable_seqscan"
_JOINS: Final = ("enable_hashjoin", "enable_mergejoin")
BY_KEY: Final = "; ".join(f"SET LOCAL {each} = off" for each in (_SCAN, *_JOINS))
"""Let a statement look up each row by its key."""
ANY_JOIN: Final = "; ".join(f"SET LOCAL {each} TO DEFAULT" for each in _JOINS)
RESET_PLANNER: Final = f"SET LOCAL {_SCAN} TO DEFAULT; {ANY_JOIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeStatements:
    """Statements in execution order; parameters are named in `merge`."""

    prepare: str
    classify: Statement
    classify_distributed: Statement
    """The same by a plain join, which a cluster can run and stale statistics can mislead."""
    keep_superseded: tuple[Statement, ...]
    """Lock the rows to be updated and copy them into history."""
    keep_superseded_distributed: tuple[Statement, ...]
    """The same where the tables are distributed: the lock is an update that changes nothing."""
    new_representatives: Statement | None
    """Enterprises whose representative changes, run while the rows are locked and not yet updated."""
    update: Statement
    notify: tuple[Statement, ...]
    """Notices of registrations; those of records follow from the whole file (`file_changes`)."""
    insert: Statement
    outcomes: Statement
    counts: Statement
    noted: Statement
    """Rows of another source, older ones, and those of records that stay as they are."""
    told: Statement
    """Ids of updated records that a client was told, or on which others depend that it was told."""
    earlier: Statement
    """The superseded versions of the records `told`."""
    reachable: Statement
    """Enterprises among the staged rows that notices reach."""
    created: Statement
    """New records of the enterprises `usccs`, without their personal fields."""

    @classmethod
    def for_target(cls, table: StagingTable) -> Self:
        """The statements of one table."""
        merged = f"FROM {table.staged} AS s LEFT JOIN {table.held} AS m USING (row)"
        return cls(
            prepare=_prepare(table),
            classify=Statement(_classify(table, _found_by_key(table))),
            classify_distributed=Statement(_classify(table, _found_by_join(table))),
            keep_superseded=(Statement(_keep_superseded(table, _locked(table))),),
            keep_superseded_distributed=(
                Statement(_lock_by_update(table)),
                Statement(_keep_superseded(table, _to_be_updated(table))),
            ),
            new_representatives=_NEW_REPRESENTATIVES if table is ENTERPRISE_STAGING else None,
            update=Statement(_update(table)),
            notify=_NOTICES if table is ENTERPRISE_STAGING else (),
            insert=Statement(_insert(table)),
            outcomes=Statement(
                "SELECT s.row, s.uscc, s.natural_key, coalesce(m.verdict, 'created') AS verdict,"
                f" coalesce(m.held_id, s.record_id) AS record_id, m.held_version, m.mark {merged}"
            ),
            counts=Statement(
                "SELECT coalesce(m.verdict, 'created') AS verdict, m.mark, count(*) AS rows"
                f" {merged} GROUP BY m.verdict, m.mark"
            ),
            noted=Statement(
                f"SELECT row, verdict, mark FROM {table.held}"
                " WHERE verdict IN ('foreign', 'older') OR mark IS NOT NULL ORDER BY row"
            ),
            told=Statement(_TOLD),
            earlier=Statement(_EARLIER),
            reachable=Statement(_reachable(table)),
            created=Statement(_created(table)),
        )


def _prepare(table: StagingTable) -> str:
    """Temporary tables of this session."""
    typed = ", ".join(f"{name} {_type(name)}" for name in table.filled)
    return f"""
CREATE TEMPORARY TABLE IF NOT EXISTS {table.staged} (
  row integer NOT NULL, uscc text NOT NULL, natural_key text NOT NULL, record_id text NOT NULL,
  source_time timestamptz, {typed}, personal bytea, digests jsonb
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS {table.held} (
  row integer NOT NULL, uscc text NOT NULL, held_id text NOT NULL, held_version integer NOT NULL,
  verdict text NOT NULL, mark text
) ON COMMIT DELETE ROWS;
DELETE FROM {table.staged}; DELETE FROM {table.held};
{BY_KEY}"""


def _type(column: str) -> str:
    dates = column.endswith(("_on", "_from", "_to"))
    return _TYPES.get(column, "date" if dates else "text")


_FOREIGN: Final = "WHEN r.source_id <> CAST(:source AS text) THEN 'foreign'"
_MARK: Final = """CASE WHEN r.withdrawn_at IS NOT NULL THEN 'withdrawn'
                   WHEN r.repaired_at IS NOT NULL THEN 'repaired'
                   WHEN r.suspended_at IS NOT NULL THEN 'suspended' END"""
_SAME_RECORD: Final = """
   AND r.source_id = CAST(:source AS text) AND r.dataset = CAST(:dataset AS text)
   AND r.natural_key = s.natural_key"""


def _classify(table: StagingTable, source: str) -> str:
    """Verdict for each staged row compared with the existing one. A record's typed columns derive
    from its fields, so only `fields` are compared."""
    is_enterprise = table is ENTERPRISE_STAGING
    compared = (*(table.filled if is_enterprise else ("fields",)), "digests")
    held = ", ".join(f"r.{name}" for name in compared)
    delivered = ", ".join(f"s.{name}" for name in compared)
    return f"""
INSERT INTO {table.held} (row, uscc, held_id, held_version, verdict, mark)
SELECT s.row, s.uscc, r.{table.id_column}, r.version,
       CASE {_FOREIGN if is_enterprise else ""}
       WHEN ({held}) IS NOT DISTINCT FROM ({delivered}) THEN 'unchanged'
       WHEN s.source_time < r.source_time THEN 'older'
       ELSE 'updated' END,
       {"NULL" if is_enterprise else _MARK}
{source}"""


def _same(table: StagingTable) -> str:
    """The row that a staged row is about."""
    return f"r.uscc = s.uscc{'' if table is ENTERPRISE_STAGING else _SAME_RECORD}"


def _found_by_key(table: StagingTable) -> str:
    """FROM each staged row with the one it is about, looked up by its key whatever statistics say."""
    return f"""
  FROM {table.staged} AS s
 CROSS JOIN LATERAL (SELECT * FROM {table.table} AS r WHERE {_same(table)} LIMIT 1) AS r"""


def _found_by_join(table: StagingTable) -> str:
    """FROM each staged row with the one it is about."""
    return f"""
  FROM {table.staged} AS s JOIN {table.table} AS r ON {_same(table)}"""


def _locked(table: StagingTable) -> str:
    """FROM the rows to be updated, locked in key order to avoid deadlocks."""
    return f"""
  FROM (SELECT uscc, held_id FROM {table.held} WHERE verdict = 'updated' ORDER BY uscc, held_id) AS m
 CROSS JOIN LATERAL (
SELECT * FROM {table.table} AS r WHERE r.uscc = m.uscc AND r.{table.id_column} = m.held_id
   FOR UPDATE) AS r"""


def _to_be_updated(table: StagingTable) -> str:
    """FROM the rows to be updated."""
    return f"""
  FROM {table.held} AS m JOIN {table.table} AS r
    ON r.uscc = m.uscc AND r.{table.id_column} = m.held_id
 WHERE m.verdict = 'updated'"""


def _lock_by_update(table: StagingTable) -> str:
    """Lock the rows to be updated on their shards, where no SELECT of many enterprises can."""
    return f"""
UPDATE {table.table} AS r SET version = r.version
  FROM {table.held} AS m
 WHERE r.uscc = m.uscc AND r.{table.id_column} = m.held_id AND m.verdict = 'updated'"""


def _keep_superseded(table: StagingTable, source: str) -> str:
    """Copy the rows of `source` into history."""
    key = "uscc" if table is ENTERPRISE_STAGING else "uscc, record_id"
    exact = " || jsonb_build_object('capital', CAST(r.capital AS text))"  # as text, not as a float
    return f"""
INSERT INTO {table.table}_history
       ({key}, version, replaced_at, change, actor, row, personal)
SELECT {", ".join(f"r.{each}" for each in key.split(", "))}, r.version,
       greatest(CAST(:now AS timestamptz), r.received_at), 'updated', CAST(:source AS text),
       to_jsonb(r) - 'personal'{exact if table is ENTERPRISE_STAGING else ""}, r.personal{source}"""


_PROVENANCE: Final = (
    "source_name",
    "source_uscc",
    "catalogue_version",
    "received_at",
    "source_time",
)


# A newly known ID number alone is not a change of person.
_NEW_REPRESENTATIVES: Final = Statement(f"""
SELECT m.uscc
  FROM {ENTERPRISE_STAGING.held} AS m JOIN {ENTERPRISE_STAGING.staged} AS s USING (row)
  JOIN {ENTERPRISE_STAGING.table} AS r ON r.uscc = m.uscc
 WHERE m.verdict = 'updated'
   AND (r.legal_representative <> s.legal_representative
        OR r.digests ->> '{LEGAL_REPRESENTATIVE_ID}' <> s.digests ->> '{LEGAL_REPRESENTATIVE_ID}')
 ORDER BY m.uscc""")


_NOTICES: Final = (
    Statement(
        notices_sql(f"""
SELECT m.uscc, CAST(:dataset AS text), m.held_id FROM {ENTERPRISE_STAGING.held} AS m
 WHERE m.verdict = 'updated'""")
    ),
)


_TOLD: Final = f"""
SELECT DISTINCT m.held_id
  FROM {RECORD_STAGING.held} AS m JOIN disclosure AS d ON d.uscc = m.uscc AND d.outcome = 'told'
   AND (CAST(:affects_others AS boolean)
        OR d.relied_on @> jsonb_build_array(jsonb_build_array(m.held_id)))
 WHERE m.verdict = 'updated'"""
_EARLIER: Final = f"""
SELECT CAST(h.row AS text) AS record
  FROM {RECORD_STAGING.held} AS m JOIN record_history AS h
    ON h.uscc = m.uscc AND h.record_id = m.held_id AND h.version = m.held_version
 WHERE m.held_id = ANY(CAST(:told AS text[]))"""


def _update(table: StagingTable) -> str:
    """Update of changed records; keeps repair, suspension, withdrawal and objection marks."""
    key = "uscc" if table is ENTERPRISE_STAGING else "uscc, source_id, dataset, natural_key"
    replaced = (*_PROVENANCE, *table.filled, "personal", "digests")
    set_to = {name: f"excluded.{name}" for name in replaced}
    # A delivery may have waited for its lock longer than the one before it.
    set_to["received_at"] = f"greatest(excluded.received_at, {table.table}.received_at)"
    return f"""{_inserting(table)}
  FROM {table.staged} AS s JOIN {table.held} AS m USING (row)
 WHERE m.verdict = 'updated'
    ON CONFLICT ({key}) DO UPDATE
   SET version = {table.table}.version + 1, {", ".join(f"{x} = {to}" for x, to in set_to.items())}"""


def _insert(table: StagingTable) -> str:
    return f"""{_inserting(table)}
  FROM {table.staged} AS s
 WHERE NOT EXISTS (SELECT 1 FROM {table.held} AS m WHERE m.row = s.row)"""


def _reachable(table: StagingTable) -> str:
    return f"""
SELECT DISTINCT p.uscc FROM {table.staged} AS s JOIN notice_place AS p ON p.uscc = s.uscc
 WHERE p.confirmed_at IS NOT NULL AND p.removed_at IS NULL"""


def _created(table: StagingTable) -> str:
    return f"""
SELECT CAST(to_jsonb(r) - 'personal' - 'digests' AS text) AS held
  FROM {table.staged} AS s
  JOIN {table.table} AS r ON r.uscc = s.uscc AND r.{table.id_column} = s.record_id
 WHERE s.uscc = ANY(CAST(:usccs AS text[]))
   AND NOT EXISTS (SELECT 1 FROM {table.held} AS m WHERE m.row = s.row)"""


def _inserting(table: StagingTable) -> str:
    own = "" if table is ENTERPRISE_STAGING else "natural_key, dataset, "
    values = "" if table is ENTERPRISE_STAGING else "s.natural_key, CAST(:dataset AS text), "
    delivered = (*table.filled, "personal", "digests")
    return f"""
INSERT INTO {table.table} (uscc, {table.id_column}, {own}source_id, {", ".join(_PROVENANCE)},
       {", ".join(delivered)})
SELECT s.uscc, s.record_id, {values}CAST(:source AS text), CAST(:source_name AS text),
       CAST(:source_uscc AS text), CAST(:catalogue AS text), CAST(:now AS timestamptz),
       coalesce(s.source_time, CAST(:now AS timestamptz)), {", ".join(f"s.{x}" for x in delivered)}"""


STATEMENTS_BY_TABLE: Final = {
    of.table: MergeStatements.for_target(of) for of in (ENTERPRISE_STAGING, RECORD_STAGING)
}
