"""Notices that a watched answer may have changed: the change in the feed, and who was told in the log.

Each is a disclosure of kind `watch`, with its leaf: it tells its client that something has changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.engine import to_json
from gateway.db.statements import Statement
from gateway.disclosure.ids import new_id
from gateway.transparency.disclosure_leaf import Disclosure, DisclosureLeaf, result_digest

KIND: Final = "answer_may_have_changed"

_NOTICES: Final = Statement(f"""
    INSERT INTO tombstone (uscc, change_id, client_id, kind, occurred_at, disclosure_ids, questions)
    SELECT uscc, change_id, client_id, '{KIND}', CAST(:now AS timestamptz), '{{}}',
           string_to_array(questions, ' ')
    FROM unnest(CAST(:usccs AS text[]), CAST(:change_ids AS text[]), CAST(:client_ids AS text[]),
                CAST(:questions AS text[])) AS t(uscc, change_id, client_id, questions)""")  # noqa: S608
_DISCLOSURES: Final = Statement("""
    INSERT INTO disclosure (uscc, disclosure_id, client_id, kind, outcome, purpose,
        agreement_version, asked, relied_on, result_digest, leaf_hash, at)
    SELECT uscc, disclosure_id, client_id, 'watch', 'told', purpose, version, asked,
           '[]', result_digest, leaf_hash, CAST(:now AS timestamptz)
    FROM unnest(CAST(:usccs AS text[]), CAST(:ids AS text[]), CAST(:client_ids AS text[]),
                CAST(:purposes AS text[]), CAST(:versions AS integer[]), CAST(:asked AS jsonb[]),
                CAST(:digests AS bytea[]), CAST(:leaves AS bytea[]))
        AS t(uscc, disclosure_id, client_id, purpose, version, asked, result_digest, leaf_hash)""")
_SALTS: Final = Statement("""
    INSERT INTO disclosure_salt (uscc, disclosure_id, salt)
    SELECT * FROM unnest(CAST(:usccs AS text[]), CAST(:ids AS text[]), CAST(:salts AS bytea[]))""")
_PENDING: Final = Statement("""
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    SELECT uscc, disclosure_id, leaf_hash, CAST(:now AS timestamptz)
    FROM unnest(CAST(:usccs AS text[]), CAST(:ids AS text[]), CAST(:leaves AS bytea[]))
        AS t(uscc, disclosure_id, leaf_hash)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Questions of which a client is told for one purpose of its agreement."""

    purpose: str
    agreement_version: int
    questions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersNotice:
    """Notice to one client about one enterprise, on however many of its lists it is."""

    uscc: str
    client_id: str
    grounds: Sequence[Ground]

    @property
    def questions(self) -> list[str]:
        """The questions of all grounds, each once."""
        return list(dict.fromkeys(tag for each in self.grounds for tag in each.questions))


async def notify_changed_answers(
    connection: AsyncConnection,
    notices: Iterable[AnswersNotice],
    *,
    now: datetime,
) -> int:
    """Write these notices into their clients' feeds, and each ground into the log; how many notices."""
    told = tuple(notices)
    if not told:
        return 0
    await _disclose(connection, told, now)
    await connection.execute(
        _NOTICES,
        {
            "now": now,
            "usccs": [each.uscc for each in told],
            "change_ids": [new_id("chg") for _ in told],
            "client_ids": [each.client_id for each in told],
            "questions": [" ".join(each.questions) for each in told],
        },
    )
    return len(told)


async def _disclose(
    connection: AsyncConnection, notices: Sequence[AnswersNotice], now: datetime
) -> None:
    disclosures = [_disclosure(each, one, now) for each in notices for one in each.grounds]
    leaves = [DisclosureLeaf.of(each) for each in disclosures]
    values = {
        "now": now,
        "usccs": [each.uscc for each in disclosures],
        "ids": [each.disclosure_id for each in disclosures],
        "client_ids": [each.client_id for each in disclosures],
        "purposes": [each.purpose for each in disclosures],
        "versions": [each.agreement_version for each in disclosures],
        "asked": [to_json(each.asked) for each in disclosures],
        "digests": [each.result_digest for each in disclosures],
        "leaves": [each.hash for each in leaves],
        "salts": [each.salt for each in leaves],
    }
    for statement in (_DISCLOSURES, _SALTS, _PENDING):
        await connection.execute(statement, {name: values[name] for name in statement.names})


def _disclosure(notice: AnswersNotice, ground: Ground, now: datetime) -> Disclosure:
    told = {"kind": KIND, "uscc": notice.uscc, "questions": list(ground.questions)}
    return Disclosure(
        disclosure_id=new_id("dsc"),
        uscc=notice.uscc,
        client_id=notice.client_id,
        kind="watch",
        outcome="told",
        purpose=ground.purpose,
        agreement_version=ground.agreement_version,
        asked=list(ground.questions),
        result_digest=result_digest(told),
        at=now,
    )
