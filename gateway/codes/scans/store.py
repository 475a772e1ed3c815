"""Statements on scan counts: add an interval's, and close days into bands with the unusual ones listed.

Distinct networks are estimated from the bits (linear counting): n ≈ −m · ln(share of bits not set).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes.coarse_counts import EDGES, band_edge, band_of
from gateway.codes.scans.counter import BITS, ScanCount, ScanKey
from gateway.db.statements import Statement

USUAL_DAYS: Final = timedelta(days=28)
FEWEST_DAYS: Final = 7
"""Usual days with scans before a code has a usual band of its own: their median."""
ABOVE_USUAL: Final = 2
"""Bands: about ten times."""
NETWORKS_FROM = band_of(30)
"""The lowest band that is unusual, and without a usual band:"""
NETWORKS_ALONE = band_of(1_000)
REVOKED_FROM: Final = band_of(3)
"""The lowest band of a revoked code: its sticker still hangs. It is listed once in `USUAL_DAYS`."""
SCANS_PER_NETWORK: Final = 10
"""Scans that count, so that one network alone shows few."""
BATCH: Final = 2_000

_ADD: Final = Statement(f"""
INSERT INTO code_scan_today AS t (code_id, revoked, day, scans, networks)
SELECT c.code_id, c.revoked, CAST(:day AS date), c.scans, CAST(c.networks AS bit({BITS}))
  FROM unnest(CAST(:codes AS text[]), CAST(:revoked AS boolean[]), CAST(:scans AS integer[]),
              CAST(:networks AS text[]))
    AS c(code_id, revoked, scans, networks)
    ON CONFLICT (code_id, day, revoked) DO UPDATE
       SET scans = t.scans + excluded.scans, networks = t.networks | excluded.networks""")  # noqa: S608  # constants
_EDGES: Final = f"ARRAY{list(EDGES)}"
_CLOSE: Final = Statement(f"""
WITH due AS (
    SELECT code_id, day, revoked FROM code_scan_today WHERE day < CAST(:today AS date)
     ORDER BY day, code_id LIMIT {BATCH} FOR UPDATE SKIP LOCKED),
ended AS (
    DELETE FROM code_scan_today t USING due
     WHERE (t.code_id, t.day, t.revoked) = (due.code_id, due.day, due.revoked)
    RETURNING t.code_id, t.day, t.revoked,
        CAST(width_bucket(least(t.scans, {SCANS_PER_NETWORK} * bit_count(t.networks)), {_EDGES})
             AS smallint) AS scans_band,
        CAST(width_bucket(CAST(round(-{BITS} * ln(greatest({BITS} - bit_count(t.networks), 1)
             / CAST({BITS} AS numeric))) AS integer), {_EDGES}) AS smallint) AS networks_band),
judged AS (
    SELECT e.*, u.days, coalesce(u.scans_band, 0) AS usual_scans,
           coalesce(u.networks_band, 0) AS usual_networks,
           EXISTS (SELECT FROM code_scan_day l
                    WHERE l.code_id = e.code_id AND l.revoked AND l.unusual
                      AND l.day < e.day AND l.day >= e.day - {USUAL_DAYS.days}) AS is_listed
      FROM ended e CROSS JOIN LATERAL (
           SELECT count(*) AS days,
                  percentile_disc(0.5) WITHIN GROUP (ORDER BY d.scans_band) AS scans_band,
                  percentile_disc(0.5) WITHIN GROUP (ORDER BY d.networks_band) AS networks_band
             FROM code_scan_day d
            WHERE d.code_id = e.code_id AND d.revoked = e.revoked AND NOT d.unusual
              AND d.day < e.day AND d.day >= e.day - {USUAL_DAYS.days}) u),
written AS (
    INSERT INTO code_scan_day (code_id, day, revoked, scans_band, networks_band, unusual)
    SELECT code_id, day, revoked, scans_band, networks_band,
           CASE WHEN revoked THEN networks_band >= {REVOKED_FROM} AND NOT is_listed
                WHEN days < {FEWEST_DAYS}
                THEN networks_band >= {NETWORKS_ALONE}
                ELSE networks_band >= greatest({NETWORKS_FROM}, usual_networks + {ABOVE_USUAL}) END
      FROM judged
        ON CONFLICT (code_id, day, revoked) DO NOTHING
    RETURNING code_id, day, revoked, unusual)
SELECT e.code_id, e.day, e.revoked, j.scans_band, j.networks_band, j.usual_scans, j.usual_networks, w.unusual
  FROM ended e JOIN judged j USING (code_id, day, revoked)
  LEFT JOIN written w USING (code_id, day, revoked)""")  # noqa: S608  # constants


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusualDay:
    """A code's day with scans from far more networks than usual, or after it was revoked.

    Numbers are lower edges of bands.
    """

    code_id: str
    day: date
    revoked: bool
    scans: int
    networks: int
    usual_scans: int
    usual_networks: int

    def as_json(self) -> dict[str, Any]:
        """The document that the operator's queue holds."""
        return {
            "day": self.day.isoformat(),
            "revoked": self.revoked,
            "scans_at_least": self.scans,
            "networks_at_least": self.networks,
            "usual_scans_at_least": self.usual_scans,
            "usual_networks_at_least": self.usual_networks,
        }


async def add(connection: AsyncConnection, day: date, counts: Mapping[ScanKey, ScanCount]) -> None:
    """Add an interval's counts."""
    keys = sorted(counts)  # one lock order for all workers
    values = {
        "day": day,
        "codes": [each.code_id for each in keys],
        "revoked": [each.revoked for each in keys],
        "scans": [counts[each].scans for each in keys],
        "networks": [counts[each].bits for each in keys],
    }
    await connection.execute(_ADD, values)


async def close_days(connection: AsyncConnection, today: date) -> tuple[int, list[UnusualDay]]:
    """Close up to `BATCH` days of codes before `today`: how many, and the unusual ones."""
    rows = (await connection.execute(_CLOSE, {"today": today})).all()
    unusual = [
        UnusualDay(
            code_id=row.code_id,
            day=row.day,
            revoked=row.revoked,
            scans=band_edge(row.scans_band),
            networks=band_edge(row.networks_band),
            usual_scans=band_edge(row.usual_scans),
            usual_networks=band_edge(row.usual_networks),
        )
        for row in rows
        if row.unusual
    ]
    return len(rows), unusual
