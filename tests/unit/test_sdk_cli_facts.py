"""`xinqiao`: ids and terms that a query prints, what verified evidence names, `--lang` before a command."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.test_sdk_cli import USCC, fake_gateway, kit  # noqa: F401 - fixtures
from tests.unit.test_sdk_cli_language import TWO_LANGUAGES, run
from xinqiao.cli._language import Language
from xinqiao.testing import FakeConsent, FakeGateway

UNTIL = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=700)
SHOWN = f"{UNTIL:%Y-%m-%d} 08:00:00+08:00"


@pytest.fixture
def held(fake_gateway: FakeGateway) -> FakeConsent:  # noqa: F811
    return fake_gateway.grant_consent(
        USCC, purpose="tender", datasets=["penalty"], valid_until=UNTIL, max_uses=3
    )


@TWO_LANGUAGES
def test_a_query_prints_its_disclosure_and_its_consent_with_the_uses_left(
    kit: Path,  # noqa: F811
    held: FakeConsent,
    language: Language,
) -> None:
    """Words quoted to the operator, and the questions left."""
    asked = ("query", USCC, "--purpose", "tender", "--dataset", "penalty", "--kit", str(kit))
    shown = run(*asked, language=language)
    assert shown.exit_code == 0, shown.output
    consent = {
        "zh": f"授权编号 {held.consent_id}，有效期至 {SHOWN}，剩余次数：2\n",
        "en": f"consent {held.consent_id}, valid until {SHOWN}, uses left: 2\n",
    }[language]
    assert consent in shown.stderr
    assert {"zh": "，查询编号 dsc_", "en": ", disclosure dsc_"}[language] in shown.stderr


@TWO_LANGUAGES
def test_verified_evidence_of_a_query_names_all_parties_and_terms(
    kit: Path,  # noqa: F811
    held: FakeConsent,
    language: Language,
    tmp_path: Path,
) -> None:
    """And that it cannot tell what was withdrawn since."""
    kept, keys = str(tmp_path / "e.json"), str(tmp_path / "keys.json")
    asked = ("query", USCC, "--purpose", "tender", "--dataset", "penalty", "--kit", str(kit))
    assert run(*asked, "--save", kept, language=language).exit_code == 0
    lines = run("verify-evidence", kept, "--keys", keys, language=language).stdout.splitlines()
    rows = dict(line.strip().split("  ", 1) for line in lines if "  " in line.strip())
    told = {name: value.strip() for name, value in rows.items()}
    names = {
        "zh": ("企业", "用途", "接收方", "授权编号", "有效期至", "剩余次数", "此后的撤回或更正"),
        "en": ("enterprise", "purpose", "recipient", "consent", "valid until", "uses left",
               "withdrawn since"),
    }[language]  # fmt: skip
    purpose = {"zh": "招标投标 (tender)", "en": "Tender (tender)"}[language]
    expected = (USCC, purpose, "bank", held.consent_id, SHOWN, "2")
    assert tuple(told[name] for name in names[:-1]) == expected
    assert "/v1/changes" in told[names[-1]]
    assert told[{"zh": "查询编号", "en": "disclosure"}[language]].startswith("dsc_")
    assert told[{"zh": "截至", "en": "as of"}[language]].endswith("+08:00")


@TWO_LANGUAGES
def test_verified_evidence_of_a_consent_says_whether_it_was_withdrawn_then(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
    held: FakeConsent,
    language: Language,
    tmp_path: Path,
) -> None:
    """Its status is in the answer."""
    kept, keys = str(tmp_path / "e.json"), str(tmp_path / "keys.json")
    fake_gateway.withdraw(held)
    call = ("curl", f"/v1/consents/{held.consent_id}", "--scope", "consents", "--kit", str(kit))
    assert run(*call, "--save", kept, language=language).exit_code == 0
    shown = run("verify-evidence", kept, "--keys", keys, language=language).stdout
    assert {"zh": "撤回 (withdrawn)", "en": "its status then  withdrawn"}[language] in shown
    assert USCC in shown


def test_the_language_may_stand_before_the_command(kit: Path) -> None:  # noqa: F811
    """It is the command's default; after the command it is the command's own."""
    asked = ("ask", USCC, "--purpose", "tender", "-q", "is_active.v1", "--kit", str(kit))
    assert "截至" in run("--lang", "zh", *asked, language=Language.EN).stderr
    assert "as of" in run("--lang", "zh", *asked, "--lang", "en", language=Language.EN).stderr
    assert run("--lang", "fr", *asked, language=Language.EN).exit_code == 2


@TWO_LANGUAGES
def test_a_lost_answer_prints_its_key_and_what_was_never_sent_does_not(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
    language: Language,
) -> None:
    """An outage on the way to a token spends nothing."""
    asked = ("ask", USCC, "--purpose", "tender", "-q", "is_active.v1", "--kit", str(kit))
    fake_gateway.break_down(times=4, endpoint="token")
    never_sent = run(*asked, language=language)
    assert never_sent.exit_code == 1
    assert "--idempotency-key" not in never_sent.stderr
    fake_gateway.recover()
    fake_gateway.break_down(times=4)
    lost = run(*asked, language=language)
    assert "--idempotency-key" in lost.stderr
    said = {"zh": "✘ 请求已发出，但没有收到答复", "en": "A use may have been spent"}[language]
    assert said in lost.stderr


def test_a_mistyped_name_is_shown_with_the_nearest_in_chinese(kit: Path) -> None:  # noqa: F811
    """Beside the list of all."""
    asked = ("ask", USCC, "--purpose", "tendr", "-q", "is_active.v1", "--kit", str(kit))
    assert "没有 tendr，是否为 tender？" in run(*asked, language=Language.ZH).stderr
