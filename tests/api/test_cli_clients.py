"""`xinqiao-gateway client` commands: effects, output, and refusals with status 2."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.db.engine import make_engine
from tests.client_builders import FILING, FILING_OPTIONS, make_agreement, make_set
from tests.databases import new_database
from tests.mtls_builders import make_certificate

DIGEST = re.compile(r"agreement approve (\S+) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A shell environment in a folder of its own."""

    folder: Path
    environment: Mapping[str, str | None]

    def as_operator(self, name: str | None) -> "Shell":
        """The same shell with another operator's name, or with none."""
        return replace(self, environment={**self.environment, "XINQIAO_OPERATOR": name})

    def run(self, *arguments: str, answer: str = "") -> Result:
        """Run `xinqiao-gateway` with these arguments; file arguments are in the folder."""
        given = [self._path(each) for each in arguments]
        return CliRunner().invoke(app, given, env=self.environment, input=answer)

    def _path(self, argument: str) -> str:
        is_file = argument.endswith((".json", ".yaml"))
        return str(self.folder / argument) if is_file and ":" not in argument else argument

    def ok(self, *arguments: str) -> str:
        """Output of a command that succeeds."""
        done = self.run(*arguments)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """Sentence of a command that is refused."""
        done = self.run(*arguments)
        assert done.exit_code == 2, done.stdout + done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        return done.stderr

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of an SQL statement."""
        return asyncio.run(_rows(str(self.environment["XINQIAO_DATABASE_URL"]), sql, values))

    def client(self, client_id: str, columns: str = "state") -> tuple[Any, ...]:
        """These columns of a client's row."""
        sql = f"SELECT {columns} FROM client WHERE client_id = :id"  # noqa: S608  # the test's own
        [row] = self.rows(sql, id=client_id)
        return row

    def acts(self, client_id: str) -> list[tuple[str, str]]:
        """Audit log of a client: operator and act, in order."""
        sql = "SELECT operator, what FROM operator_act WHERE client_id = :id ORDER BY at, act_id"
        return [(operator, what) for operator, what in self.rows(sql, id=client_id)]

    def write(self, name: str, content: Any) -> str:
        """Write a file to the folder."""
        written = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (self.folder / name).write_text(written, encoding="utf-8")
        return name


async def _rows(url: str, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    engine = make_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(sql), dict(values))]
    finally:
        await engine.dispose()


@pytest.fixture(scope="module")
def database(postgres_url: str) -> str:
    """A migrated database."""
    return asyncio.run(new_database(postgres_url))


@pytest.fixture
def shell(database: str, tmp_path: Path) -> Shell:
    """The shell of operator Fang."""
    environment = {
        "XINQIAO_DATABASE_URL": database,
        "XINQIAO_OPERATOR": "fang",
        "COLUMNS": "200",
    }
    made = Shell(folder=tmp_path, environment=environment)
    made.write("keys.json", make_set("k1"))
    made.write("agreement.json", make_agreement())
    return made


def register(shell: Shell, client_id: str, *more: str) -> Result:
    """Register a bank."""
    keys = () if "--jwks-uri" in more else ("--jwks", "keys.json")
    names = ("--name-zh", f"银行 {client_id}", "--name-en", f"Bank {client_id}")
    kind = () if "--kind" in more else ("--kind", "bank")
    scope = () if "--scope" in more else ("--scope", "query verify")
    return shell.run("client", "register", client_id, *kind, *names, *scope, *keys, *more)


def test_required_signatures_stand_in_the_file_and_in_what_is_shown(shell: Shell) -> None:
    """With the term as it was agreed."""
    shell.write("signed.json", make_agreement() | {"requires_signed_requests": True})
    register(shell, "signing-bank")
    found = DIGEST.search(shell.ok("agreement", "propose", "signing-bank", "signed.json"))
    assert found
    shell.as_operator("qiang").ok("agreement", "approve", *found.groups())
    shown = shell.ok("agreement", "show", "signing-bank")
    assert "requires_signed_requests: True" in shown
    assert f"valid_until: {make_agreement()['valid_until']}" in shown
    again = shell.ok("agreement", "propose", "signing-bank", "agreement.json")
    assert "requests that need not be signed" in again


