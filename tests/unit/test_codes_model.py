"""The state of an enterprise code, its agreement with the registration, and the printers' line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from gateway.codes.bulk.line import bulk_line
from gateway.codes.model import Code, CodeState, Registration

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CODE = Code(
    uscc="91330106MAHD08319M",
    code_id="A" * 26,
    sign_name="云栖小店",
    label="南门",
    check_phrase="青山 白云",
    printed_name="杭州云栖数据科技有限公司",
    printed_division="330106",
    issued_at=NOON,
)
REGISTERED = Registration(name="杭州云栖数据科技有限公司", division="330106", status="active")


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, CodeState.VALID),
        ({"expires_at": NOON + timedelta(seconds=1)}, CodeState.VALID),
        ({"expires_at": NOON}, CodeState.EXPIRED),
        ({"expires_at": NOON, "revoked_at": NOON}, CodeState.REVOKED),
        ({"revoked_at": NOON}, CodeState.REVOKED),
        ({"revoked_at": NOON, "replaced_by": "B" * 26}, CodeState.REPLACED),
    ],
)
def test_a_code_has_one_state(changed: dict[str, object], state: CodeState) -> None:
    """Expiry is exact; a replaced code says so rather than that it was revoked."""
    assert replace(CODE, **changed).state_at(NOON) is state  # type: ignore[arg-type]  # by name


def test_a_code_is_out_of_date_where_the_printed_facts_differ() -> None:
    """By name and division; facts that are unknown differ from nothing."""
    moved = replace(REGISTERED, name="杭州云栖科技集团有限公司", division="330110")
    assert CODE.outdated_facts(REGISTERED) == ()
    assert CODE.outdated_facts(moved) == ("name", "division")
    assert replace(CODE, printed_name=None, printed_division=None).outdated_facts(moved) == ()


def test_a_printers_line_has_every_member() -> None:
    """With the address of the symbol, and times of Shanghai."""
    assert orjson.loads(bulk_line(CODE, "https://qym.zj.gov.cn")) == {
        "code_id": "A" * 26,
        "address": f"https://QYM.ZJ.GOV.CN/E/{'A' * 26}",
        "uscc": "91330106MAHD08319M",
        "name": "杭州云栖数据科技有限公司",
        "division": "330106",
        "sign_name": "云栖小店",
        "label": "南门",
        "check_phrase": "青山 白云",
        "issued_at": "2026-11-22T12:00:00+08:00",
        "expires_at": None,
        "batch_id": None,
    }
