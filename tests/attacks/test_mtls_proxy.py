"""Real proxies as `deploy/proxy` sets them up, over TLS, before a gateway of its own process.

Clients are Python's own TLS; what they write into `Client-Cert` themselves must not arrive.
"""

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
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clients import registry
from gateway.clients.authentication import Authentication
from gateway.clients.registration import Registration
from gateway.db.engine import make_engine
from gateway.synthetic.cast import ROLES, terms_of
from tests.databases import new_database
from tests.house import House, asking
from tests.log_builders import a_checkpoint_folder
from tests.mtls_builders import SUBJECT, Holder, a_certificate, an_authority, parts
from tests.oauth_builders import USCC
from tests.portal_house import add_enterprise
from tests.served_process import serving
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIGURED: Final = Path(__file__).parents[2] / "deploy" / "proxy"
NGINX: Final = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NGINX_MODULE: Final = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
NAMES: Final = [x509.DNSName("localhost")]
CA: Final = an_authority()


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A proxy that listens: for everybody, and where certificates are asked for."""

    engine: AsyncEngine
    folder: Path
    trust: Path
    public: str
    mtls: str

    def http(self, holder: Holder | None, *, chain: Holder | None = None) -> httpx2.Client:
        """A client that shows this certificate in each handshake."""
        context = ssl.create_default_context(cafile=str(self.trust))
        if holder is not None:
            name = f"client-{holder.thumbprint[:12]}"
            file = holder.write(self.folder, name)
            if chain is not None:
                file.write_bytes(file.read_bytes() + chain.certificate.public_bytes(Encoding.PEM))
            context.load_cert_chain(file)
        return httpx2.Client(verify=context, trust_env=False, timeout=PATIENCE)

    async def client(self, jwks: Mapping[str, object] | None = None, **method: str) -> str:
        """The id of a client whose tokens are bound to its certificate."""
        bank = next(each for each in ROLES if each.key == "bank")
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
        async with self.engine.begin() as conn:
            await registry.register_client(conn, registration, now=now)
            await registry.put_agreement(conn, client_id, terms_of(bank, now))
        return client_id


def free_port() -> int:
    """A port of loopback that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def haproxy(folder: Path, ports: tuple[int, int], gateway: str) -> tuple[list[str], dict[str, str]]:
    """HAProxy with the very file that operators get."""
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
    """Nginx with the file that operators get, but for addresses and paths."""
    assert NGINX is not None
    shutil.copy(CONFIGURED / "client-cert.js", folder)
    text = (CONFIGURED / "nginx.conf").read_text()
    for before, after in (
        ("modules/ngx_http_js_module.so", str(NGINX_MODULE)),
        ("listen 443 ssl", f"listen 127.0.0.1:{ports[0]} ssl"),
        ("listen 192.0.2.8:443 ssl", f"listen 127.0.0.1:{ports[1]} ssl"),
        ("http://127.0.0.1:8420", f"http://{gateway}"),
        ("/etc/nginx/xinqiao/client-authorities.pem", str(folder / "authorities.pem")),
        ("/etc/nginx/xinqiao", str(folder)),
    ):
        assert before in text
        text = text.replace(before, after)
    own = f"pid {folder}/nginx.pid; daemon off; error_log {folder}/error.log;\n"
    file = folder / "nginx.conf"
    file.write_text(own + text.replace("http {", "http { access_log off;", 1))
    return [NGINX, "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")], {}


# nginx is tried where somebody has installed it: installing it would start it, on port 80.
PROXIES: Final = {"haproxy": haproxy} | (
    {"nginx": nginx} if NGINX and NGINX_MODULE.exists() else {}
)


@contextlib.contextmanager
def running(command: list[str], changed: Mapping[str, str], port: int) -> Iterator[None]:
    """A proxy of this test's own, until the block ends."""
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


@pytest_asyncio.fixture(loop_scope="session", scope="module", params=sorted(PROXIES))
async def front(
    request: pytest.FixtureRequest,
    house: House,
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Front]:
    """A gateway process with a database of its own, and a proxy in front of it."""
    folder = tmp_path_factory.mktemp(request.param)
    own = {
        "database_url": await new_database(postgres_url),
        "log_checkpoints": (a_checkpoint_folder(folder),),
    }
    settings = house.settings.model_copy(update=own)
    engine = make_engine(settings.database_url, pool_size=1)
    await add_enterprise(engine, USCC, "杭州云栖数据科技有限公司")
    ports = (free_port(), free_port())
    server = a_certificate("CN=localhost", by=CA, alternatives=NAMES)
    server.write(folder, "server")
    trust = folder / "authorities.pem"
    trust.write_bytes(CA.certificate.public_bytes(Encoding.PEM))
    public, mtls = (f"https://localhost:{port}" for port in ports)
    changed = {
        "XINQIAO_ISSUER": public,
        "XINQIAO_MTLS_ORIGIN": mtls,
        "XINQIAO_TRUSTED_PROXIES": "127.0.0.1",
    }
    with serving(settings, folder / "output", **changed) as address:
        gateway = address.removeprefix("http://")
        command, variables = PROXIES[request.param](folder, ports, gateway)
        with running(command, variables, ports[1]):
            yield Front(engine=engine, folder=folder, trust=trust, public=public, mtls=mtls)
    await engine.dispose()


