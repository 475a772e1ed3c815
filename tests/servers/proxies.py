"""HAProxy and nginx with the configuration of `deploy/proxy`, over TLS, in front of a gateway process."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx2
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clients import registry
from gateway.clients.authentication_method import Authentication
from gateway.clients.registration import Registration
from gateway.db.engine import make_engine
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.databases import new_database
from tests.gateway_fixture import GatewayFixture
from tests.log_builders import make_checkpoint_folder
from tests.mtls_builders import Holder, make_authority, make_certificate
from tests.oauth_builders import USCC
from tests.portal_fixture import add_enterprise
from tests.servers.gateway_process import serving
from tests.servers.ports import free_port
from tests.waiting import PATIENCE

CONFIGURED: Final = Path(__file__).parents[2] / "deploy" / "proxy"
NGINX: Final = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NGINX_MODULE: Final = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
NAMES: Final = [x509.DNSName("localhost")]
CA: Final = make_authority()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A running proxy: its public address and its address for client certificates."""

    app: FastAPI
    engine: AsyncEngine
    folder: Path
    trust: Path
    gateway: str
    public: str
    mtls: str

    def http(self, holder: Holder | None, *, chain: Holder | None = None) -> httpx2.Client:
        """HTTP client that presents this certificate."""
        context = ssl.create_default_context(cafile=str(self.trust))
        if holder is not None:
            name = f"client-{holder.thumbprint[:12]}"
            file = holder.write(self.folder, name)
            if chain is not None:
                file.write_bytes(file.read_bytes() + chain.certificate.public_bytes(Encoding.PEM))
            context.load_cert_chain(file)
        return httpx2.Client(verify=context, trust_env=False, timeout=PATIENCE)

    async def client(self, jwks: Mapping[str, object] | None = None, **method: str) -> str:
        """Client id of a client with certificate-bound tokens."""
        bank = next(each for each in DEMO_CLIENTS if each.key == "bank")
        client_id = f"proxied-{os.urandom(6).hex()}"
        registration = Registration(
            client_id=client_id,
            kind="bank",
            name_zh="测试银行",
            name_en="Test Bank",
            jwks=jwks,
            scopes=("query", "verify"),
            authentication=Authentication(
                tls_client_certificate_bound_access_tokens=True, **method
            ),
        )
        now = datetime.now(UTC)
        async with self.engine.begin() as connection:
            await registry.register_client(connection, registration, now=now)
            await registry.put_agreement(connection, client_id, terms_of(bank, now))
        return client_id


def haproxy(folder: Path, ports: tuple[int, int], gateway: str) -> tuple[list[str], dict[str, str]]:
    """HAProxy with the operators' file."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        pytest.skip("haproxy is not installed")
    return [program, "-db", "-q", "-f", str(CONFIGURED / "haproxy.cfg")], {
        "XINQIAO_PUBLIC": f"127.0.0.1:{ports[0]}",
        "XINQIAO_MTLS": f"127.0.0.1:{ports[1]}",
        "XINQIAO_CERTIFICATE": str(folder / "server.pem"),
        "XINQIAO_CLIENT_CA": str(folder / "authorities.pem"),
        "XINQIAO_GATEWAY": gateway,
    }


def nginx(folder: Path, ports: tuple[int, int], gateway: str) -> tuple[list[str], dict[str, str]]:
    """Nginx with the operators' file, addresses and paths replaced."""
    if NGINX is None or not NGINX_MODULE.exists():
        pytest.skip("nginx or its njs module is not installed")
    shutil.copy(CONFIGURED / "client-cert.js", folder)
    text = (CONFIGURED / "nginx.conf").read_text()
    for before, after in (
        ("modules/ngx_http_js_module.so", str(NGINX_MODULE)),
        ("listen 443 ssl", f"listen 127.0.0.1:{ports[0]} ssl"),
        ("listen 192.0.2.8:443 ssl", f"listen 127.0.0.1:{ports[1]} ssl"),
        ("http://127.0.0.1:8420", f"http://{gateway}"),
        ("/etc/nginx/xinqiao/client-authorities.pem", str(folder / "authorities.pem")),
        ("/etc/nginx/xinqiao", str(folder)),
        ("/var/log/nginx", str(folder)),
    ):
        assert before in text
        text = text.replace(before, after)
    own = f"pid {folder}/nginx.pid; daemon off;\n"
    file = folder / "nginx.conf"
    file.write_text(own + text)
    return [NGINX, "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")], {}


PROXIES: Final = {"haproxy": haproxy, "nginx": nginx}


@contextlib.contextmanager
def running(command: list[str], changed: Mapping[str, str], port: int) -> Iterator[None]:
    """A proxy process that runs until the block ends."""
    process = subprocess.Popen(
        command, env={**os.environ, **changed}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    until = time.monotonic() + PATIENCE
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            said = process.stderr.read() if process.poll() is not None and process.stderr else b""
            assert process.poll() is None, said.decode()
            assert time.monotonic() < until, "the proxy did not start"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A gateway that trusts its proxy, and the ports of the proxy."""

    app: FastAPI
    engine: AsyncEngine
    folder: Path
    gateway: str
    ports: tuple[int, int]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def backend(
    gateway: GatewayFixture, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Backend]:
    """A gateway process with its own database that trusts loopback."""
    folder = tmp_path_factory.mktemp("proxied")
    own = {
        "database_url": await new_database(postgres_url),
        "log_checkpoints": (make_checkpoint_folder(folder),),
    }
    settings = gateway.settings.model_copy(update=own)
    engine = make_engine(settings.database_url, pool_size=1)
    await add_enterprise(engine, USCC, "杭州云栖数据科技有限公司")
    ports = (free_port(), free_port())
    make_certificate("CN=localhost", issuer=CA, alternatives=NAMES).write(folder, "server")
    (folder / "authorities.pem").write_bytes(CA.certificate.public_bytes(Encoding.PEM))
    changed = {
        "XINQIAO_ISSUER": f"https://localhost:{ports[0]}",
        "XINQIAO_MTLS_ORIGIN": f"https://localhost:{ports[1]}",
        "XINQIAO_TRUSTED_PROXIES": "127.0.0.1",
    }
    with serving(settings, folder / "output", **changed) as address:
        yield Backend(
            app=gateway.app,
            engine=engine,
            folder=folder,
            gateway=address.removeprefix("http://"),
            ports=ports,
        )
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="session", scope="module", params=sorted(PROXIES))
async def front(request: pytest.FixtureRequest, backend: Backend) -> AsyncIterator[Proxy]:
    """A proxy in front of the gateway."""
    command, variables = PROXIES[request.param](backend.folder, backend.ports, backend.gateway)
    with running(command, variables, backend.ports[1]):
        yield Proxy(
            app=backend.app,
            engine=backend.engine,
            folder=backend.folder,
            trust=backend.folder / "authorities.pem",
            gateway=backend.gateway,
            public=f"https://localhost:{backend.ports[0]}",
            mtls=f"https://localhost:{backend.ports[1]}",
        )


def token_form(client_id: str) -> dict[str, str]:
    """Form of a client_credentials request."""
    return {"grant_type": "client_credentials", "client_id": client_id, "scope": "verify"}
