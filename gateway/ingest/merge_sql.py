"""The statements by which a staged batch is merged, written once for each of the two tables.

What is held is looked up by its key, row for row of the batch (LATERAL, ON CONFLICT): no statistics,
which lag behind while a table fills, can turn that into a join that reads the table.
"""

# ruff: noqa: S608  # the names are constants of this package

from dataclasses import dataclass
from typing import Final, Self

from gateway.db.statements import Statement
from gateway.disclosure.withdrawal_notices import notices_on
from gateway.identity.representatives import ends_with
from gateway.ingest.staging_table import ENTERPRISE, RECORD, StagingTable
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import at_once_on
from verification.facts import LEGAL_REPRESENTATIVE_ID

_TYPES: Final = {
    "former_names": "text[]",
    "capital": "numeric(20,6)",
    "code_ok": "boolean",
    "fields": "jsonb",
}
# With it off, a look-up takes an index even in a table that seems to be small.
_PLAN: Final = "enable_seqscan"
AS_BEFORE: Final = f"SET LOCAL {_PLAN} TO DEFAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """In the order in which they run. Parameters are named in `merging`."""

    prepare: str
    classify: Statement
    keep_superseded: Statement
    update: Statement
    also: tuple[Statement, ...]
    """What follows from the change, while the rows are locked and still as they were."""
    notify: Statement
    insert: Statement
    outcomes: Statement
    counts: Statement
    foreign: Statement

    @classmethod
    def for_target(cls, of: StagingTable) -> Self:
        """The statements of one table."""
        merged = f"FROM {of.staged} AS s LEFT JOIN {of.held} AS m USING (row)"
        return cls(
            prepare=_prepare(of),
            classify=Statement(_classify(of)),
            keep_superseded=Statement(_keep_superseded(of)),
            update=Statement(_update(of)),
            also=_FOLLOWS if of is ENTERPRISE else (),
            notify=Statement(notices_on(_no_longer_as_told(of))),
            insert=Statement(_insert(of)),
            outcomes=Statement(
                "SELECT s.row, s.uscc, s.natural_key, coalesce(m.verdict, 'created') AS verdict,"
                f" coalesce(m.held_id, s.record_id) AS record_id, m.held_version, m.mark {merged}"
            ),
            counts=Statement(
                "SELECT coalesce(m.verdict, 'created') AS verdict, m.mark, count(*) AS rows"
                f" {merged} GROUP BY m.verdict, m.mark"
            ),
            foreign=Statement(f"SELECT row FROM {of.held} WHERE verdict = 'foreign' ORDER BY row"),
        )


def _prepare(of: StagingTable) -> str:
    """The empty tables of this connection's own."""
    typed = ", ".join(f"{name} {_type(name)}" for name in of.filled)
    return f"""
CREATE TEMPORARY TABLE IF NOT EXISTS {of.staged} (
  row integer NOT NULL, uscc text NOT NULL, natural_key text NOT NULL, record_id text NOT NULL,
  source_time timestamptz, {typed}, personal bytea, digests jsonb
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS {of.held} (
  row integer NOT NULL, uscc text NOT NULL, held_id text NOT NULL, held_version integer NOT NULL,
  verdict text NOT NULL, mark text
) ON COMMIT DELETE ROWS;
DELETE FROM {of.staged}; DELETE FROM {of.held};
SET LOCAL {_PLAN} = off"""


def _type(column: str) -> str:
    dates = column.endswith(("_on", "_from", "_to"))
    return _TYPES.get(column, "date" if dates else "text")


_ANOTHERS: Final = "WHEN r.source_id <> CAST(:source AS text) THEN 'foreign'"
_MARK: Final = """CASE WHEN r.withdrawn_at IS NOT NULL THEN 'withdrawn'
                   WHEN r.repaired_at IS NOT NULL THEN 'repaired' END"""
_SAME_RECORD: Final = """
   AND r.source_id = CAST(:source AS text) AND r.dataset = CAST(:dataset AS text)
   AND r.natural_key = s.natural_key"""


def _classify(of: StagingTable) -> str:
    """What each staged row is beside what is held. Typed columns of a record follow its fields."""
    is_enterprise = of is ENTERPRISE
    compared = (*(of.filled if is_enterprise else ("fields",)), "digests")
    held = ", ".join(f"r.{name}" for name in compared)
    delivered = ", ".join(f"s.{name}" for name in compared)
    return f"""
INSERT INTO {of.held} (row, uscc, held_id, held_version, verdict, mark)
SELECT s.row, s.uscc, held.*
  FROM {of.staged} AS s CROSS JOIN LATERAL (
SELECT r.{of.id_column}, r.version,
       CASE {_ANOTHERS if is_enterprise else ""}
       WHEN ({held}) IS NOT DISTINCT FROM ({delivered}) THEN 'unchanged'
       WHEN s.source_time < r.source_time THEN 'older'
       ELSE 'updated' END,
       {"NULL" if is_enterprise else _MARK}
  FROM {of.table} AS r
 WHERE r.uscc = s.uscc{"" if is_enterprise else _SAME_RECORD}
 LIMIT 1) AS held"""


