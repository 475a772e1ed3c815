"""Language of `xinqiao`: errors say what happened and what to do, codes have names, in both."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner, Result

from tests.unit.test_sdk_cli import fake_gateway, kit  # noqa: F401 - fixtures
from xinqiao import Evidence, XinqiaoError, errors
from xinqiao.cli import _errors
from xinqiao.cli._app import app
from xinqiao.cli._language import TEXTS, Language
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXXX"
CHINESE = re.compile("[\u4e00-\u9fff]")
TWO_LANGUAGES = pytest.mark.parametrize("language", Language)


def run(*arguments: str, language: Language, **env: str) -> Result:
    """Run a command at 80 columns."""
    locale = {"LC_ALL": {"zh": "zh_CN.UTF-8", "en": "en_GB.UTF-8"}[language], "COLUMNS": "80"}
    return CliRunner().invoke(app, list(arguments), env=locale | env)


def every_error(root: type[XinqiaoError]) -> Iterator[type[XinqiaoError]]:
    """The class and all below it."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from every_error(child)


def written(folder: Path, name: str, text: str) -> str:
    """A file with this text; its path."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize("kind", list(every_error(XinqiaoError)))
def test_every_error_has_a_chinese_sentence_and_says_what_to_do(kind: type[XinqiaoError]) -> None:
    """By its class; the particulars follow as the gateway or the SDK wrote them."""
    error = kind("Particulars.")
    assert CHINESE.search(_errors.what_happened(error, Language.ZH))
    told = list(_errors.what_to_do(error, Language.ZH))
    assert CHINESE.search(told[0])
    assert told[-1] == "原文：Particulars."
    assert not any(map(CHINESE.search, _errors.what_happened(error, Language.EN)))


def test_every_text_is_there_in_both_languages() -> None:
    """Acts on a consent are English codes already."""
    alone = {name for name, texts in TEXTS.items() if texts.keys() != set(Language)}
    assert alone == {
        "requested", "granted", "refused", "paused", "resumed", "withdrawn", "given_up",
        "superseded", "amended", "cool_down_ended",
    }  # fmt: skip


@TWO_LANGUAGES
@pytest.mark.parametrize(
    ("content", "zh", "en"),
    [
        (None, "不存在", "there is no such file"),
        ("{", "不是 JSON（第 1 行第 2 列）", "is not JSON"),
        ("[]", "不是 JSON 对象", "is not a JSON object"),
        ('{"issuer": 1}', "缺少 issuer 或 clients", "lacks `issuer` or `clients`"),
        ('{"issuer": "x", "clients": {"bank": []}}', "缺少 client_id", "lacks client_id"),
        ('{"issuer": "x", "clients": {"a": {}}}', "--as 可用：a", "--as takes one of: a"),
    ],
)
def test_a_wrong_kit_is_one_sentence_that_says_what_to_do(
    content: str | None, zh: str, en: str, language: Language, tmp_path: Path
) -> None:
    """Whatever is wrong with it."""
    if content is not None:
        written(tmp_path, "kit.json", content)
    ended = run("questions", "--kit", str(tmp_path / "kit.json"), language=language)
    assert (ended.exit_code, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("✘ ")
    assert (zh if language is Language.ZH else en) in ended.stderr
    assert "make demo" in ended.stderr or "--as" in ended.stderr
    assert "Errno" not in ended.stderr


@TWO_LANGUAGES
def test_wrong_files_and_values_are_refused_before_anything_is_sent(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
    language: Language,
    tmp_path: Path,
) -> None:
    """Keys, evidence, a body, a header, a question, a folder."""
    empty, taken = written(tmp_path, "empty.json", "{}"), written(tmp_path, "taken", "")
    ask = ("ask", USCC, "--purpose", "tender", "--kit", str(kit), "-q")
    call = ("curl", "/v1/questions", "--kit", str(kit))
    for arguments in (
        (*ask, "is_active.v1", "--keys", empty),
        (*ask, "is_active.v1", "--keys", str(tmp_path)),
        (*ask, "=1"),
        (*ask, 'three_elements.v1={"name'),
        (*call, "-d", "@nothing"),
        (*call, "-H", "nonsense"),
        ("verify-evidence", "nothing.json", "--keys", str(tmp_path / "keys.json")),
        ("verify-evidence", empty, "--keys", empty),
        ("keygen", "--out", taken),
    ):
        ended = run(*arguments, language=language)
        assert (ended.exit_code, ended.stderr.count("\n")) == (1, 1), ended.output
        assert bool(CHINESE.search(ended.stderr)) == (language is Language.ZH)
        assert "Errno" not in ended.stderr
    assert not fake_gateway.requests


@pytest.mark.parametrize(
    "wrong",
    [
        {"XINQIAO_PRIVATE_JWKS": "nothing.pem"},
        {"XINQIAO_PRIVATE_JWKS": "{}"},
        {"XINQIAO_PRIVATE_JWKS": '{"kty": "oct", "d": "x"}'},
        {"XINQIAO_ISSUER": "nonsense"},
        {"XINQIAO_ISSUER": "http://bank.example"},
        {"XINQIAO_TIMEOUT": "soon"},
        {"XINQIAO_CA": "nothing.pem"},
        {"XINQIAO_PROXY": "nonsense"},
    ],
)
def test_a_wrong_setting_is_named_in_chinese(
    wrong: dict[str, str],
    kit: Path,  # noqa: F811
) -> None:
    """Each sentence of the SDK on a setting has its own, not only its class's."""
    told = json.loads(kit.read_text())
    right = {
        "XINQIAO_ISSUER": told["issuer"],
        "XINQIAO_CLIENT_ID": "bank",
        "XINQIAO_PRIVATE_JWKS": json.dumps(told["clients"]["bank"]["private_jwks"]),
    }
    ended = run("questions", language=Language.ZH, **(right | wrong))
    assert ended.exit_code == 1
    assert any(ended.stderr.startswith(f"✘ {each}") for each in _errors.SETTINGS.values())