def test_a_new_operator_brings_a_client_into_force_with_a_second_one(shell: Shell) -> None:
    """Register, propose, fail to approve, approve by another operator, show."""
    assert "agreement propose first-bank" in register(shell, "first-bank").stdout
    proposed = shell.ok("agreement", "propose", "first-bank", "agreement.json")
    found = DIGEST.search(proposed)
    assert found, proposed
    assert "cannot approve" in shell.refused("agreement", "approve", *found.groups())
    qiang = shell.as_operator("qiang")
    waiting = qiang.ok("agreement", "proposals", "first-bank")
    assert found[2] in waiting
    assert "valid_from: 2026-01-01T00:00:00+08:00" in waiting
    assert "Version 1 is in force" in qiang.ok("agreement", "approve", *found.groups())
    shown = shell.ok("client", "show", "first-bank")
    assert "kids: k1" in shown
    assert found[2] in shown
    assert "first-bank" in shell.ok("client", "list")
    assert "Nothing waits" in shell.ok("agreement", "proposals", "first-bank")
    sql = "SELECT version, purposes, datasets, document_digest FROM agreement WHERE client_id = :id"
    assert shell.rows(sql, id="first-bank") == [
        (1, ["loan_approval"], ["penalty", "registration"], bytes.fromhex(found[2]))
    ]
    assert [who for who, _ in shell.acts("first-bank")] == [
        "shell:fang",
        "shell:fang",
        "shell:qiang",
    ]


def test_keys_are_rotated_by_value_and_by_address(shell: Shell) -> None:
    """Key ids are shown after each rotation."""
    register(shell, "rotating")
    new = make_set("k2")
    shell.write("new.json", new)
    assert "k2" in shell.ok("client", "rotate-keys", "rotating", "--jwks", "new.json")
    assert shell.client("rotating", "jwks, jwks_uri") == (new, None)
    uri = "https://bank.test/jwks.json"
    assert uri in shell.ok("client", "rotate-keys", "rotating", "--jwks-uri", uri)
    assert f"jwks_uri: {uri}" in shell.ok("client", "show", "rotating")
    assert shell.client("rotating", "jwks_uri") == (uri,)
    assert len(shell.acts("rotating")) == 3
    assert "either" in shell.refused("client", "rotate-keys", "rotating")


def test_a_client_is_suspended_resumed_and_ended(shell: Shell) -> None:
    """Ending asks for confirmation and is final."""
    register(shell, "going")
    assert "suspended" in shell.ok("client", "suspend", "going")
    assert shell.client("going") == ("suspended",)
    assert "active" in shell.ok("client", "resume", "going")
    assert shell.client("going") == ("active",)
    assert shell.run("client", "end", "going", answer="n\n").exit_code != 0
    assert "state: active" in shell.ok("client", "show", "going")
    shell.ok("client", "end", "going", "--yes")
    assert shell.client("going") == ("ended",)
    assert "has ended" in shell.refused("client", "resume", "going")


