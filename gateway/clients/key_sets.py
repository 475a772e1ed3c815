"""Key sets fetched from clients' `jwks_uri`, valid for an hour at most, whatever the server says.

`ensure_keys` is called before a client's signature is verified. The registry reads a set only within
its hour, so a forgotten call fails closed. Of concurrent calls, on any number of workers, one fetches
and the others wait for it.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway import strict_json
from gateway.clients.registration import CLIENT_ID, RegistrationError, check_keys
from gateway.db.engine import to_json
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.safe_fetch import TIMEOUT_SECONDS, Fetched, FetchRoute, UnfetchableError, get
from gateway.signing import jws
from gateway.signing.jws import JwsError
from gateway.strict_json import StrictJsonError

USABLE: Final = timedelta(hours=1)
SHORTEST_REST: Final = timedelta(minutes=1)  # between any two fetches
USUAL_REST: Final = timedelta(minutes=10)  # without a Cache-Control
WAITS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # for another's fetch: longer than it may take
LONGEST_KID: Final = 256
STORED_KEY_MEMBERS: Final = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "x5c")
MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})", re.IGNORECASE)
NOT_KEPT: Final = re.compile(r"(?:^|[,\s])no-(?:store|cache)", re.IGNORECASE)

# The fetched keys k of a client c, and whether :kid or :x5c is among them.
HELD_COLUMNS = """
    c.jwks_uri, k.fetched_at, k.fresh_until, k.tried_at, k.settled_at,
    EXISTS (SELECT 1 FROM jsonb_array_elements(k.jwks -> 'keys') AS one(key)
            WHERE one.key ->> 'kid' = CAST(:kid AS text)
               OR one.key -> 'x5c' ->> 0 = CAST(:x5c AS text)) AS has_it"""
CLIENT_AND_KEYS = """
    FROM client c
    LEFT JOIN client_key_set k ON k.client_id = c.client_id AND k.jwks_uri = c.jwks_uri"""
HELD = Statement(f"""
    SELECT {HELD_COLUMNS} {CLIENT_AND_KEYS}
    WHERE c.client_id = CAST(:client_id AS text) AND c.state = 'active'""")

# The conflict lets one of many concurrent claims through; a set of another address is dropped.
CLAIM = Statement("""
    INSERT INTO client_key_set AS k (client_id, jwks_uri, tried_at)
    SELECT c.client_id, c.jwks_uri, CAST(:now AS timestamptz) FROM client c
    WHERE c.client_id = CAST(:client_id AS text) AND c.jwks_uri = CAST(:jwks_uri AS text)
    ON CONFLICT (client_id) DO UPDATE SET
        jwks_uri = excluded.jwks_uri, tried_at = excluded.tried_at,
        jwks = CASE WHEN k.jwks_uri = excluded.jwks_uri THEN k.jwks END,
        fetched_at = CASE WHEN k.jwks_uri = excluded.jwks_uri THEN k.fetched_at END,
        fresh_until = CASE WHEN k.jwks_uri = excluded.jwks_uri THEN k.fresh_until END,
        settled_at = CASE WHEN k.jwks_uri = excluded.jwks_uri THEN k.settled_at END
    WHERE k.jwks_uri <> excluded.jwks_uri
       OR k.tried_at <= excluded.tried_at - CAST(:rest AS interval)
    RETURNING k.client_id""")

SETTLE = Statement("""
    UPDATE client_key_set SET
        jwks = coalesce(CAST(:jwks AS jsonb), jwks),
        fetched_at = coalesce(CAST(:fetched_at AS timestamptz), fetched_at),
        fresh_until = coalesce(CAST(:fresh_until AS timestamptz), fresh_until),
        settled_at = tried_at, trouble = CAST(:trouble AS text)
    WHERE client_id = CAST(:client_id AS text) AND jwks_uri = CAST(:jwks_uri AS text)
      AND tried_at = CAST(:tried_at AS timestamptz)
    RETURNING client_id""")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """Fetched public keys, and the time until which they are fresh."""

    jwks: dict[str, Any]
    fresh_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedSigner:
    """The client and key that a request claims, unverified: a key id, or a certificate.

    `x5c` is base64 of the certificate's DER.
    """

    client_id: str
    kid: str | None = None
    x5c: str | None = None

    @property
    def parameters(self) -> dict[str, str | None]:
        """The parameters of statements about it."""
        return {"client_id": self.client_id, "kid": self.kid, "x5c": self.x5c}

    @property
    def names_a_key(self) -> bool:
        """True if the claim names one key."""
        return (self.kid or self.x5c) is not None


def signer_of(assertion: str | None) -> ClaimedSigner | None:
    """The claimed signer of an assertion; `None` where it cannot be a registered client."""
    try:
        compact = jws.parse_compact(assertion or "")
        claimed = jws.unverified_claims(compact).get("sub")
    except JwsError:
        return None
    kid = compact.header.get("kid")
    if not isinstance(claimed, str) or not CLIENT_ID.fullmatch(claimed) or (kid and "\0" in kid):
        return None
    return ClaimedSigner(client_id=claimed, kid=kid if kid and len(kid) <= LONGEST_KID else None)


def fetch_may_help(stored: Mapping[str, Any], now: datetime, *, named: bool) -> bool:
    """True if `ensure_keys` would fetch now, or wait for another fetch."""
    waits = _is_urgent(stored, now, named=named) and _under_way(stored, now)
    return fetch_is_due(stored, now, named=named) and (_may_try(stored, now) or waits)


def fetch_is_due(stored: Mapping[str, Any], now: datetime, *, named: bool) -> bool:
    """True if a client's fetched keys are missing, old, or lack the named key."""
    if stored["jwks_uri"] is None:
        return False
    return _is_urgent(stored, now, named=named) or now >= stored["fresh_until"]


