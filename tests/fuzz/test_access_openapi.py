"""Schemathesis against a running gateway and its OpenAPI description.

In `make test` a sample, to the authorization server, the admin API and the uploads; `make fuzz` (FULL=1)
sends more, to every endpoint.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.app import create_app
from gateway.clients import registry
from gateway.clients.registration import Registration
from gateway.clients.terms import Terms
from gateway.limits.quotas import LARGEST_QUOTA, Quotas
from gateway.open_runtime import close_runtime, open_runtime
from gateway.records import tus, uploads
from gateway.settings import Settings
from tests.databases import new_database
from tests.gateway_fixture import Server, build_gateway
from tests.oauth_builders import public_jwk
from tests.records_builders import upload_headers

FULL: Final = bool(os.environ.get("FULL"))
EXAMPLES: Final = 50 if FULL else 2
SAMPLED: Final = r"^/(oauth|\.well-known|v1/admin|v1/records/uploads)"
PATIENCE: Final = 3_600 if FULL else 600  # seconds; a busy machine is slow
ENTITIES: Final = 40
VICTIMS: Final = 40
UPLOADS: Final = 10
LENGTH: Final = 100_000  # bytes
HERE: Final = Path(__file__).parent
QUOTAS: Final = Quotas(
    per_minute=LARGEST_QUOTA,
    per_day=LARGEST_QUOTA,
    per_enterprise_per_minute=LARGEST_QUOTA,
    distinct_enterprises_per_day=LARGEST_QUOTA,
)
# What a well-formed call can reach without anything that cannot be made up (a request_uri, a signed
# statement, a digest that was read): if these never succeed, nothing was tried.
MUST_SUCCEED: Final = frozenset(
    {
        "POST /oauth/token",
        "POST /oauth/introspect",
        "POST /oauth/revoke",
        "GET /v1/admin/clients",
        "GET /v1/admin/clients/{client_id}",
        "GET /v1/admin/acts",
        "GET /v1/admin/agreements/{client_id}",
        "POST /v1/admin/agreements/{client_id}/end",
        "POST /v1/admin/clients/{client_id}/{act}",
        "OPTIONS /v1/records/uploads",
        "POST /v1/records/uploads",
        "HEAD /v1/records/uploads/{upload_id}",
        "PATCH /v1/records/uploads/{upload_id}",
        "DELETE /v1/records/uploads/{upload_id}",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running gateway and the clients that may call it."""

    issuer: str
    kit: Path


@pytest.fixture(scope="module")
def target(postgres_url: str) -> Iterator[Target]:
    """A gateway with its own province, since fuzzing suspends and ends clients."""
    folder = Path(tempfile.mkdtemp(prefix="xq-fuzz-"))
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        settings, kit = asyncio.run(_prepared(postgres_url, folder, listening.getsockname()[1]))
        path = folder / "fuzz.json"
        path.write_text(json.dumps(kit))
        app = create_app(settings)
        app.openapi()  # made once, and at once: a busy machine takes longer than a client waits
        with Server(app).listening_on(listening):
            yield Target(issuer=settings.issuer, kit=path)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_api_is_as_it_is_described(target: Target, tmp_path: Path) -> None:
    """No check fails, and most endpoints are reached successfully."""
    tally = tmp_path / "tally"
    where = () if FULL else ("--include-path-regex", SAMPLED, "--phases", "coverage,fuzzing")
    run = _schemathesis(target, tally, "--max-examples", str(EXAMPLES), "--seed", "1", *where)
    print(run.stdout)
    assert run.returncode == 0, run.stdout + run.stderr
    seen = Counter(tally.read_text().splitlines())
    succeeded = {line.rpartition(" ")[0] for line in seen if line.rpartition(" ")[2][0] in "23"}
    print(sum(seen.values()), "requests;", *sorted(f"{n}x {line};" for line, n in seen.items()))
    assert not any(line.rpartition(" ")[2].startswith("5") for line in seen)
    assert succeeded >= MUST_SUCCEED, sorted(MUST_SUCCEED - succeeded)


