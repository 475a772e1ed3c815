"""`xinqiao` commands and the README's examples, over a socket with the fake gateway."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

import xinqiao
from xinqiao import (
    Question,
    Questions,
    QuestionTag,
    RetryPolicy,
    errors,
    generate_client_key,
    public_jwks,
)
from xinqiao.cli import _show
from xinqiao.cli._app import app
from xinqiao.cli._language import Language, duration_text
from xinqiao.testing import FakeAgreement, FakeGateway
from xinqiao.testing._rules.published import CATALOGUE_VERSION

USCC = "91330106MA2XXXXXXX"
OF_THE_DEMO = "91330106MAHD08319M"
README = Path(xinqiao.__file__).parents[2] / "README.md"


def handler(fake_gateway: FakeGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = [(k, v) for k, v in self.headers.items() if k.lower() != "content-length"]
            url = fake_gateway.issuer + self.path
            request = httpx2.Request(self.command, url, headers=headers, content=body)
            response = fake_gateway.handle_request(request)
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = do_DELETE = do_PUT = answer  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Suppress the access log."""

    return Handler


THREE = {"name": "甲=乙", "legal_representative": "张三"}


@pytest.fixture
def fake_gateway() -> Iterator[FakeGateway]:
    fake_gateway = FakeGateway()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(fake_gateway))
    fake_gateway.issuer = fake_gateway.oauth.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fake_gateway.add_enterprise(
        USCC,
        answers={
            "is_active.v1": "yes",
            ("enterprise_name.v1", "甲=乙"): "yes",
        },
        elements=THREE,
        records=[
            {"dataset": "penalty", "fields": {"fine": "1.2", "kinds": ["罚款"]}, "objection": {}}
        ],
    )
    yield fake_gateway
    server.shutdown()
    server.server_close()


@pytest.fixture
def kit(fake_gateway: FakeGateway, tmp_path: Path) -> Path:
    client = {
        "client_id": "bank",
        "private_jwks": {"keys": [fake_gateway.private_jwk]},
        "redirect_uris": ["https://bank.test/callback"],
        "scope": "verify query consents changes",
    }
    path = tmp_path / "kit.json"
    path.write_text(json.dumps({"issuer": fake_gateway.issuer, "clients": {"bank": client}}))
    (tmp_path / "keys.json").write_text(json.dumps(fake_gateway.jwks))
    return path


@pytest.fixture
def run(kit: Path) -> Callable[..., Result]:
    def invoke(*arguments: str, env: dict[str, str] | None = None, with_kit: bool = True) -> Result:
        given = [*arguments, *(["--kit", str(kit)] if with_kit else [])]
        return CliRunner().invoke(
            app, given, env={"COLUMNS": "200", "LC_ALL": "en_GB.UTF-8", **(env or {})}
        )

    return invoke


