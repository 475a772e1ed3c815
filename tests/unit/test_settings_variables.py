"""Environment variables: unknown names and empty values are refused with a sentence."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gateway.cli.serve import check_paths
from gateway.environment import READ_ELSEWHERE, edit_distance
from gateway.settings import DatabaseSettings, Settings, SettingsError, unknown_variables
from tests.servers.gateway_process import run

ROOT: Final = Path(__file__).parents[2]
GOOD: Final = {
    "XINQIAO_DATABASE_URL": "postgresql://nobody@db.test/xinqiao",
    "XINQIAO_ISSUER": "https://credit.test",
    "XINQIAO_SECRET": "not a secret, but long enough for one",
    "XINQIAO_SIGNING_KEYS": "/nonexistent/signing-keys.json",
    "XINQIAO_VAULT_KEYS": "/nonexistent/vault-keys.json",
    "XINQIAO_LOG_CHECKPOINTS": "/nonexistent/checkpoints",
    "XINQIAO_REDIS_URL": "redis://:hunter2@redis.test:6379/0",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A valid environment for the test."""
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def sentences() -> str:
    """Sentences about the settings."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_env()
    assert "hunter2" not in str(raised.value)
    return str(raised.value)


def test_valid_settings_are_parsed() -> None:
    """Control."""
    assert Settings.from_env().issuer == GOOD["XINQIAO_ISSUER"]


@pytest.mark.parametrize("value", ["", " ", "\t"])
@pytest.mark.parametrize("name", ["REDIS_URL", "SPOOL", "WORKERS", "TRUSTED_PROXIES", "FONT"])
def test_an_empty_setting_is_a_sentence(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Neither a default nor an empty path."""
    environment.setenv(f"XINQIAO_{name}", value)
    assert f"XINQIAO_{name} is set and empty" in sentences()
    assert "leave it out" in sentences()


def test_limits_of_operations_are_read_by_name(environment: pytest.MonkeyPatch) -> None:
    """By spaces."""
    environment.setenv("XINQIAO_ENDPOINT_LIMITS", "query=60 verify_batch=6")
    assert Settings.from_env().endpoint_limits == {"query": 60, "verify_batch": 6}