@pytest.mark.parametrize(
    "command",
    [
        ("client", "suspend", "x"),
        ("client", "rotate-keys", "x", "--jwks", "keys.json"),
        ("client", "apply", "clients.yaml"),
        ("agreement", "propose", "x", "agreement.json"),
        ("agreement", "approve", "prp_x", "00"),
        ("agreement", "end", "x"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", [None, "", "two words", "x" * 65])
def test_an_act_needs_an_operator_name(
    shell: Shell, command: tuple[str, ...], name: str | None
) -> None:
    """There is no default operator name."""
    shell.write("clients.yaml", "clients: {}")
    assert "XINQIAO_OPERATOR" in shell.as_operator(name).refused(*command)


def test_looking_needs_no_name(shell: Shell) -> None:
    """Reading commands need no name."""
    register(shell, "looked-at")
    before = shell.rows("SELECT count(*) FROM operator_act")
    assert "looked-at" in shell.as_operator(None).ok("client", "list")
    assert shell.rows("SELECT count(*) FROM operator_act") == before


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("client", "show", "nobody"), "no such client"),
        (("client", "suspend", "nobody"), "no such client"),
        (("client", "suspend", "a b"), "An id has"),
        (("client", "rotate-keys", "nobody", "--jwks", "none.json"), "cannot be read"),
        (("client", "rotate-keys", "nobody", "--jwks", "keys.json"), "no such client"),
        (("agreement", "show", "nobody"), "no agreement"),
        (("agreement", "propose", "nobody", "agreement.json"), "no such client"),
        (("agreement", "propose", "nobody", "keys.json"), "Mend these"),
        (("agreement", "approve", "prp_none", "00"), "no such proposal"),
        (("agreement", "approve", "prp_none", "digest"), "hexadecimal"),
        (("agreement", "reject", "prp_none"), "no such proposal"),
        (("agreement", "end", "nobody"), "no such client"),
        (("client", "apply", "none.yaml"), "cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_refused_act_is_one_sentence(
    shell: Shell, command: tuple[str, ...], sentence: str
) -> None:
    """Status 2."""
    assert sentence in shell.refused(*command)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--kind", "agency"), "needs its filing"),
        (("--kind", "person"), "kind"),
        (("--scope", "admin"), "operator"),
        (("--redirect-uri", "http://bank.test/"), "redirect"),
        (("--jwks-uri", "http://bank.test/keys"), "https"),
        (("--jwks-uri", "https://10.0.0.1/keys"), "public"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_an_invalid_registration_is_one_sentence(
    shell: Shell, more: tuple[str, ...], sentence: str
) -> None:
    """Nothing is registered."""
    done = register(shell, "refused-bank", *more)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "no such client" in shell.refused("client", "show", "refused-bank")


def test_the_installed_command_is_this_one(shell: Shell) -> None:
    """The installed program, with its exit status."""
    environment = {**os.environ, **{n: v for n, v in shell.environment.items() if v}}
    command = [sys.executable, "-c", "from gateway.cli.main import main; main()"]
    done = subprocess.run(
        [*command, "client", "suspend", "nobody"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "There is no such client.\n")


def test_an_unreachable_database_is_one_sentence(shell: Shell) -> None:
    """A database without a schema names the command to run."""
    nowhere = {**shell.environment, "XINQIAO_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    assert "XINQIAO_DATABASE_URL" in replace(shell, environment=nowhere).refused("client", "list")


def make_file(client_id: str, **changes: Any) -> str:
    """A YAML file of one client and its agreement (JSON is YAML)."""
    client = {
        "kind": "bank",
        "name_zh": f"银行 {client_id}",
        "name_en": f"Bank {client_id}",
        "scopes": ["query"],
        "jwks_file": "keys.json",
    } | changes.pop("client", {})
    agreement = make_agreement(**changes)
    return json.dumps({"clients": {client_id: client}, "agreements": {client_id: agreement}})


def test_applying_shows_what_it_will_do_and_then_does_it_once(shell: Shell) -> None:
    """A second run changes nothing; pending approvals are shown."""
    shell.write("clients.yaml", make_file("declared"))
    dry = shell.ok("client", "apply", "clients.yaml", "--dry-run")
    assert "declared: register" in dry
    assert "+ 银行" in dry
    assert "no such client" in shell.refused("client", "show", "declared")
    assert shell.run("client", "apply", "clients.yaml", answer="n\n").exit_code != 0
    assert "no such client" in shell.refused("client", "show", "declared")
    assert "2 acts done" in shell.ok("client", "apply", "clients.yaml", "--yes")
    again = shell.ok("client", "apply", "clients.yaml")
    assert "waits for a second operator" in again
    assert "Nothing to do" in again
    waiting = shell.as_operator("qiang").ok("agreement", "proposals", "declared")
    proposal, digest = (
        re.search(rf"^{name}: (\S+)$", waiting, re.MULTILINE) for name in ("proposal_id", "digest")
    )
    assert proposal
    assert digest
    shell.as_operator("qiang").ok("agreement", "approve", proposal[1], digest[1])
    assert shell.ok("client", "apply", "clients.yaml") == "Nothing to do.\n"


def test_applying_changes_what_is_named_and_leaves_the_rest(shell: Shell) -> None:
    """Fields and clients that the file does not name are unchanged."""
    register(shell, "left-alone")
    register(shell, "amended", *FILING_OPTIONS, "--contact", "0571-00000000")
    before = shell.ok("client", "show", "left-alone")
    changed = {
        "clients": {
            "amended": {"name_en": "Better Bank", "state": "suspended", "contact": "0571-1"}
        }
    }
    shell.write("clients.yaml", changed)
    diff = shell.ok("client", "apply", "clients.yaml", "--yes")
    assert "- Bank" in diff
    assert "+ Better Bank" in diff
    assert "- 0571-00000000" in diff
    shown = shell.ok("client", "show", "amended")
    for kept in (
        "name_en: Better Bank",
        "state: suspended",
        "浙征信备〔2026〕1号",
        "contact: 0571-1",
        "kids: k1",
    ):
        assert kept in shown
    assert shell.ok("client", "show", "left-alone") == before
    assert shell.client("amended", "name_en, state, filing_number, contact") == (
        "Better Bank",
        "suspended",
        "浙征信备〔2026〕1号",
        "0571-1",
    )


def test_applying_is_one_transaction(shell: Shell) -> None:
    """One refused act undoes all."""
    register(shell, "over")
    shell.ok("client", "end", "over", "--yes")
    both = {"clients": {"new-one": json.loads(make_file("x"))["clients"]["x"], "over": {}}}
    both["clients"]["over"] = {"name_en": "Back"}
    shell.write("clients.yaml", both)
    done = shell.run("client", "apply", "clients.yaml", "--yes")
    assert done.exit_code == 2
    assert "over has ended" in done.stderr
    assert "no such client" in shell.refused("client", "show", "new-one")


@pytest.mark.parametrize(
    "content",
    [
        "clients: [",
        "[]",
        "- a",
        "client: {}",
        "clients: {}\nclients: {}",
        "clients: {a b: {kind: bank}}",
        "clients: {12: {kind: bank}}",
        "clients: {new: {kind: bank}}",
        "clients: {new: {kind: bank, knd: x}}",
        "clients: {new: {kind: bank, scopes: query}}",
        "clients: {new: {kind: bank, jwks_file: none.json}}",
        "clients: {new: {kind: bank, jwks_file: keys.json, jwks: {keys: []}}}",
        "clients: {new: {state: asleep}}",
        "agreements: {nobody: {purposes: [loan_approval]}}",
        "clients: !!python/object/apply:os.system ['true']",
        "clients: \x00",
    ],
)
def test_a_file_that_cannot_be_read_exactly_is_refused_whole(shell: Shell, content: str) -> None:
    """Unknown or duplicate keys, wrong types, missing fields: one sentence, no changes."""
    before = shell.rows("SELECT (SELECT count(*) FROM client), (SELECT count(*) FROM operator_act)")
    shell.write("clients.yaml", content)
    shell.refused("client", "apply", "clients.yaml", "--yes")
    after = shell.rows("SELECT (SELECT count(*) FROM client), (SELECT count(*) FROM operator_act)")
    assert after == before


def test_a_file_cannot_name_an_agreement_without_a_client_or_change_a_kind(shell: Shell) -> None:
    """An agency that became a bank would need no licence."""
    shell.write("clients.yaml", {"agreements": {"nobody": make_agreement()}})
    assert "is no client" in shell.refused("client", "apply", "clients.yaml")
    register(shell, "an-agency", "--kind", "agency", *FILING_OPTIONS)
    shell.write("clients.yaml", {"clients": {"an-agency": {"kind": "bank"}}})
    assert "stays of its kind" in shell.refused("client", "apply", "clients.yaml")
    shell.write("clients.yaml", {"clients": {"an-agency": {"filing": None}}})
    assert "needs its filing" in shell.refused("client", "apply", "clients.yaml")


def test_a_filing_is_shown_and_renewed(shell: Shell) -> None:
    """By its parts; an option that is missing is named, and a day is a day."""
    register(shell, "agency-filed", "--kind", "agency", *FILING_OPTIONS)
    assert "2099-12-31" in shell.ok("client", "show", "agency-filed")
    renewed = FILING | {"valid_until": "2031-06-30", "kind": "credit_rating"}
    shell.write("clients.yaml", {"clients": {"agency-filed": {"filing": renewed}}})
    diff = shell.ok("client", "apply", "clients.yaml", "--yes")
    assert "- kind: enterprise_credit_reporting" in diff
    assert "+ valid_until: 2031-06-30" in diff
    assert shell.ok("client", "apply", "clients.yaml") == "Nothing to do.\n"
    assert shell.client("agency-filed", "filing_kind, CAST(filing_valid_until AS text)") == (
        "credit_rating",
        "2031-06-30",
    )
    half = register(shell, "agency-half", "--kind", "agency", *FILING_OPTIONS[:-2])
    assert half.exit_code == 2
    assert "--filing-valid-until" in half.stderr
    wrong = (*FILING_OPTIONS[:-1], "2031-6-30")
    assert "valid_until" in register(shell, "agency-day", "--kind", "agency", *wrong).stderr


def test_a_client_is_registered_by_its_certificate(shell: Shell) -> None:
    """By a subject or alternative name, without keys; shown with the members of RFC 8705."""
    names = ("--name-zh", "银行甲", "--name-en", "Bank A", "--kind", "bank", "--scope", "query")
    other = ("--name-zh", "银行乙", "--name-en", "Bank B", "--kind", "bank", "--scope", "query")
    method = ("--auth-method", "tls_client_auth")
    subject = ("--certificate-subject", "subject_dn=CN=acme,O=Acme Bank,C=CN")
    shell.ok("client", "register", "by-name", *names, *method, *subject, "--certificate-bound")
    shown = shell.ok("client", "show", "by-name")
    for line in (
        "token_endpoint_auth_method: tls_client_auth",
        "tls_client_auth_subject_dn: CN=acme,O=Acme Bank,C=CN",
        "tls_client_certificate_bound_access_tokens: True",
    ):
        assert line in shown
    assert "goes without keys" in shell.refused(
        "client", "rotate-keys", "by-name", "--jwks", "keys.json"
    )
    shell.write("own.json", {"keys": [make_certificate().jwk]})
    columns = "token_endpoint_auth_method, tls_client_auth_subject_dn, jwks"
    assert shell.client("by-name", columns) == (
        "tls_client_auth",
        "CN=acme,O=Acme Bank,C=CN",
        {"keys": []},
    )
    method = ("--auth-method", "self_signed_tls_client_auth")
    shell.ok("client", "register", "by-itself", *other, *method, "--jwks", "own.json")
    assert "x5c" in shell.refused("client", "rotate-keys", "by-itself", "--jwks", "keys.json")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--auth-method", "tls_client_auth"), "exactly one"),
        (("--auth-method", "client_secret_post"), "one of"),
        (("--certificate-subject", "san_dns=acme.example"), "exactly one"),
        (("--certificate-subject", "cn=acme"), "kinds are"),
        (("--certificate-subject", "acme"), "kinds are"),
        (("--auth-method", "self_signed_tls_client_auth"), "x5c"),
    ],
)
def test_a_method_without_its_certificate_member_is_one_sentence(
    shell: Shell, more: tuple[str, ...], sentence: str
) -> None:
    """Nothing is registered."""
    done = register(shell, "refused-method", *more)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "no such client" in shell.refused("client", "show", "refused-method")


def test_applying_changes_how_a_client_authenticates(shell: Shell) -> None:
    """The certificate members change together; others stay."""
    register(shell, "changing")

    def apply(**members: Any) -> Result:
        shell.write("clients.yaml", {"clients": {"changing": members}})
        return shell.run("client", "apply", "clients.yaml", "--yes")

    by_name = {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "acme.example",
    }
    assert "exactly one" in apply(token_endpoint_auth_method="tls_client_auth").stderr
    assert "x5c" in apply(token_endpoint_auth_method="self_signed_tls_client_auth").stderr
    done = apply(**by_name, tls_client_certificate_bound_access_tokens=True)
    assert done.exit_code == 0, done.stderr
    assert "+ acme.example" in done.stdout
    assert apply(**by_name).stdout == "Nothing to do.\n"
    assert "without" in apply(tls_client_certificate_bound_access_tokens=None).stderr
    back = {"token_endpoint_auth_method": "private_key_jwt", "tls_client_auth_san_dns": None}
    assert apply(**back).exit_code == 0
    shown = shell.ok("client", "show", "changing")
    assert "token_endpoint_auth_method: private_key_jwt" in shown
    assert "san_dns" not in shown
    assert "kids: k1" in shown
    shell.write("own.json", {"keys": [make_certificate().jwk]})
    own = {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks_file": "own.json"}
    assert apply(**own).exit_code == 0


def test_a_new_client_by_certificate_is_declared(shell: Shell) -> None:
    """Without keys; a second run changes nothing."""
    client = {
        "kind": "bank",
        "name_zh": "银行 declared-tls",
        "name_en": "Bank declared-tls",
        "scopes": ["query"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "acme.example",
        "tls_client_certificate_bound_access_tokens": True,
    }
    shell.write("clients.yaml", {"clients": {"declared-tls": client}})
    assert "1 acts done" in shell.ok("client", "apply", "clients.yaml", "--yes")
    assert shell.ok("client", "apply", "clients.yaml") == "Nothing to do.\n"


def test_a_name_or_an_id_that_looks_like_anothers_is_refused(shell: Shell) -> None:
    """At registration and in a file, before any act."""
    shell.ok(*REGISTER, "original", "--name-zh", "浙江首家银行", "--name-en", "First Bank")
    as_another = ("--name-zh", "第二家银行", "--name-en", "Second Bank")
    assert "that of original" in shell.refused(*REGISTER, "Original", *as_another)
    lookalike = ("--name-zh", "浙江 首家銀行", "--name-en", "Second Bank")
    assert "that of original" in shell.refused(*REGISTER, "second", *lookalike)
    foreign = ("--name-zh", "第二家银行", "--name-en", "First Ваnk")
    assert "Latin letters" in shell.refused(*REGISTER, "second", *foreign)
    shell.ok(*REGISTER, "second", *as_another)
    for clients in (
        {"second": {"name_en": "FIRST  BANK"}},
        {"third": json.loads(make_file("x", client={"name_zh": "浙江首家银行"}))["clients"]["x"]},
        {name: json.loads(make_file("same"))["clients"]["same"] for name in ("twin-a", "twin-b")},
        {name: json.loads(make_file(name))["clients"][name] for name in ("Cased", "cased")},
    ):
        shell.write("clients.yaml", {"clients": clients})
        assert "choose another" in shell.refused("client", "apply", "clients.yaml", "--dry-run")
        assert "choose another" in shell.refused("client", "apply", "clients.yaml", "--yes")
    shell.write("clients.yaml", {"clients": {"second": {"name_en": "SECOND BANK"}}})
    assert "1 acts done" in shell.ok("client", "apply", "clients.yaml", "--yes")


REGISTER = ("client", "register", "--kind", "bank", "--scope", "query", "--jwks", "keys.json")