@pytest.mark.parametrize(
    "arguments",
    [
        ("curl", "/v1/questions", "-H", "X: 中"),
        ("curl", "https://bank.example/v1/questions"),
        ("ask", "\udcff", "--purpose", "tender", "-q", "is_active.v1"),
        ("ask", USCC, "--purpose", "tender", "-q", "is_active.v1", "--idempotency-key", "密"),
    ],
)
def test_an_argument_that_cannot_be_sent_is_named_in_chinese(
    arguments: tuple[str, ...],
    kit: Path,  # noqa: F811
) -> None:
    """The SDK refuses it; its sentence follows."""
    ended = run(*arguments, "--kit", str(kit), language=Language.ZH)
    assert ended.exit_code == 1
    assert any(f"✘ {each}\n" in ended.stderr for each in _errors.SETTINGS.values())
    assert isinstance(ended.exception, SystemExit)


@TWO_LANGUAGES
def test_an_address_that_is_none_is_one_sentence(
    language: Language,
    kit: Path,  # noqa: F811
) -> None:
    """No traceback of a parser."""
    for address in ("http://[", "/v1/li\nmits"):
        ended = run("curl", address, "--kit", str(kit), language=language)
        assert (ended.exit_code, ended.stderr.count("\n")) == (1, 1)
        assert isinstance(ended.exception, SystemExit)


def test_an_unknown_code_is_answered_with_the_known_ones(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
) -> None:
    """Purposes and datasets with their names; of questions the command that lists them."""
    given = ("--kit", str(kit))
    purpose = run(
        "ask", USCC, "--purpose", "ads", "-q", "is_active.v1", *given, language=Language.ZH
    )
    assert "✘ 用途不在清单内 (unknown_purpose)\n" in purpose.stderr
    assert "loan_approval 贷款审批；" in purpose.stderr
    question = run("ask", USCC, "--purpose", "tender", "-q", "x.v1", *given, language=Language.EN)
    assert "xinqiao questions" in question.stderr
    fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    dataset = run(
        "query", USCC, "--purpose", "tender", "--dataset", "x", *given, language=Language.ZH
    )
    assert "penalty 行政处罚；" in dataset.stderr


