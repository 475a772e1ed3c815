"""The client's key: made by the SDK or the command, read as JWK or PEM, never quoted or lost."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from typer.testing import CliRunner

from xinqiao import Client, generate_client_key, public_jwks
from xinqiao._core.signatures.jose import SigningKey
from xinqiao._core.signatures.keys import KeySet, ResponseKey
from xinqiao.cli._app import app
from xinqiao.errors import ConfigurationError
from xinqiao.testing import FakeGateway

KINDS: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def pem_of(key: Any, *, password: bytes | None = None, traditional: bool = False) -> str:
    """A private key as PEM: PKCS #8, or OpenSSL's older form."""
    form = pem.PrivateFormat.TraditionalOpenSSL if traditional else pem.PrivateFormat.PKCS8
    encryption = pem.BestAvailableEncryption(password) if password else pem.NoEncryption()
    encoded: bytes = key.private_bytes(pem.Encoding.PEM, form, encryption)
    return encoded.decode()


@pytest.mark.parametrize("alg", KINDS)
def test_a_pem_is_read_as_text_and_as_a_file(tmp_path: Path, alg: str) -> None:
    """`openssl genpkey` writes PKCS #8; leading blanks and Windows' line ends do not matter."""
    text = pem_of(KINDS[alg]())
    file = tmp_path / "key.pem"
    file.write_bytes(text.replace("\n", "\r\n").encode())
    given = (text, f"\n  {text}", file, str(file))
    keys = [SigningKey.read(each) for each in given]
    assert {key.alg for key in keys} == {alg}
    assert len({key.thumbprint for key in keys}) == 1
    assert "d" not in keys[0].public_jwk


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_the_older_pem_of_openssl_is_read_too(alg: str) -> None:
    """`BEGIN EC PRIVATE KEY`, `BEGIN RSA PRIVATE KEY`."""
    assert SigningKey.read(pem_of(KINDS[alg](), traditional=True)).alg == alg


def test_a_jwk_is_read_as_text_and_as_a_file(tmp_path: Path) -> None:
    """One key or a set, whatever the file is called."""
    jwk = generate_client_key()
    (tmp_path / "key").write_text(json.dumps({"keys": [jwk]}), encoding="utf-8")
    read = [SigningKey.read(each) for each in (jwk, json.dumps(jwk), tmp_path / "key")]
    assert {key.kid for key in read} == {jwk["kid"]}


@pytest.mark.parametrize("kind", ["EC", "OKP", "RSA"])
def test_a_made_key_signs_in_and_its_public_half_has_no_secret(kind: Any) -> None:
    """Its kid is its thumbprint; the public set names kid, alg and use."""
    private = generate_client_key(kind)
    [public] = public_jwks(private)["keys"]
    assert public["kid"] == private["kid"] == SigningKey.of(private).thumbprint
    assert not set(public) & {"d", "p", "q", "dp", "dq", "qi"}
    fake = FakeGateway()
    with fake.client(private_jwks=private) as client:
        assert client.client_id


def secrets_of(key: Any) -> list[str]:
    """Spellings of a private key that no error may hold."""
    text = pem_of(key)
    body = "".join(text.splitlines()[1:-1])
    return [body, base64.b64encode(text.encode()).decode()]


@pytest.mark.parametrize(
    "garble",
    [
        lambda text: text[:-40],
        lambda text: text.replace("PRIVATE", "PUBLIC"),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: "".join(text.splitlines()[1:-1]),
        lambda text: "\ufeff" + text.replace("\n", " "),
        lambda text: json.dumps({"key": text})[:-1],
        lambda text: json.dumps([text]),
    ],
    ids=["cut off", "wrong label", "base64", "no label", "one line", "no json", "list"],
)
def test_an_unreadable_key_is_an_error_that_quotes_nothing_of_it(
    garble: Callable[[str], str],
) -> None:
    """Not even as the path of a file that is not there."""
    key = KINDS["ES256"]()
    with pytest.raises(ConfigurationError) as caught:
        SigningKey.read(garble(pem_of(key)))
    said = repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
    for secret in secrets_of(key):
        for start in range(0, len(secret) - 12, 4):
            assert secret[start : start + 12] not in said


def test_a_private_key_given_for_the_published_ones_is_not_quoted(tmp_path: Path) -> None:
    """Only what looks like a path is."""
    key = KINDS["ES256"]()
    for given in (pem_of(key), *secrets_of(key)):
        with pytest.raises(ConfigurationError) as caught:
            KeySet.read(given)
        said = repr(caught.value) + str(caught.value)
        assert not any(line in said for line in [*given.splitlines(), given[:12]])
    with pytest.raises(ConfigurationError, match=r"missing\.json cannot be read"):
        KeySet.read(tmp_path / "missing.json")


def test_a_key_is_in_force_until_it_is_retired() -> None:
    """From the second of its beginning to the one before its end."""
    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    key = ResponseKey(kid="k", public=public, jwk={}, not_before=begins, retired_at=ends)
    second = timedelta(seconds=1)
    whens = (begins - second, begins, ends - second, ends)
    assert [key.in_force(when) for when in whens] == [False, True, True, False]


def test_errors_say_what_is_the_matter_with_a_key(tmp_path: Path) -> None:
    """Encrypted, of another kind, no file."""
    encrypted = pem_of(KINDS["ES256"](), password=b"a test's password")
    with pytest.raises(ConfigurationError, match="encrypted"):
        SigningKey.read(encrypted)
    for unfit in (ed448.Ed448PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(ConfigurationError, match=r"EC P-256, Ed25519 or RSA"):
            SigningKey.read(pem_of(unfit))
    with pytest.raises(ConfigurationError, match=r"missing\.pem cannot be read"):
        SigningKey.read(tmp_path / "missing.pem")
    with pytest.raises(ConfigurationError, match="No private key"):
        SigningKey.read(public_jwks(generate_client_key()))


def test_keygen_writes_a_private_key_for_its_owner_alone_and_overwrites_nothing(
    tmp_path: Path,
) -> None:
    """A second run refuses and says so; what the first wrote opens a client."""
    run, folder = CliRunner(), tmp_path / "keys"
    first = run.invoke(app, ["keygen", "--out", str(folder)])
    assert first.exit_code == 0, first.output
    private, public = folder / "private-key.json", folder / "public-jwks.json"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert (
        json.loads(public.read_text())["keys"][0]["kid"] == json.loads(private.read_text())["kid"]
    )
    assert json.loads(private.read_text())["d"] not in first.output + public.read_text()
    kept = private.read_bytes()
    again = run.invoke(app, ["keygen", "--out", str(folder)])
    assert again.exit_code == 1
    assert "choose another --out" in " ".join(again.stderr.split())
    assert private.read_bytes() == kept
    options: dict[str, Any] = {"issuer": "https://credit.example.gov.cn", "client_id": "bank"}
    with Client(**options, private_jwks=private) as client:
        assert client.client_id == "bank"
