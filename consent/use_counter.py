"""SQL to read a consent and to spend a use by one conditional update: at most N for N allowed (R8).

These are parts of the gateway's one read and one write. PostgreSQL checks the `WHERE`
of a waiting update again on the row that the winner left (READ COMMITTED), so that any number of
calls at once can neither overspend nor slip past a withdrawal.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from consent.mapping import consent_of
from consent.model import Consent

# With several grants, the most recently decided one applies.
LATEST_GRANT_FIRST = "ORDER BY c.decided_at DESC, c.consent_id DESC LIMIT 1"

# Parameters: uscc, client_id, consent_id (may be null), purpose (read where consent_id is null).
# An expression: one jsonb object, the whole row, or null.
READ_CONSENT = f"""(
  SELECT to_jsonb(c) FROM consent c
  WHERE c.uscc = CAST(:uscc AS text)
    AND c.client_id = CAST(:client_id AS text)
    AND c.decided_at IS NOT NULL
    AND CASE WHEN CAST(:consent_id AS text) IS NULL
          THEN c.purpose = CAST(:purpose AS text) AND c.status <> 'refused'
          ELSE c.consent_id = CAST(:consent_id AS text)
        END
  {LATEST_GRANT_FIRST}
)"""  # noqa: S608  # only constants are put together

# The same without the names of fields, which are many, for answers that disclose none.
READ_CONSENT_FOR_ANSWERS = READ_CONSENT.replace("to_jsonb(c)", "to_jsonb(c) - 'fields'")

# Parameters: uscc, client_id, consent_id and consent_version of what `decide` has granted (both
# null without consent: nothing is spent), now. One row (consent_id, uses, max_uses, valid_until), or
# none where the consent no longer holds as it was decided on. Part of `xinqiao_disclose`.
SPEND = """
  SELECT consent_id, uses, max_uses, valid_until
  FROM xinqiao_spend_use(
    CAST(:uscc AS text), CAST(:consent_id AS text), CAST(:client_id AS text),
    CAST(:consent_version AS integer), CAST(:now AS timestamptz))
"""

_INSTANTS = ("requested_at", "answer_by", "valid_until", "decided_at", "cool_down_until")


def consent_from_json(row: Mapping[str, Any]) -> Consent:
    """Parse the JSON of `READ_CONSENT` or `READ_CONSENT_FOR_ANSWERS`."""
    instants = {name: _instant(row[name]) for name in _INSTANTS}
    digest = {"identity_token_digest": _bytes(row["identity_token_digest"])}
    return consent_of({"fields": None, **row, **instants, **digest})


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text.removeprefix("\\x"))
