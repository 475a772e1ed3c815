"""`xinqiao-gateway demo`: first run, second run, refused starts."""

import csv
import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.settings import Settings, SettingsError
from gateway.synthetic.generator.scenarios import TRAITS
from tests.servers.gateway_process import COMMAND, run
from tests.waiting import PATIENCE

REQUIRED = (
    "database_url",
    "issuer",
    "secret",
    "signing_keys",
    "vault_keys",
    "log_checkpoints",
)
NOTHING_SET = {name: value for name, value in os.environ.items() if "XINQIAO" not in name}


def demo(folder: Path, *more: str) -> tuple[int, str]:
    """Run the demo once; exit status and output."""
    arguments = ("demo", "--state", str(folder), "--entities", "300", "--once", *more)
    done = run(*arguments, environ=NOTHING_SET | {"COLUMNS": "200"})
    return done.returncode, done.stdout + done.stderr


def mode(path: Path) -> int:
    """File mode."""
    return stat.S_IMODE(path.stat().st_mode)


def assert_operates_from_any_shell(file: Path) -> None:
    """Assert that the file alone gives the commands and an operator; a name that is set stays."""
    program = f". {shlex.quote(str(file))}; command -v xinqiao-gateway; echo $XINQIAO_OPERATOR"
    for own, name in (({}, "fang"), ({"XINQIAO_OPERATOR": "qiang"}, "qiang")):
        ended = subprocess.run(
            ["/bin/sh", "-c", program],
            env=own | {"PATH": "/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        command, operator = ended.stdout.split()
        assert (Path(command).name, operator) == ("xinqiao-gateway", name)


def assert_is_a_kit(kit: dict[str, Any]) -> None:
    """Assert a kit with credentials of every client."""
    address = urlsplit(kit["issuer"])
    assert (address.scheme, address.hostname) == ("http", "127.0.0.1")
    assert kit["clients"].keys() == {"bank", "platform", "agency", "source", "registrar"}
    for client in kit["clients"].values():
        assert {"client_id", "private_jwks", "redirect_uris", "scope"} <= client.keys()
        assert client["private_jwks"]["keys"][0]["d"]
    for subject in kit["subjects"]:
        assert subject.keys() == {
            "uscc", "name", "legal_representative", "login", "code_url", "traits",
        }  # fmt: skip
        assert subject["login"].keys() == {"username", "password"}
        assert subject["code_url"].startswith(f"{kit['issuer']}/E/")
    found = [trait for subject in kit["subjects"] for trait in subject["traits"]]
    assert all(found.count(trait) >= 2 for trait in TRAITS)
    active = kit["consents"]["active"]
    assert {"consent_id", "client", "uscc", "purpose", "datasets"} <= active.keys()
    assert active["client"] in kit["clients"]
    assert active["uscc"] in {subject["uscc"] for subject in kit["subjects"]}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A demo folder, removed with its external state."""
    chosen = tmp_path / "demo"
    yield chosen
    database = Path(json.loads((chosen / "state.json").read_text())["database_folder"])
    shutil.rmtree(database.parent, ignore_errors=True)


def test_a_demo_is_built_once_and_kept(folder: Path) -> None:
    """The second run reuses everything, without the tour, and stops PostgreSQL after a killed run."""
    status, printed = demo(folder)
    assert status == 0, printed
    assert "Tour complete" in printed
    assert "罚金, 不是目录规定的取值" in printed
    assert mode(folder / "penalties.csv") == 0o600
    kit = folder / "kit.json"
    assert (mode(folder), mode(kit)) == (0o700, 0o600)
    assert {mode(each) for each in [*folder.glob("*.json"), folder / "operator.env"]} == {0o600}
    shell = (folder / "operator.env").read_text()
    assert "export XINQIAO_DATABASE_URL='postgresql://" in shell
    told = (each.split("=", 1) for each in shlex.split(shell) if "=" in each)
    given = {name.removeprefix("XINQIAO_").lower(): value for name, value in told}
    written = kit.read_bytes()
    assert_is_a_kit(json.loads(written))
    assert Settings.from_env(**given).issuer == json.loads(written)["issuer"]
    assert_operates_from_any_shell(folder / "operator.env")

    with (folder / "enterprises.csv").open(newline="", encoding="utf-8") as file:
        listed = {each["uscc"]: each for each in csv.DictReader(file)}
    assert len(listed) == 300
    for subject in json.loads(written)["subjects"]:
        line = listed[subject["uscc"]]
        assert line["name"] == subject["name"]
        assert line["legal_representative"] == subject["legal_representative"]
        assert line["kind"] in {"firm", "individual_business", "farmers_cooperative"}

    port = urlsplit(json.loads(written)["issuer"]).port
    assert port is not None
    status, printed = demo(folder, "--port", str(port + 1))
    assert status == 2
    assert f"was made for port {port}" in printed
    assert "Traceback" not in printed

    database = Path(json.loads((folder / "state.json").read_text())["database_folder"])
    killed = subprocess.Popen(["sleep", "0"])  # an earlier demo that did not end by itself
    killed.wait()
    (database / ".handle_pids.json").write_text(json.dumps([killed.pid]))
    printed = _serve_and_interrupt(folder, "--port", str(port))
    assert "TOUR=1" in printed
    assert "Tour complete" not in printed
    assert str(folder / "enterprises.csv") in printed.replace("\n", "")
    assert printed.rstrip().endswith("Stopped. 已停止。")
    assert not (database / "postmaster.pid").exists()
    assert kit.read_bytes() == written


def _serve_and_interrupt(folder: Path, *more: str) -> str:
    """What the demo prints from its start to its end by Ctrl-C."""
    with subprocess.Popen(
        [*COMMAND, "demo", "--state", str(folder), *more],
        env=NOTHING_SET | {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = ""
        while "Ctrl-C stops" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        process.send_signal(signal.SIGINT)
        printed += process.stdout.read()
        assert process.wait(PATIENCE) == 0, printed
    return printed


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    """One sentence, and nothing is written."""
    (tmp_path / "thesis.txt").write_text("mine")
    status, printed = demo(tmp_path)
    assert status == 2
    assert "is not empty" in printed
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_start_without_settings_names_each_that_is_missing() -> None:
    """One sentence each, with the variable's name and how to set it."""
    done = run("serve", environ=NOTHING_SET)
    assert done.returncode == 2
    sentences = done.stderr.strip().splitlines()
    named = [sentence.partition(" is not set. Set it to: ")[0] for sentence in sentences]
    assert named == [f"XINQIAO_{name.upper()}" for name in REQUIRED]


@pytest.mark.parametrize("missing", REQUIRED)
def test_one_missing_setting_is_one_sentence(tmp_path: Path, missing: str) -> None:
    """With all others set."""
    given = {name: value for name, value in settings(tmp_path).items() if name != missing}
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(**given)
    assert str(refused.value).startswith(f"XINQIAO_{missing.upper()} is not set. Set it to: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("named", "changed"),
    [
        ("ISSUER", {"issuer": "http://credit.test"}),
        ("ISSUER", {"issuer": "https://credit.test/path"}),
        ("ISSUER", {"issuer": "https://hunter2@credit.test"}),
        ("SECRET", {"secret": "hunter2"}),
        ("DATABASE_URL", {"database_url": "sqlite:///hunter2"}),
        ("REDIS_URL", {"workers": 4}),
        ("LOG_CHECKPOINTS", {"log_checkpoints": ""}),
        ("LOG_CHECKPOINTS", {"log_checkpoints": "/a,,/b"}),
        ("LOG_CHECKPOINTS", {"log_checkpoints": "/a, /b, /a"}),
        ("LOG_CHECKPOINTS", {"log_checkpoints": "hunter2/checkpoints"}),
        ("LOG_CHECKPOINTS", {"log_checkpoints": "/a,http://hunter2:x@127.0.0.1/"}),
        ("LOG_CHECKPOINTS", {"log_checkpoints": "https://hunter2:99999/"}),
        ("LOG_CHECKPOINTS", {"log_checkpoints": "https:///hunter2"}),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_not_repeated(
    tmp_path: Path, named: str, changed: dict[str, Any]
) -> None:
    """The value may be a secret."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(**settings(tmp_path) | changed)
    assert f"XINQIAO_{named}" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def settings(folder: Path) -> dict[str, Any]:
    """All required settings, by name."""
    return {
        "database_url": "postgresql://localhost/x",
        "issuer": "https://credit.test",
        "secret": "s" * 32,
        "signing_keys": folder / "keys.json",
        "vault_keys": folder / "vault.json",
        "log_checkpoints": str(folder),
    }