def token_form(client_id: str) -> dict[str, str]:
    """A request for a token with the client's own credentials."""
    return {"grant_type": "client_credentials", "client_id": client_id, "scope": "verify"}


async def test_a_client_goes_the_whole_way_through_the_proxy(front: Front) -> None:
    """Discovery, a token at the alias, and a call: with a certificate and no signature of its own."""
    holder = a_certificate(by=CA)
    client_id = await front.client(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn=SUBJECT,
    )
    with front.http(holder) as http:
        found = http.get(f"{front.public}/.well-known/oauth-authorization-server").json()
        endpoint = found["mtls_endpoint_aliases"]["token_endpoint"]
        assert endpoint.startswith(front.mtls)
        given = http.post(endpoint, data=token_form(client_id))
        assert given.status_code == 200, given.text
        token = given.json()["access_token"]
        assert parts(token)["cnf"] == {"x5t#S256": holder.thumbprint}
        bearer = {"Authorization": f"Bearer {token}"}
        body = asking(USCC, "is_active.v1")
        answer = http.post(f"{front.mtls}/v1/verifications", json=body, headers=bearer)
        assert answer.status_code == 200, answer.text
        # where no certificate is asked for, the same token is nothing
        elsewhere = http.post(f"{front.public}/v1/verifications", json=body, headers=bearer)
        assert elsewhere.status_code == 401
    with front.http(a_certificate(by=CA)) as thief:
        stolen = thief.post(f"{front.mtls}/v1/verifications", json=body, headers=bearer)
        assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_token")


async def test_a_certificate_that_signed_itself_goes_through(front: Front) -> None:
    """The proxy passes it on, the gateway knows it by its bytes; another one is nobody's."""
    own = a_certificate("CN=own")
    client_id = await front.client(
        {"keys": [own.jwk]},
        token_endpoint_auth_method="self_signed_tls_client_auth",
    )
    with front.http(own) as http:
        given = http.post(f"{front.mtls}/oauth/token", data=token_form(client_id))
        assert given.status_code == 200, given.text
    with front.http(a_certificate("CN=own", key=own.key)) as other:
        refused = other.post(f"{front.mtls}/oauth/token", data=token_form(client_id))
        assert refused.json()["error"] == "invalid_client"


@pytest.mark.parametrize("where", ["public", "mtls"])
async def test_large_deliveries_reach_the_gateway(front: Front, where: str) -> None:
    """It is the gateway that refuses a megabyte without a token, not the proxy for its size."""
    with front.http(None) as http:
        refused = http.post(f"{getattr(front, where)}/v1/records", content=b" " * (1 << 20))
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("where", ["public", "mtls"])
async def test_what_a_client_writes_itself_does_not_arrive(front: Front, where: str) -> None:
    """A forged header, in any case, twice, or beside a certificate of the client's own."""
    victim = a_certificate(by=CA)
    client_id = await front.client(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn=SUBJECT,
    )
    stranger = a_certificate("CN=stranger,C=CN", by=CA)
    url = f"{getattr(front, where)}/oauth/token"
    for holder in (None, stranger):
        for headers in (
            [("Client-Cert", victim.header)],
            [("CLIENT-CERT", victim.header), ("client-cert", victim.header)],
            [("Client-Cert", victim.header), ("X-Forwarded-For", "127.0.0.1")],
            [("Client_Cert", victim.header)],
            [("Connection", "close, Client-Cert"), ("Client-Cert", victim.header)],
        ):
            with front.http(holder) as http:
                answer = http.post(url, data=token_form(client_id), headers=headers)
            assert answer.status_code == 400
            assert answer.json()["error"] in {"invalid_client", "invalid_dpop_proof"}, headers


async def test_no_chain_no_entry(front: Front) -> None:
    """The registered name under an authority of one's own, by itself, or out of its term."""
    client_id = await front.client(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn=SUBJECT,
    )
    false_authority = a_certificate("CN=Test Authority,C=CN", authority=True)
    other_authority = a_certificate("CN=Mine,C=CN", authority=True)
    for holder, chain in (
        (a_certificate(by=false_authority), None),
        (a_certificate(by=false_authority), false_authority),
        (a_certificate(by=other_authority), None),
        (a_certificate(by=other_authority), other_authority),
        (a_certificate(), None),
        (a_certificate(by=CA, days=(-9, -1)), None),
        (a_certificate(by=CA, days=(1, 9)), None),
    ):
        try:
            with front.http(holder, chain=chain) as http:
                answer = http.post(f"{front.mtls}/oauth/token", data=token_form(client_id))
        except (httpx2.TransportError, ssl.SSLError):
            continue
        assert answer.status_code == 400
        document = answer.json() if "json" in answer.headers["content-type"] else {}
        assert document.get("error", "invalid_client") in {"invalid_client", "invalid_dpop_proof"}