def test_ask_shows_each_answer_and_that_it_was_verified(run: Callable[..., Result]) -> None:
    """Values may contain an equals sign."""
    result = run(
        "ask", USCC, "--purpose", "tender",
        "-q", "is_active.v1", "-q", "enterprise_name.v1=甲=乙", "-q", "enterprise_name.v1=丙",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.count("✔ yes") == 2
    assert result.stdout.count("✘ no") == 1
    assert "signature verified" in result.stderr


def test_ask_takes_a_group_as_a_json_object(run: Callable[..., Result]) -> None:
    """Members in any order; invalid JSON is refused with one line."""
    tag, turned = "three_elements.v1", dict(reversed(THREE.items()))
    for members in (THREE, turned):
        asked = run("ask", USCC, "--purpose", "tender", "-q", f"{tag}={json.dumps(members)}")
        assert asked.exit_code == 0, asked.output
        assert asked.stdout.count("✔ yes") == 1
    other = run(
        "ask", USCC, "--purpose", "tender", "-q", f"{tag}={json.dumps(THREE | {'name': 'x'})}"
    )
    assert other.stdout.count("✘ no") == 1
    broken = run("ask", USCC, "--purpose", "tender", "-q", f'{tag}={{"name": ')
    assert broken.exit_code == 1
    assert broken.stderr.startswith("✘ ")


def test_a_signed_call_is_shown_as_its_clients(
    run: Callable[..., Result], fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """Its evidence is verified with the client's keys; an unsigned one, or another's key, will not do."""
    keys, own, other = tmp_path / "keys.json", tmp_path / "own.json", tmp_path / "other.json"
    own.write_text(json.dumps(public_jwks(fake_gateway.private_jwk)))
    other.write_text(json.dumps(public_jwks(generate_client_key())))
    signed, unsigned = tmp_path / "signed.json", tmp_path / "unsigned.json"
    assert run("curl", "/v1/consents", "--sign", "--save", str(signed)).exit_code == 0
    assert run("curl", "/v1/consents", "--save", str(unsigned)).exit_code == 0
    listed = run("questions", env={"XINQIAO_SIGN_REQUESTS": "true"})
    assert listed.exit_code == 0
    assert "signature-input" in fake_gateway.requests[-1].headers

    def verified(kept: Path, trusted: Path) -> Result:
        options = ("--keys", str(keys), "--client-keys", str(trusted))
        return run("verify-evidence", str(kept), *options, with_kit=False)

    assert "request signed by the client's key client-1" in verified(signed, own).stdout
    for kept, trusted in ((signed, other), (unsigned, own)):
        refused = verified(kept, trusted)
        assert refused.exit_code == 1
        assert "not signed by a key of this client" in refused.stderr


def test_ask_keeps_evidence_that_the_command_verifies_offline(
    run: Callable[..., Result], fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """A changed copy exits with 1 and the difference."""
    kept, keys = tmp_path / "e.json", str(tmp_path / "keys.json")
    asked = ("ask", USCC, "--purpose", "tender", "-q", "is_active.v1")
    assert run(*asked, "--keys", keys, "--save", str(kept), "--json").exit_code == 0
    before = len(fake_gateway.requests)
    good = run("verify-evidence", str(kept), "--keys", keys, with_kit=False)
    assert good.exit_code == 0
    assert "authentic as of" in good.stdout
    kept.write_text(kept.read_text().replace('\\"yes\\"', '\\"no\\"'))
    bad = run("verify-evidence", str(kept), "--keys", keys, with_kit=False)
    assert bad.exit_code == 1
    assert "NOT AUTHENTIC: The body of the answer differs from its digest." in bad.stderr
    assert len(fake_gateway.requests) == before


def test_evidence_of_a_query_shows_how_long_each_record_is_used_and_kept(
    run: Callable[..., Result], fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """Years later, offline, from what was signed."""
    kept, keys = tmp_path / "e.json", str(tmp_path / "keys.json")
    until = (datetime.now(UTC) + timedelta(days=700)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    ends = f"use until {until:%Y-%m-%d} 08:00:00+08:00, delete by {until:%Y-%m-%d}"
    fake_gateway.grant_consent(
        USCC, purpose="loan_approval", datasets=["penalty"], valid_until=until
    )
    asked = ("query", USCC, "--purpose", "loan_approval", "--dataset", "penalty")
    shown = run(*asked, "--save", str(kept))
    assert ends in shown.stdout
    good = run("verify-evidence", str(kept), "--keys", keys, with_kit=False)
    assert ends in good.stdout
    fake_gateway.add_enterprise(
        USCC, records=[{"dataset": "penalty", "fields": {"fine": fine}} for fine in ("1.2", "2.4")]
    )
    run(*asked, "--save", str(kept), "--force")
    good = run("verify-evidence", str(kept), "--keys", keys, with_kit=False)
    assert f"(penalty) 2 record(s): {ends}" in good.stdout


def test_ask_and_query_take_a_bundle(run: Callable[..., Result], fake_gateway: FakeGateway) -> None:
    """In place of questions and datasets: one of the two, never both."""
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    loan = (USCC, "--purpose", "loan_approval", "--bundle", "pre_loan.v1")
    asked = run("ask", *loan)
    assert asked.exit_code == 0, asked.output
    assert "no_live_penalty.v1" in asked.stdout
    told = run("query", *loan)
    assert told.exit_code == 0, told.output
    assert "罚款" in told.stdout
    for command, option in (("ask", "-q"), ("query", "--dataset")):
        for wrong in (loan[:3], (*loan, option, "penalty")):
            refused = run(command, *wrong)
            assert refused.exit_code == 1
            assert f"Give {option} or --bundle" in refused.stderr


def test_an_outcome_is_told_by_the_command(
    run: Callable[..., Result], fake_gateway: FakeGateway
) -> None:
    """In the reader's language; a mistake is one line."""
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    with fake_gateway.client() as bank:
        query = bank.query(USCC, purpose="loan_approval", datasets=["penalty"]).disclosure_id
    told = run("tell-outcome", query, "refused", "--reason", "live_penalty")
    assert told.exit_code == 0, told.output
    penalty = "An administrative penalty that is still published (live_penalty)"
    assert told.stdout.splitlines() == ["Refused (refused)", f"  {penalty}"]
    assert "told to the enterprise at" in told.stderr
    assert fake_gateway.outcomes == {query: ("refused", ("live_penalty",))}
    wrong = run("tell-outcome", query, "refused")
    assert wrong.exit_code == 1
    assert "at least one reason" in wrong.stderr


def test_query_shows_records_and_what_is_withheld(
    run: Callable[..., Result], fake_gateway: FakeGateway
) -> None:
    """With objection marks; an empty page is not called clean."""
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty", "licence"])
    asked = ("query", USCC, "--purpose", "loan_approval", "--dataset")
    result = run(*asked, "penalty", "--dataset", "honour")
    assert result.exit_code == 0, result.output
    assert "fine" in result.stdout
    assert "罚款" in result.stdout
    assert "objects to this record" in result.stdout
    assert "withheld: Honour (honour): not in the consent (not_in_consent)" in result.stderr
    assert "no valid record was found" in run(*asked, "licence").stdout


def test_query_has_a_line_for_each_empty_dataset_in_the_readers_language(
    run: Callable[..., Result], fake_gateway: FakeGateway
) -> None:
    """Of all pages; not for what is withheld, nor in JSON. `--lang`, or else the locale."""
    datasets = ["penalty", "licence", "serious_violation"]
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=datasets)
    named = [part for each in (*datasets, "honour") for part in ("--dataset", each)]
    asked = ("query", USCC, "--purpose", "loan_approval", *named)
    chinese = run(*asked, env={"LANG": "zh_CN.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""})
    empty = [line for line in chinese.stdout.splitlines() if "未查询到" in line]
    assert [line.partition(": ")[0] for line in empty] == [
        "行政许可 (licence)",
        "严重违法失信名单 (serious_violation)",
    ]
    assert all(": 截至 20" in line for line in empty)
    assert "罚款" in chinese.stdout
    assert "未提供: 表彰和守信激励 (honour): 不在授权内" in chinese.stderr
    english = run(*asked, "--lang", "en", env={"LC_ALL": "zh_CN.UTF-8"}).stdout
    assert english.count(": As of 20") == 2
    assert "未查询到" not in english
    assert "As of" not in run(*asked, "--json").stdout


def test_no_number_is_cut(run: Callable[..., Result], fake_gateway: FakeGateway) -> None:
    """On a narrow terminal it wraps, and is copied whole."""
    number = "91330106MA2XXXXXXX" * 3
    record = {"dataset": "licence", "fields": {"number": number}}
    fake_gateway.add_enterprise(USCC, answers={"is_active.v1": "yes"}, records=[record])
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["licence"])
    narrow = {"COLUMNS": "20"}
    shown = run(
        "query", USCC, "--purpose", "loan_approval", "--dataset", "licence", env=narrow
    )  # fmt: skip
    assert number in shown.stdout
    assert "rec_" in shown.stdout.splitlines()[0]
    answered = run("ask", USCC, "--purpose", "tender", "-q", "is_active.v1", env=narrow)
    assert "is_active.v1" in answered.stdout
    assert re.search(r"disclosure dsc_[a-z2-7]{26}$", answered.stderr, re.MULTILINE)


def test_a_body_is_written_byte_by_byte(
    run: Callable[..., Result], fake_gateway: FakeGateway
) -> None:
    """Without markup interpretation, so that the saved copy verifies."""
    facts = "xq:question:is_active.v1 [bold]:ok:[/] \u2028\t" + "长" * 300
    fake_gateway.add_enterprise(USCC, records=[{"dataset": "penalty", "fields": {"facts": facts}}])
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    asked = ("query", USCC, "--purpose", "loan_approval", "--dataset", "penalty")
    written = run(*asked, "--json", env={"COLUMNS": "80"}).stdout
    assert json.loads(written)["records"][0]["fields"]["facts"] == facts
    assert ":ok:" in run(*asked).stdout


def test_curl_waits_longer_than_an_address_holds_a_call(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway holds long polls for at most 30 seconds."""
    given: dict[str, Any] = {}
    opened = xinqiao.Client.from_kit

    def noted(*arguments: Any, **options: Any) -> xinqiao.Client:
        given.update(options)
        return opened(*arguments, **options)

    monkeypatch.setattr(xinqiao.Client, "from_kit", noted)
    assert run("curl", "/v1/questions").exit_code == 0
    assert given["timeout"] > 30


def test_questions_lists_the_catalogue(run: Callable[..., Result]) -> None:
    """By tag."""
    assert "is_active.v1" in run("questions").stdout
    assert json.loads(run("questions", "--json").stdout)["catalogue_version"] == CATALOGUE_VERSION


def test_limits_shows_what_is_left_and_who_refused(run: Callable[..., Result]) -> None:
    """The fake gateway has none by default."""
    shown = run("limits")
    assert shown.exit_code == 0, shown.output
    assert json.loads(run("limits", "--json").stdout)["limits"] == []


def test_a_limit_is_a_line_and_the_last_refusal_a_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In both languages."""
    fake = FakeGateway(agreement=FakeAgreement(per_minute=1))
    with fake.client(retry=RetryPolicy(retries=0)) as client:
        client.consents()
        with pytest.raises(errors.RateLimited):
            client.consents()
        found = client.limits()
    _show.limits(found, Language.EN)
    out, notes = capsys.readouterr()
    assert "client  0 left of 1 in 60 s; one more in" in out
    assert "last refused by client at " in notes
    assert duration_text(83_441, Language.EN) == "24 h"
    assert duration_text(301, Language.ZH) == "6 分钟"
    _show.limits(found, Language.ZH)
    out, notes = capsys.readouterr()
    assert "剩余 0，共 1（60 秒）" in out
    assert "最近一次拒绝：client" in notes


def test_a_question_is_shown_as_it_is_asked(
    fake_gateway: FakeGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its value's format, ready to copy into `ask`."""
    with fake_gateway.client() as client:
        evidence = client.questions().evidence
    value = {"type": "one_of", "one_of": ["3", "12"]}
    told: dict[QuestionTag, dict[str, Any]] = {
        "paid_social_insurance_on_time.v1": {
            "title": {
                "zh": "最近若干个月内按时缴纳社会保险",
                "en": "Was social insurance paid on time?",
            },
            "value": {**value, "required": True},
            "needs_consent": True,
        },
        "no_live_penalty.v1": {"value": {**value, "required": False, "needs_consent": True}},
        "is_active.v1": {"value": {"type": "none"}, "needs_consent": False},
        "three_elements.v1": {
            "value": {
                "type": "elements",
                "required": True,
                "members": ["name", "legal_representative"],
            }
        },
    }
    questions = tuple(Question(question=tag, details=each) for tag, each in told.items())
    _show.questions(
        Questions(catalogue_version="1", questions=questions, evidence=evidence), Language.ZH
    )
    assert capsys.readouterr().out.splitlines() == [
        "核验项目录 1",
        "paid_social_insurance_on_time.v1=3 | 12  (须经企业授权)",
        "  最近若干个月内按时缴纳社会保险",
        "no_live_penalty.v1[=3 | 12, 填写时须经企业授权]",
        "is_active.v1",
        """three_elements.v1='{"name": "…", "legal_representative": "…"}'""",
    ]


def test_curl_prints_the_answer_and_ends_with_22_for_a_refusal(run: Callable[..., Result]) -> None:
    """As `curl --fail`."""
    good = run("curl", "/v1/questions")
    assert (good.exit_code, json.loads(good.stdout)["catalogue_version"]) == (0, CATALOGUE_VERSION)
    bad = run("curl", "/v1/nothing", "-X", "DELETE", "-H", "X-Mine: 1")
    assert (bad.exit_code, json.loads(bad.stdout)["code"]) == (22, "not_found")
    assert run("curl", "/v1/questions", "-H", "nonsense").exit_code == 1


def test_curl_sends_a_body_and_can_print_headers_for_another_program(
    run: Callable[..., Result], fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """The headers are valid once, for any HTTP client."""
    asked = {
        "enterprise": {"uscc": USCC},
        "purpose": "tender",
        "questions": [{"question": "is_active.v1"}],
    }
    body = tmp_path / "body.json"
    body.write_text(json.dumps(asked))
    assert run("curl", "/v1/verifications", "-d", f"@{body}").exit_code == 0
    printed = run("curl", "/v1/verifications", "-d", f"@{body}", "--print-headers").stdout
    headers = dict(line.split(": ", 1) for line in printed.splitlines())
    url = f"{fake_gateway.issuer}/v1/verifications"
    with httpx2.Client(trust_env=False) as other:
        assert other.post(url, content=body.read_bytes(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/v1/verifications/batch",
        "/v1/verifications/jobs/vjb_x/result",
        "/v1/verifications/jobs/vjb_x/result?from_line=2",
    ],
)
def test_curl_leaves_alone_what_is_signed_by_its_last_line(
    run: Callable[..., Result], fake_gateway: FakeGateway, address: str
) -> None:
    """It says so, sends nothing and raises no alarm; headers for another program it prints all the same."""
    sent = len(fake_gateway.oauth.proofs.seen)
    refused = run("curl", address)
    assert refused.exit_code == 1
    assert "NOT AUTHENTIC" not in refused.output
    assert "Nothing was sent" in refused.output
    assert len(fake_gateway.oauth.proofs.seen) == sent
    assert "dpop: " in run("curl", address, "--print-headers").stdout


def test_a_lost_answer_is_asked_for_again_by_its_key(
    run: Callable[..., Result], fake_gateway: FakeGateway
) -> None:
    """The error prints it; the repeated query spends no second use."""
    held = fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=2)
    asked = ("query", USCC, "--purpose", "tender", "--dataset", "penalty", "--json")
    fake_gateway.break_down(times=4)
    lost = run(*asked)
    assert lost.exit_code == 1
    key = lost.stderr.rpartition("--idempotency-key ")[2].strip()
    assert run(*asked, "--idempotency-key", key).exit_code == 0
    assert held.uses_left == 1


def test_credentials_may_come_from_the_environment(
    run: Callable[..., Result], fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """Missing variables are named."""
    key = tmp_path / "private.json"
    key.write_text(json.dumps(fake_gateway.private_jwk))
    env = {
        "XINQIAO_ISSUER": fake_gateway.issuer,
        "XINQIAO_CLIENT_ID": "bank",
        "XINQIAO_PRIVATE_JWKS": str(key),
    }
    assert run("questions", env=env, with_kit=False).exit_code == 0
    missing = run("questions", env={**env, "XINQIAO_CLIENT_ID": ""}, with_kit=False)
    assert missing.exit_code == 1
    assert missing.stderr.strip().endswith("or set XINQIAO_CLIENT_ID.")


def test_errors_are_one_sentence_and_no_traceback(
    run: Callable[..., Result], fake_gateway: FakeGateway
) -> None:
    """Refusals, forgeries, wrong names."""
    fake_gateway.refuse(429, "quota_exhausted", retry_after=86400)
    limited = run("questions")
    assert (limited.exit_code, "try again in 86400 s" in limited.stderr) == (1, True)
    fake_gateway.tamper("unsigned")
    assert "NOT AUTHENTIC" in run("questions").stderr
    assert "--as takes one of: bank." in run("questions", "--as", "agency").stderr


def test_verify_report_says_what_a_report_is_and_whether_it_holds(
    run: Callable[..., Result], fake_gateway: FakeGateway, kit: Path
) -> None:
    """Offline with pinned keys; online by the gateway, and 1 once it was taken back."""
    file, keys = kit.with_name("report.json"), str(kit.with_name("keys.json"))
    made = fake_gateway.make_report(USCC, datasets=["penalty", "licence"], recipient="某银行")
    file.write_bytes(made)

    def verify(*options: str, **env: str) -> Result:
        return run("verify-report", str(file), *options, env=env, with_kit=False)

    offline = verify("--keys", keys)
    assert offline.exit_code == 0
    for expected in (
        "report authentic",
        USCC,
        "某银行",
        "1 record(s)",
        "no valid record was found",
        "--online",
    ):
        assert expected in offline.stdout
    online = ("--issuer", fake_gateway.issuer, "--online")
    assert "✔ 仍然有效" in verify(*online, LC_ALL="zh_CN.UTF-8").stdout
    told = json.loads(verify(*online, "--json").stdout)
    assert (told["report"], told["status"]["state"]) == (json.loads(made), "valid")
    fake_gateway.take_back_report(told["status"]["report_id"])
    ended = verify(*online)
    assert (ended.exit_code, "took it back" in ended.stdout) == (1, True)
    assert "No keys are trusted" in verify().stderr
    file.write_bytes(made.replace("某银行".encode(), "甲银行".encode()))
    forged = verify("--keys", keys)
    assert (forged.exit_code, forged.stdout) == (1, "")
    assert "NOT AUTHENTIC: The report is not what the gateway signed." in forged.stderr


def test_watch_puts_a_file_of_codes_and_shows_lists_and_drops_it(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    """Each code once; `show` prints codes alone, which can be put again."""
    file = tmp_path / "merchants.csv"
    file.write_text(f"商户号,统一社会信用代码\n1,{USCC}\n2,{OF_THE_DEMO}\n3,{USCC}\n4,\n")
    asked = ("--as", "bank", "--purpose", "merchant_review", "-q", "is_active.v1")
    put = run("watch", "put", "nightly", str(file), *asked)
    assert put.exit_code == 0, put.output
    assert "nightly: 2 enterprises, Merchant review (merchant_review), put " in put.stdout
    assert " (is_active.v1)\n" in put.stdout
    codes = run("watch", "show", "nightly", "--as", "bank").stdout
    assert codes.split() == sorted([USCC, OF_THE_DEMO])
    again = tmp_path / "codes.csv"
    again.write_text(f"uscc\n{codes}")
    by_bundle = ("--as", "bank", "--purpose", "merchant_review", "--bundle", "review.v1", "--json")
    put = run("watch", "put", "nightly", str(again), *by_bundle)
    assert json.loads(put.stdout)["count"] == 2
    assert "nightly：2 家" in run("--lang", "zh", "watch", "list", "--as", "bank").stdout
    assert "nightly" in run("watch", "drop", "nightly", "--as", "bank").stderr
    assert run("watch", "list", "--as", "bank").stdout == ""
    gone = run("watch", "show", "nightly", "--as", "bank")
    assert gone.exit_code == 1
    assert "Traceback" not in gone.output


@pytest.mark.parametrize(
    ("contents", "said"),
    [("name\n甲\n", "whose header names"), ("uscc\n\n", "names no enterprise")],
)
def test_watch_says_what_is_wrong_with_a_file(
    run: Callable[..., Result], tmp_path: Path, contents: str, said: str
) -> None:
    """Before anything is sent."""
    file = tmp_path / "codes.csv"
    file.write_text(contents)
    asked = ("--as", "bank", "--purpose", "merchant_review", "-q", "is_active.v1")
    put = run("watch", "put", "nightly", str(file), *asked)
    assert put.exit_code == 1
    assert said in put.stderr


def test_without_its_extra_the_command_says_how_to_install_it() -> None:
    """Without a traceback."""
    program = "import sys; sys.modules['typer'] = None; from xinqiao.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: PLW1510
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("pip install typer rich")