@TWO_LANGUAGES
def test_coded_values_have_names_beside_their_codes(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
    language: Language,
    tmp_path: Path,
) -> None:
    """Of fields, answers, purposes and questions; verified evidence shows them again."""
    fields: dict[str, Any] = {"kind": "firm", "small_or_micro": False, "former_names": []}
    fake_gateway.add_enterprise(
        USCC,
        answers={("enterprise_name.v1", "甲"): "yes"},
        records=[{"dataset": "registration", "fields": fields}],
    )
    fake_gateway.grant_consent(USCC, purpose="tender", datasets=["registration"])
    given, kept = ("--purpose", "tender", "--kit", str(kit)), str(tmp_path / "e.json")
    shown = run("query", USCC, "--dataset", "registration", *given, language=language)
    names = {"zh": ("企业 (firm)", "否"), "en": ("Firm (firm)", "no")}[language]
    assert all(f"  {each}\n" in shown.stdout for each in names)
    assert "former_names" not in shown.stdout
    run("ask", USCC, "-q", "enterprise_name.v1=甲", *given, "--save", kept, language=language)
    keys = str(tmp_path / "keys.json")
    verified = run("verify-evidence", kept, "--keys", keys, language=language)
    assert verified.exit_code == 0, verified.output
    said = {
        "zh": ("✔ 真实：", "招标投标 (tender)", "企业名称是否一致 (enterprise_name.v1)  ✔ 是"),
        "en": ("✔ authentic as of", "Tender (tender)", "name? (enterprise_name.v1)  ✔ yes"),
    }[language]
    assert all(each in verified.stdout for each in said)


def test_a_mistyped_code_is_a_warning_in_the_readers_language(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
) -> None:
    """The SDK's own warning, for programs, is not printed beside it."""
    asked = ("ask", USCC, "--purpose", "tender", "-q", "is_active.v1", "--kit", str(kit))
    ended = run(*asked, language=Language.ZH)
    assert ended.exit_code == 0
    assert ended.stderr.startswith("! 统一社会信用代码的校验码不符")
    assert "check character" not in ended.stderr.lower()
    assert fake_gateway.requests


@TWO_LANGUAGES
def test_a_file_that_cannot_hold_evidence_is_refused_before_anything_is_asked(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
    tmp_path: Path,
    language: Language,
) -> None:
    """No folder, a folder itself, a file that exists: no use is spent, and the file stays."""
    kept = tmp_path / "kept.json"
    kept.write_text("older evidence")
    commands = (
        ("query", USCC, "--purpose", "tender", "--dataset", "penalty"),
        ("ask", USCC, "--purpose", "tender", "-q", "is_active.v1"),
        ("curl", "/v1/questions"),
    )
    for command in commands:
        for path in (f"nowhere{os.sep}e.json", str(tmp_path), str(kept)):
            ended = run(*command, "--kit", str(kit), "--save", path, language=language)
            assert ended.exit_code == 1
            assert ended.stderr.startswith(f"✘ {path} ")
            assert ("--force" in ended.stderr) == (path == str(kept))
    assert fake_gateway.requests == []
    assert kept.read_text() == "older evidence"
    forced = run(*commands[1], "--kit", str(kit), "--save", str(kept), "--force", language=language)
    assert forced.exit_code == 0, forced.output
    assert "xinqiao-evidence/1" in kept.read_text()


def test_an_answer_that_could_not_be_kept_is_asked_for_again_by_its_key(
    kit: Path,  # noqa: F811
    fake_gateway: FakeGateway,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk became full meanwhile: the key is printed, and the query spends no second use."""
    held = fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=2)
    asked = ("query", USCC, "--purpose", "tender", "--dataset", "penalty", "--kit", str(kit))
    saved = ("--save", str(tmp_path / "kept.json"))
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patched:
        patched.setattr(Evidence, "save", Mock(side_effect=full))
        lost = run(*asked, *saved, language=Language.EN)
    assert lost.exit_code == 1
    assert "No space left on device" in lost.stderr
    key = lost.stderr.partition("--idempotency-key ")[2].split()[0]
    assert run(*asked, *saved, "--idempotency-key", key, language=Language.EN).exit_code == 0
    assert held.uses_left == 1