def _keep_superseded(of: StagingTable) -> str:
    """Locked in the order of their keys, so that nobody who does likewise waits in a circle."""
    key = "uscc" if of is ENTERPRISE else "uscc, record_id"
    exact = " || jsonb_build_object('capital', CAST(r.capital AS text))"  # no float on the way
    return f"""
INSERT INTO {of.table}_history
       ({key}, version, replaced_at, change, actor, row, personal)
SELECT {", ".join(f"r.{each}" for each in key.split(", "))}, r.version,
       greatest(CAST(:now AS timestamptz), r.received_at), 'updated', CAST(:source AS text),
       to_jsonb(r) - 'personal'{exact if of is ENTERPRISE else ""}, r.personal
  FROM (SELECT uscc, held_id FROM {of.held} WHERE verdict = 'updated' ORDER BY uscc, held_id) AS m
 CROSS JOIN LATERAL (
SELECT * FROM {of.table} AS r WHERE r.uscc = m.uscc AND r.{of.id_column} = m.held_id
   FOR UPDATE) AS r"""


_PROVENANCE: Final = (
    "source_name",
    "source_uscc",
    "catalogue_version",
    "received_at",
    "source_time",
)


# A number that was not known before makes no new person.
_NEW_REPRESENTATIVES: Final = f"""
SELECT m.uscc
  FROM {ENTERPRISE.held} AS m JOIN {ENTERPRISE.staged} AS s USING (row)
 CROSS JOIN LATERAL (
SELECT * FROM {ENTERPRISE.table} AS r WHERE r.uscc = m.uscc LIMIT 1) AS r
 WHERE m.verdict = 'updated'
   AND (r.legal_representative <> s.legal_representative
        OR r.digests ->> '{LEGAL_REPRESENTATIVE_ID}' <> s.digests ->> '{LEGAL_REPRESENTATIVE_ID}')"""


_FOLLOWS: Final = (
    Statement(at_once_on(_NEW_REPRESENTATIVES, NoticeKind.REPRESENTATIVE_CHANGED)),
    Statement(ends_with(_NEW_REPRESENTATIVES)),
)


def _no_longer_as_told(of: StagingTable) -> str:
    """R14: what was told of these has changed. Of what has ended its clients know that already."""
    return f"""
SELECT m.uscc, CAST(:dataset AS text), m.held_id FROM {of.held} AS m
 WHERE m.verdict = 'updated' AND m.mark IS NULL"""


def _update(of: StagingTable) -> str:
    """What happened to a record (repair, withdrawal, objection) is not a delivery's to change."""
    key = "uscc" if of is ENTERPRISE else "uscc, source_id, dataset, natural_key"
    replaced = (*_PROVENANCE, *of.filled, "personal", "digests")
    set_to = {name: f"excluded.{name}" for name in replaced}
    # A delivery may have waited for its turn longer than the one before it.
    set_to["received_at"] = f"greatest(excluded.received_at, {of.table}.received_at)"
    return f"""{_inserting(of)}
  FROM {of.staged} AS s JOIN {of.held} AS m USING (row)
 WHERE m.verdict = 'updated'
    ON CONFLICT ({key}) DO UPDATE
   SET version = {of.table}.version + 1, {", ".join(f"{x} = {to}" for x, to in set_to.items())}"""


def _insert(of: StagingTable) -> str:
    return f"""{_inserting(of)}
  FROM {of.staged} AS s
 WHERE NOT EXISTS (SELECT FROM {of.held} AS m WHERE m.row = s.row)"""


def _inserting(of: StagingTable) -> str:
    own = "" if of is ENTERPRISE else "natural_key, dataset, "
    values = "" if of is ENTERPRISE else "s.natural_key, CAST(:dataset AS text), "
    delivered = (*of.filled, "personal", "digests")
    return f"""
INSERT INTO {of.table} (uscc, {of.id_column}, {own}source_id, {", ".join(_PROVENANCE)},
       {", ".join(delivered)})
SELECT s.uscc, s.record_id, {values}CAST(:source AS text), CAST(:source_name AS text),
       CAST(:source_uscc AS text), CAST(:catalogue AS text), CAST(:now AS timestamptz),
       coalesce(s.source_time, CAST(:now AS timestamptz)), {", ".join(f"s.{x}" for x in delivered)}"""


BY_TABLE: Final = {of.table: Statements.for_target(of) for of in (ENTERPRISE, RECORD)}