def _schemathesis(target: Target, tally: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-m", "schemathesis.cli"]
    config = ["--config-file", str(HERE / "schemathesis.toml")]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.fuzz.schemathesis_hooks",
        "XINQIAO_FUZZ_KIT": str(target.kit),
        "XINQIAO_FUZZ_TALLY": str(tally),
        "NO_PROXY": "127.0.0.1",
    }
    return subprocess.run(
        [*program, *config, "run", f"{target.issuer}/openapi.json", "--no-color", *more],
        cwd=HERE.parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


async def _prepared(url: str, folder: Path, port: int) -> tuple[Settings, dict[str, object]]:
    """Province and bank of the demo, an operator, and clients to act on."""
    built = await build_gateway(await new_database(url), folder / "state", port, ENTITIES)
    demo = built.kit["clients"]
    key = ec.generate_private_key(ec.SECP256R1())
    victims = [f"victim-{number}" for number in range(VICTIMS)]
    runtime = await open_runtime(built.settings)
    try:
        async with runtime.engine.begin() as connection:
            now = runtime.now()
            await _add(connection, "fuzz-operator", "operator", ("admin", "audit"), key, now)
            for name in victims:
                await _add(connection, name, "bank", ("query",), key, now)
            upload_ids = [
                await _begun(connection, demo["source"]["client_id"], now) for _ in range(UPLOADS)
            ]
    finally:
        await close_runtime(runtime)
    return built.settings, {
        "issuer": built.settings.issuer,
        "bank": _credentials(demo["bank"]),
        "source": _credentials(demo["source"]),
        "operator": {
            "client_id": "fuzz-operator",
            "scope": "admin audit",
            "kid": "k1",
            "private_key": _pem(key),
        },
        "known": {
            "client_id": victims,
            "act": ["suspend", "resume", "end"],
            "consent_id": [built.kit["consents"]["active"]["consent_id"]],
            "code_id": [each["code_url"].rpartition("/")[2] for each in built.kit["subjects"]],
            "path": ["000.p/1"],
            "level": ["0"],
            "upload_id": upload_ids,
        },
        "known_headers": {
            "Tus-Resumable": tus.VERSION,
            "Upload-Length": str(LENGTH),
            "Upload-Metadata": upload_headers(b"", dataset="licence")["Upload-Metadata"],
            "Upload-Offset": "0",
        },
        "known_members": {
            "enterprise": {"uscc": built.kit["consents"]["active"]["uscc"]},
            "purpose": "loan_approval",
            "datasets": ["registration"],
            "questions": [{"question": "is_active.v1"}],
        },
    }


def _credentials(client: Mapping[str, Any]) -> dict[str, str]:
    """What the hooks need of a demo client."""
    [jwk] = client["private_jwks"]["keys"]
    return {
        "client_id": client["client_id"],
        "scope": client["scope"],
        "kid": jwk["kid"],
        "private_key": _pem(ECAlgorithm.from_jwk(jwk)),
    }


async def _begun(connection: AsyncConnection, source_id: str, now: datetime) -> str:
    """The id of an upload of which nothing has arrived."""
    announced = tus.UploadMetadata(
        length=LENGTH,
        dataset="licence",
        format="csv",
        encoding="utf-8",
        sha256=bytes(32),
        file_name=None,
    )
    made = await uploads.create(
        connection, source_id, announced, most_bytes=LENGTH * UPLOADS, now=now
    )
    assert made is not None
    return made.upload_id


async def _add(
    connection: AsyncConnection,
    client_id: str,
    kind: str,
    scopes: tuple[str, ...],
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> None:
    registration = Registration(
        client_id=client_id,
        kind=kind,
        name_zh="模糊测试",
        name_en="Fuzzing",
        scopes=scopes,
        jwks={"keys": [public_jwk(key, kid="k1")]},
    )
    terms = Terms(
        purposes=frozenset(),
        quotas=QUOTAS,
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=30),
    )
    await registry.register_client(connection, registration, now=now)
    await registry.put_agreement(connection, client_id, terms)


def _pem(key: Any) -> str:
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()
