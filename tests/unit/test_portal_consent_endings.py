"""Endings of consents in the list of consents: since when, until when, and why."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from consent import Act, Consent, Status
from gateway.portal.consents.labels import ending_text
from tests.consent_builders import NOON, make_consent, make_event_of, make_request

LATER = NOON + timedelta(days=9)
DECIDED = NOON - timedelta(hours=12)


@pytest.mark.parametrize(
    ("ended", "status", "act", "last_use", "zh", "en"),
    [
        (
            make_consent(),
            Status.WITHDRAWN,
            Act.WITHDRAWN,
            None,
            f"{DECIDED:%Y-%m-%d} 起，{LATER:%Y-%m-%d} 撤回",
            f"since {DECIDED:%Y-%m-%d}, withdrawn {LATER:%Y-%m-%d}",
        ),
        (make_request(), Status.WITHDRAWN, Act.GIVEN_UP, None, f"{LATER:%Y-%m-%d} 对方撤销", None),
        (
            make_consent(status=Status.REFUSED),
            Status.REFUSED,
            Act.REFUSED,
            None,
            f"{DECIDED:%Y-%m-%d} 拒绝",
            f"refused {DECIDED:%Y-%m-%d}",
        ),
        (
            make_consent(valid_until=NOON),
            Status.EXPIRED,
            Act.GRANTED,
            None,
            f"{DECIDED:%Y-%m-%d} 起，{NOON:%Y-%m-%d} 到期",
            None,
        ),
        (
            make_request(answer_by=NOON),
            Status.EXPIRED,
            Act.REQUESTED,
            None,
            f"{NOON:%Y-%m-%d} 未答复，申请失效",
            f"not answered in time {NOON:%Y-%m-%d}",
        ),
        (
            make_consent(),
            Status.EXHAUSTED,
            Act.GRANTED,
            NOON,
            f"{DECIDED:%Y-%m-%d} 起，{NOON:%Y-%m-%d} 次数用完",
            None,
        ),
        (
            make_consent(),
            Status.SUPERSEDED,
            Act.SUPERSEDED,
            None,
            f"{DECIDED:%Y-%m-%d} 起，{LATER:%Y-%m-%d} 被新的授权替代",
            None,
        ),
    ],
)
def test_an_ending_says_since_when_until_when_and_why(
    ended: Consent, status: Status, act: Act, last_use: datetime | None, zh: str, en: str | None
) -> None:
    """One that never began has no beginning."""
    event = replace(make_event_of(ended), what=act, at=LATER)
    told = ending_text(ended, status, event, last_use)
    assert told.zh == zh
    assert en is None or told.en == en


def test_an_ending_without_its_event_names_the_status() -> None:
    """As for consents of before the events were kept."""
    told = ending_text(make_request(), Status.WITHDRAWN, None, None)
    assert (told.zh, told.en) == ("已撤回", "Withdrawn")
