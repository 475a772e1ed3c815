"""The statements by which a staged batch is merged, written once for each of the two tables."""

# ruff: noqa: S608  # the names are constants of this package

from dataclasses import dataclass
from typing import Final, Self

from gateway.creditfile.intake.staging import ENTERPRISE, RECORD, Target
from gateway.db.hot import Statement
from gateway.disclosure.tombstones import notices_on
from gateway.identity.representatives import ends_with
from verification.facts import LEGAL_REPRESENTATIVE_ID

_TYPES: Final = {
    "former_names": "text[]",
    "capital": "numeric(20,6)",
    "code_ok": "boolean",
    "fields": "jsonb",
}
# A batch is small beside its table: an index look-up for each row, whatever the statistics say.
_PLAN: Final = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")
AS_BEFORE: Final = "; ".join(f"SET LOCAL {each} TO DEFAULT" for each in _PLAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """In the order in which they run. Parameters are named in `merging`."""

    prepare: str
    classify: Statement
    lock_changed: Statement
    keep_superseded: Statement
    update: Statement
    also: tuple[Statement, ...]
    """What follows from the change, while the rows are locked and still as they were."""
    notify: Statement
    insert: Statement
    outcomes: Statement
    counts: Statement

    @classmethod
    def for_target(cls, of: Target) -> Self:
        """The statements of one table."""
        return cls(
            prepare=_prepare(of),
            classify=Statement(_classify(of)),
            lock_changed=Statement(_lock_changed(of)),
            keep_superseded=Statement(_keep_superseded(of)),
            update=Statement(_update(of)),
            also=(Statement(ends_with(_NEW_REPRESENTATIVES)),) if of is ENTERPRISE else (),
            notify=Statement(notices_on(_no_longer_as_told(of))),
            insert=Statement(_insert(of)),
            outcomes=Statement(
                "SELECT row, verdict, coalesce(held_id, record_id) AS record_id, held_version, mark"
                f" FROM {of.staged}"
            ),
            counts=Statement(
                f"SELECT verdict, mark, count(*) AS rows FROM {of.staged} GROUP BY verdict, mark"
            ),
        )


def _prepare(of: Target) -> str:
    """The empty table of this connection's own, and the plan that suits a batch."""
    typed = ", ".join(f"{name} {_type(name)}" for name in of.filled)
    return f"""
CREATE TEMPORARY TABLE IF NOT EXISTS {of.staged} (
  row integer NOT NULL, uscc text NOT NULL, natural_key text NOT NULL, record_id text NOT NULL,
  source_time timestamptz, {typed}, personal bytea, digests jsonb,
  verdict text NOT NULL DEFAULT 'created', held_id text, held_version integer, mark text
) ON COMMIT DELETE ROWS;
DELETE FROM {of.staged};
{"; ".join(f"SET LOCAL {each} = off" for each in _PLAN)}"""


def _type(column: str) -> str:
    dates = column.endswith(("_on", "_from", "_to"))
    return _TYPES.get(column, "date" if dates else "text")


_ANOTHERS: Final = "WHEN r.source_id <> CAST(:source AS text) THEN 'foreign'"
_MARK: Final = """CASE WHEN r.withdrawn_at IS NOT NULL THEN 'withdrawn'
                   WHEN r.repaired_at IS NOT NULL THEN 'repaired' END"""
_SAME_RECORD: Final = """
   AND r.source_id = CAST(:source AS text) AND r.dataset = CAST(:dataset AS text)
   AND r.natural_key = s.natural_key"""


def _classify(of: Target) -> str:
    """What each staged row is beside what is held. Typed columns of a record follow its fields."""
    is_enterprise = of is ENTERPRISE
    compared = (*(of.filled if is_enterprise else ("fields",)), "digests")
    held = ", ".join(f"r.{name}" for name in compared)
    delivered = ", ".join(f"s.{name}" for name in compared)
    return f"""
UPDATE {of.staged} AS s
   SET held_id = r.{of.id_column}, held_version = r.version,
       mark = {"NULL" if is_enterprise else _MARK},
       verdict = CASE {_ANOTHERS if is_enterprise else ""}
                 WHEN ({held}) IS NOT DISTINCT FROM ({delivered}) THEN 'unchanged'
                 WHEN s.source_time < r.source_time THEN 'older'
                 ELSE 'updated' END
  FROM {of.table} AS r
 WHERE r.uscc = s.uscc{"" if is_enterprise else _SAME_RECORD}"""


def _changed(of: Target) -> str:
    return f"""
  FROM {of.staged} AS s JOIN {of.table} AS r ON r.uscc = s.uscc AND r.{of.id_column} = s.held_id
 WHERE s.verdict = 'updated'"""


def _lock_changed(of: Target) -> str:
    """In the order of their keys, so that nobody who does likewise waits in a circle."""
    return f"""
SELECT count(*) FROM (
  SELECT r.uscc {_changed(of)} ORDER BY r.uscc, r.{of.id_column} FOR UPDATE OF r) AS locked"""


def _keep_superseded(of: Target) -> str:
    key = "uscc" if of is ENTERPRISE else "uscc, record_id"
    exact = " || jsonb_build_object('capital', CAST(r.capital AS text))"  # no float on the way
    return f"""
INSERT INTO {of.table}_history
       ({key}, version, replaced_at, change, actor, row, personal)
SELECT {", ".join(f"r.{each}" for each in key.split(", "))}, r.version,
       greatest(CAST(:now AS timestamptz), r.received_at), 'updated', CAST(:source AS text),
       to_jsonb(r) - 'personal'{exact if of is ENTERPRISE else ""}, r.personal{_changed(of)}"""


# A number that was not known before makes no new person.
_NEW_REPRESENTATIVES: Final = f"""
SELECT r.uscc {_changed(ENTERPRISE)}
   AND (r.legal_representative <> s.legal_representative
        OR r.digests ->> '{LEGAL_REPRESENTATIVE_ID}' <> s.digests ->> '{LEGAL_REPRESENTATIVE_ID}')"""


def _update(of: Target) -> str:
    """What happened to a record (repair, withdrawal, objection) is not a delivery's to change."""
    delivered = ", ".join(f"{name} = s.{name}" for name in (*of.filled, "personal", "digests"))
    return f"""
UPDATE {of.table} AS r
   SET version = r.version + 1, source_name = CAST(:source_name AS text),
       source_uscc = CAST(:source_uscc AS text), catalogue_version = CAST(:catalogue AS text),
       received_at = CAST(:now AS timestamptz),
       source_time = coalesce(s.source_time, CAST(:now AS timestamptz)), {delivered}
  FROM {of.staged} AS s
 WHERE r.uscc = s.uscc AND r.{of.id_column} = s.held_id AND s.verdict = 'updated'"""


def _no_longer_as_told(of: Target) -> str:
    """R14: what was told of these has changed. Of what has ended its clients know that already."""
    return f"""
SELECT s.uscc, CAST(:dataset AS text), s.held_id FROM {of.staged} AS s
 WHERE s.verdict = 'updated' AND s.mark IS NULL"""


def _insert(of: Target) -> str:
    own = "" if of is ENTERPRISE else "natural_key, dataset, "
    values = "" if of is ENTERPRISE else "s.natural_key, CAST(:dataset AS text), "
    delivered = (*of.filled, "personal", "digests")
    return f"""
INSERT INTO {of.table} (uscc, {of.id_column}, {own}source_id, source_name, source_uscc,
       catalogue_version, received_at, source_time, {", ".join(delivered)})
SELECT s.uscc, s.record_id, {values}CAST(:source AS text), CAST(:source_name AS text),
       CAST(:source_uscc AS text), CAST(:catalogue AS text), CAST(:now AS timestamptz),
       coalesce(s.source_time, CAST(:now AS timestamptz)), {", ".join(f"s.{x}" for x in delivered)}
  FROM {of.staged} AS s
 WHERE s.verdict = 'created'
 ORDER BY s.uscc COLLATE "C", s.natural_key COLLATE "C\""""


BY_TABLE: Final = {of.table: Statements.for_target(of) for of in (ENTERPRISE, RECORD)}