@pytest.mark.parametrize(
    "value",
    ["query", "query=", "query=0", "query=x", "query=1 query=2", "Query=1", "=5", "query=-1"],
)
def test_limits_of_operations_that_cannot_be_read_are_a_sentence(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    """Rather than no limit."""
    environment.setenv("XINQIAO_ENDPOINT_LIMITS", value)
    assert "XINQIAO_ENDPOINT_LIMITS" in sentences()


@pytest.mark.parametrize(
    "address",
    [
        "mysql://u:hunter2@db.test/x",
        "postgresql://u:hunter2@db.test:abc/x",
        "postgresql://u:hunter2@db.test:99999/x",
        "postgresql://u:hunter2@db.test:0/x",
        "postgresql://u:hunter2@[::1/x",
        "postgresql://u:hunter2@db.test/x?sslmode=require",
        "postgresql://u:hunter2@db.test/x?hst=/run/postgresql",
        "postgresql://u:hunter2@db.test/x?connect_timeout=5",
    ],
)
def test_a_database_address_that_the_driver_cannot_take_is_a_sentence(
    environment: pytest.MonkeyPatch, address: str
) -> None:
    """The same for commands, which read the database alone."""
    environment.setenv("XINQIAO_DATABASE_URL", address)
    said = sentences()
    assert said.startswith("XINQIAO_DATABASE_URL cannot be used: ")
    assert "\n" not in said
    with pytest.raises(SettingsError):
        DatabaseSettings.from_env()


@pytest.mark.parametrize(
    "rest",
    [
        "u:p@db.test:6432/x",
        "u:p%40ss@[::1]:5432/x?ssl=require",
        "u@/x?host=/run/postgresql&port=5433",
        "u@/x?host=a.test:5432,b.test:5432&target_session_attrs=read-write",
        "/x",
    ],
)
def test_a_database_address_is_taken_as_it_is(environment: pytest.MonkeyPatch, rest: str) -> None:
    """Sockets, several hosts and TLS by the driver's names."""
    environment.setenv("XINQIAO_DATABASE_URL", f"postgresql://{rest}")
    assert Settings.from_env().database_url == f"postgresql+asyncpg://{rest}"


@pytest.mark.parametrize(
    "issuer",
    [
        "credit.test",
        "ftp://credit.test",
        "http://credit.test",
        "https://",
        "https://credit.test/",
        "https://credit.test?x",
        "https://me@credit.test",
        "https://Credit.test",
        "https://credit test",
        "https://信用.test",
        "https://[::1",
        "https://credit.test:443",
        "https://credit.test:abc",
        "https://credit.test:99999",
    ],
)
def test_an_issuer_that_is_no_plain_origin_is_a_sentence(
    environment: pytest.MonkeyPatch, issuer: str
) -> None:
    """Clients compare it letter by letter, and browsers leave its port out."""
    environment.setenv("XINQIAO_ISSUER", issuer)
    assert sentences().startswith("XINQIAO_ISSUER must be an ")


@pytest.mark.parametrize(
    "issuer", ["https://credit.test:8443", "https://[2001:db8::1]", "https://a-b.credit_1.test"]
)
def test_an_issuer_is_an_origin(environment: pytest.MonkeyPatch, issuer: str) -> None:
    """With a port of its own, where it has one."""
    environment.setenv("XINQIAO_ISSUER", issuer)
    assert Settings.from_env().issuer == issuer


@pytest.mark.parametrize("name", ["SPOOL", "FONT"])
def test_a_path_that_cannot_be_used_is_a_sentence(
    environment: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Uploads, or PDF files, would fail one by one."""
    environment.setenv(f"XINQIAO_{name}", str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match=f"XINQIAO_{name} names .*missing"):
        check_paths(Settings.from_env())


def test_paths_that_can_be_used_are_taken(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of the gateway's own, and a file."""
    (tmp_path / "font.ttf").touch()
    environment.setenv("XINQIAO_SPOOL", str(tmp_path))
    environment.setenv("XINQIAO_FONT", str(tmp_path / "font.ttf"))
    check_paths(Settings.from_env())


@pytest.mark.parametrize("name", ["URL", "TOKEN"])
def test_a_purge_address_and_its_token_are_set_together(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    """No purge goes out without a secret, and no secret stands for nothing."""
    environment.setenv(f"XINQIAO_PURGE_{name}", "https://cdn.test/purge")
    assert "XINQIAO_PURGE_URL and XINQIAO_PURGE_TOKEN are set together" in sentences()


@pytest.mark.parametrize("name", ["URL", "SECRET"])
def test_an_alert_address_and_its_secret_are_set_together(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    """No alert goes out unsigned."""
    environment.setenv(f"XINQIAO_ALERT_{name}", "https://alerts.test/xinqiao")
    assert "XINQIAO_ALERT_URL and XINQIAO_ALERT_SECRET are set together" in sentences()


def test_an_empty_setting_that_is_required_cannot_be_left_out(
    environment: pytest.MonkeyPatch,
) -> None:
    """The sentence says what it must hold."""
    environment.setenv("xinqiao_issuer", "")
    environment.delenv("XINQIAO_ISSUER")
    assert "XINQIAO_ISSUER is set and empty" in sentences()
    assert "leave it out" not in sentences()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("XINQIAO_REDIS_ULR", "XINQIAO_REDIS_URL"),
        ("XINQIAO_REDISURL", "XINQIAO_REDIS_URL"),
        ("xinqiao_worker", "XINQIAO_WORKERS"),
        ("XINQIAO_WORKERSS", "XINQIAO_WORKERS"),
        ("XINQIAO_TRUSTED_PROXY", None),  # three edits: a warning
        ("XINQIAO_DATABASE_POLL", "XINQIAO_DATABASE_POOL"),
        ("XINQIAO_SMS_URLS", "XINQIAO_SMS_URL"),
        ("XINQIAO_PUBLIC_URL", None),
    ],
)
def test_a_name_that_is_nearly_a_setting_is_a_sentence(
    environment: pytest.MonkeyPatch, written: str, meant: str | None
) -> None:
    """Otherwise a limit, a proxy or a Redis would silently be missing."""
    environment.setenv(written, "hunter2")
    if meant is None:
        assert Settings.from_env()
        assert unknown_variables() == [written]
    else:
        assert sentences() == f"{written.upper()} is no setting. Did you mean {meant}?"
        with pytest.raises(SettingsError):
            DatabaseSettings.from_env()


@pytest.mark.parametrize(
    "name", [*sorted(READ_ELSEWHERE), "XINQIAO_TEST_ISSUER", "XINQIAO_TEST_FONTS"]
)
def test_variables_of_other_programs_are_known(environment: pytest.MonkeyPatch, name: str) -> None:
    """However similar to a setting."""
    environment.setenv(name, "x")
    assert Settings.from_env()
    assert unknown_variables() == []


def variables_in(*folders: str) -> Iterator[str]:
    """Variables in the files of these folders."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in {".py", ".cfg", ".conf", ".js", ".env", ".sh", ".yaml"}:
                yield from re.findall(r"\bXINQIAO_[A-Z0-9_]*[A-Z0-9]\b", file.read_text("utf-8"))


def test_every_variable_that_the_project_names_is_known(environment: pytest.MonkeyPatch) -> None:
    """The list of other variables is complete."""
    for name in set(variables_in("sdk/src", "deploy", "gateway")) - {"XINQIAO_X"}:
        if name not in GOOD:
            environment.setenv(name, "x")
    assert unknown_variables() == []


@pytest.mark.parametrize(
    "url", ["redis", "redis:", "redis://", "http://redis.test", "redis://redis.test:port/0"]
)
def test_an_address_that_is_no_redis_is_a_sentence(
    environment: pytest.MonkeyPatch, url: str
) -> None:
    """The value may contain a password and is not quoted."""
    environment.setenv("XINQIAO_REDIS_URL", url)
    assert "XINQIAO_REDIS_URL cannot be used" in sentences()


def test_serve_ends_with_the_sentence() -> None:
    """Status 2, one line for each error, no traceback."""
    ended = run("serve", environ={**GOOD, "XINQIAO_REDIS_URL": "", "XINQIAO_WORKER": "2"})
    assert ended.returncode == 2
    assert [line.split()[0] for line in ended.stderr.splitlines()] == [
        "XINQIAO_WORKER",
        "XINQIAO_REDIS_URL",
    ]


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("", "", 0),
        ("abc", "abc", 0),
        ("abc", "", 3),
        ("abc", "abd", 1),
        ("abc", "acb", 2),
        ("ab", "xaby", 2),
    ],
)
def test_the_distance_counts_edits(one: str, other: str, edits: int) -> None:
    """Insertions, deletions and substitutions; symmetric."""
    assert edit_distance(one, other) == edit_distance(other, one) == edits