async def ensure_keys(
    hot: HotDatabase,
    claimed: ClaimedSigner,
    *,
    now: datetime,
    loopback: bool,
    route: FetchRoute | None = None,
) -> None:
    """Fetch a client's keys from its `jwks_uri` if they are missing, old, or lack the named key."""
    client_id, named = claimed.client_id, claimed.names_a_key
    if not CLIENT_ID.fullmatch(client_id) or "\0" in (claimed.kid or ""):
        return
    for wait in WAITS:
        stored = await hot.row(HELD, claimed.parameters)
        if stored is None or not fetch_is_due(stored, now, named=named):
            return
        if _may_try(stored, now):
            uri = stored["jwks_uri"]
            if await _claim(hot, client_id, uri, now):
                await _fetch_and_store(hot, client_id, uri, now=now, loopback=loopback, route=route)
                return
        elif _is_urgent(stored, now, named=named) and _under_way(stored, now):
            await asyncio.sleep(wait)
        else:
            return


async def fetch_keys(
    url: str, *, now: datetime, loopback: bool, route: FetchRoute | None = None
) -> KeySet:
    """The public keys at `url`; raises `UnfetchableError` with a sentence."""
    fetched = await get(url, loopback=loopback, route=route)
    try:
        found = strict_json.parse(fetched.body)
        if not isinstance(found, dict):
            raise RegistrationError("it is no JSON object.")
        check_keys(found)
    except (RegistrationError, StrictJsonError) as error:
        reason = str(error) if isinstance(error, RegistrationError) else f"it is {error}."
        raise UnfetchableError(f"What it answered is not a usable JWK set: {reason}") from None
    keys = [
        {name: jwk[name] for name in STORED_KEY_MEMBERS if name in jwk} for jwk in found["keys"]
    ]
    return KeySet(jwks={"keys": keys}, fresh_until=now + rest_after(fetched))


def rest_after(fetched: Fetched) -> timedelta:
    """The time for which a set is fresh: by Cache-Control, from a minute to an hour."""
    directives = fetched.headers.get("cache-control", "")
    if NOT_KEPT.search(directives):
        return SHORTEST_REST
    max_age = MAX_AGE.search(directives)
    rest = timedelta(seconds=int(max_age[1])) if max_age else USUAL_REST
    return min(max(rest, SHORTEST_REST), USABLE)


async def _claim(hot: HotDatabase, client_id: str, uri: str, now: datetime) -> bool:
    values = {"client_id": client_id, "jwks_uri": uri, "now": now, "rest": SHORTEST_REST}
    return await hot.row(CLAIM, values) is not None


async def _fetch_and_store(
    hot: HotDatabase,
    client_id: str,
    uri: str,
    *,
    now: datetime,
    loopback: bool,
    route: FetchRoute | None,
) -> None:
    """Fetch and store; a failed fetch leaves the last good set and its hour."""
    settled: dict[str, Any] = {"jwks": None, "fetched_at": None, "fresh_until": None}
    trouble: str | None = "The fetch was broken off."
    try:
        found = await fetch_keys(uri, now=now, loopback=loopback, route=route)
        settled = {"jwks": to_json(found.jwks), "fetched_at": now, "fresh_until": found.fresh_until}
        trouble = None
    except UnfetchableError as error:
        trouble = str(error)
    finally:
        own = {"client_id": client_id, "jwks_uri": uri, "tried_at": now, "trouble": trouble}
        await hot.row(SETTLE, own | settled)


def _is_urgent(stored: Mapping[str, Any], now: datetime, *, named: bool) -> bool:
    """True if the stored keys cannot verify this caller."""
    return not _usable(stored, now) or (named and not stored["has_it"])


def _usable(stored: Mapping[str, Any], now: datetime) -> bool:
    fetched: datetime | None = stored["fetched_at"]
    return fetched is not None and now < fetched + USABLE


def _may_try(stored: Mapping[str, Any], now: datetime) -> bool:
    """True if the last try is long enough ago; the claim decides between concurrent calls."""
    return stored["tried_at"] is None or stored["tried_at"] <= now - SHORTEST_REST


def _under_way(stored: Mapping[str, Any], now: datetime) -> bool:
    """True if another fetch has begun and not ended."""
    tried, settled = stored["tried_at"], stored["settled_at"]
    begun = tried is not None and now - tried <= timedelta(seconds=2 * TIMEOUT_SECONDS)
    return begun and (settled is None or settled < tried)
