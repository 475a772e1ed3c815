"""SQL statements that merge a staged batch, for the tables `enterprise` and `record`.

Existing rows are looked up by key for each staged row (LATERAL, LIMIT 1; ON CONFLICT): outdated
statistics, or a plan kept from when the table was empty, must not lead to a join that scans the table.
Distributed tables allow plain joins only.
"""

# ruff: noqa: S608  # the names are constants of this package

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from gateway.creditfile.watches.changed_files import note_sql
from gateway.db.statements import Statement
from gateway.disclosure.withdrawal_notices import notices_sql
from gateway.ingest.merge.staging_table import ENTERPRISE_STAGING, RECORD_STAGING, StagingTable
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
_PLAN: Final = "enable_seqscan"
BY_KEY: Final = f"SET LOCAL {_PLAN} = off"
RESET_PLANNER: Final = f"SET LOCAL {_PLAN} TO DEFAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeStatements:
    """Statements in execution order; parameters are named in `merge`."""

    prepare: str
    classify: Statement
    keep_superseded: tuple[Statement, ...]
    """Lock the rows to be updated and copy them into history."""
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
    changed: Statement
    """Note the enterprises whose rows were created or updated, for those who watch them."""

    @classmethod
    def for_target(cls, table: StagingTable, *, is_distributed: bool) -> Self:
        """The statements of one table, as it lies on one PostgreSQL or distributed."""
        look_up = _join if is_distributed else _by_key
        merged = f"FROM {table.staged} AS s LEFT JOIN {table.held} AS m USING (row)"
        return cls(
            prepare=_prepare(table),
            classify=Statement(_classify(table, look_up)),
            keep_superseded=(
                Statement(_lock_by_update(table)),
                Statement(_keep_superseded(table, _to_be_updated(table))),
            )
            if is_distributed
            else (Statement(_keep_superseded(table, _locked(table))),),
            new_representatives=Statement(_new_representatives(look_up))
            if table is ENTERPRISE_STAGING
            else None,
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
            told=Statement(_told(look_up)),
            earlier=Statement(_earlier(look_up)),
            reachable=Statement(_reachable(table, look_up)),
            created=Statement(_created(table, look_up)),
            changed=Statement(
                note_sql(f"SELECT s.uscc {merged} WHERE coalesce(m.verdict, 'updated') = 'updated'")
            ),
        )


LookUp = Callable[[str, str, str], str]
"""SQL that joins a table under an alias and a condition."""


def _by_key(table: str, alias: str, condition: str) -> str:
    """Look the row up for each row before it."""
    return f"""
 CROSS JOIN LATERAL (
SELECT * FROM {table} AS {alias} WHERE {condition} LIMIT 1) AS {alias}"""


def _join(table: str, alias: str, condition: str) -> str:
    """Join the row, in whatever order the planner likes."""
    return f"""
  JOIN {table} AS {alias} ON {condition}"""


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
# An expression: of an empty table the planner would take the index of a source's records, not the key's.
_SAME_RECORD: Final = """
   AND r.source_id || '' = CAST(:source AS text) AND r.dataset = CAST(:dataset AS text)
   AND r.natural_key = s.natural_key"""


def _classify(table: StagingTable, look_up: LookUp) -> str:
    """Verdict for each staged row compared with the existing one. A record's typed columns derive
    from its fields, so only `fields` are compared."""
    is_enterprise = table is ENTERPRISE_STAGING
    compared = (*(table.filled if is_enterprise else ("fields",)), "digests")
    held = ", ".join(f"r.{name}" for name in compared)
    delivered = ", ".join(f"s.{name}" for name in compared)
    same = f"r.uscc = s.uscc{'' if is_enterprise else _SAME_RECORD}"
    return f"""
INSERT INTO {table.held} (row, uscc, held_id, held_version, verdict, mark)
SELECT s.row, s.uscc, r.{table.id_column}, r.version,
       CASE {_FOREIGN if is_enterprise else ""}
       WHEN ({held}) IS NOT DISTINCT FROM ({delivered}) THEN 'unchanged'
       WHEN s.source_time < r.source_time THEN 'older'
       ELSE 'updated' END,
       {"NULL" if is_enterprise else _MARK}
  FROM {table.staged} AS s{look_up(table.table, "r", same)}"""


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


def _new_representatives(look_up: LookUp) -> str:
    """A newly known ID number alone is not a change of person."""
    held, staged, table = (
        ENTERPRISE_STAGING.held,
        ENTERPRISE_STAGING.staged,
        ENTERPRISE_STAGING.table,
    )
    return f"""
SELECT m.uscc
  FROM {held} AS m JOIN {staged} AS s USING (row){look_up(table, "r", "r.uscc = m.uscc")}
 WHERE m.verdict = 'updated'
   AND (r.legal_representative <> s.legal_representative
        OR r.digests ->> '{LEGAL_REPRESENTATIVE_ID}' <> s.digests ->> '{LEGAL_REPRESENTATIVE_ID}')
 ORDER BY m.uscc"""


_NOTICES: Final = (
    Statement(
        notices_sql(f"""
SELECT m.uscc, CAST(:dataset AS text), m.held_id FROM {ENTERPRISE_STAGING.held} AS m
 WHERE m.verdict = 'updated'""")
    ),
)


def _told(look_up: LookUp) -> str:
    told = """d.uscc = m.uscc AND d.outcome = 'told'
   AND (CAST(:affects_others AS boolean)
        OR d.relied_on @> jsonb_build_array(jsonb_build_array(m.held_id)))"""
    return f"""
SELECT DISTINCT m.held_id
  FROM {RECORD_STAGING.held} AS m{look_up("disclosure", "d", told)}
 WHERE m.verdict = 'updated'"""


def _earlier(look_up: LookUp) -> str:
    former = "h.uscc = m.uscc AND h.record_id = m.held_id AND h.version = m.held_version"
    return f"""
SELECT CAST(h.row AS text) AS record
  FROM {RECORD_STAGING.held} AS m{look_up("record_history", "h", former)}
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


def _reachable(table: StagingTable, look_up: LookUp) -> str:
    confirmed = "p.uscc = s.uscc AND p.confirmed_at IS NOT NULL AND p.removed_at IS NULL"
    return f"""
SELECT DISTINCT s.uscc FROM {table.staged} AS s{look_up("notice_place", "p", confirmed)}"""


def _created(table: StagingTable, look_up: LookUp) -> str:
    inserted = f"r.uscc = s.uscc AND r.{table.id_column} = s.record_id"
    return f"""
SELECT CAST(to_jsonb(r) - 'personal' - 'digests' AS text) AS held
  FROM {table.staged} AS s{look_up(table.table, "r", inserted)}
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


STATEMENTS: Final = {
    (of.table, is_distributed): MergeStatements.for_target(of, is_distributed=is_distributed)
    for of in (ENTERPRISE_STAGING, RECORD_STAGING)
    for is_distributed in (False, True)
}
"""By table, and whether it is distributed."""
