"""Portal fixture: a whole portal with a real database, real sign-in and a movable clock."""

import json
import re
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
from fastapi import FastAPI
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from consent.mapping import request_from_json
from gateway.app import create_app
from gateway.clients import registry
from gateway.clients.tables import ClientRow
from gateway.clients.terms import Terms
from gateway.codes import store as codes
from gateway.codes.store import Code
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.records import Record
from gateway.creditfile.tables import enterprise, record
from gateway.disclosure.application_outcomes.model import (
    ApplicationOutcome,
    OutcomeReason,
    ToldOutcome,
)
from gateway.disclosure.application_outcomes.store import add_outcome
from gateway.disclosure.tables import DisclosureRow
from gateway.identity import interactions
from gateway.identity.demo_accounts import hash_password
from gateway.identity.demo_provider import DemoProvider
from gateway.limits.quotas import Quotas
from gateway.oauth.tables import PushedRequestRow
from gateway.privacy.field_encryption import Vault
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.signing.keys import new_key_file
from tests.clock import Clock
from tests.consent_leaf_checks import without_their_leaf
from tests.log_builders import begin_anew, make_checkpoint_folder

AUTHORITY: Final = "示例省公共信用信息中心"
ISSUER: Final = "http://127.0.0.1:8000"
BANK_ORIGIN: Final = "http://127.0.0.1:9911"
PASSWORD: Final = "correct horse battery"  # of made-up people
NOON: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CATALOGUE: Final = load_catalogue()

_HIDDEN: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_FORM: Final = re.compile(r"<form [^>]*>.*?</form>", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class PortalFixture:
    """A running portal, with builders for its database."""

    app: FastAPI
    clock: Clock
    firm: str
    shop: str
    elsewhere: str
    unknown: str
    bank: str = ""
    browsers: list[httpx2.AsyncClient] = field(default_factory=list)

    @property
    def runtime(self) -> Runtime:
        """The portal's runtime."""
        runtime: Runtime = self.app.state.runtime
        return runtime

    @property
    def engine(self) -> AsyncEngine:
        """The portal's engine."""
        return self.runtime.engine

    def browser(self, **headers: str) -> httpx2.AsyncClient:
        """A browser without cookies that does not follow redirects; its pages show one request id."""
        made = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app),
            base_url=ISSUER,
            headers={"X-Request-Id": "req-of-a-test"} | headers,
        )
        self.browsers.append(made)
        return made

    async def signed_in(self, username: str = "zhang") -> httpx2.AsyncClient:
        """A browser in which `username` is signed in through the provider's page."""
        browser = self.browser()
        response = await sign_in(browser, username)
        assert response.status_code == 303, response.text
        return browser

    async def add_client(
        self,
        name: str = "浙江示范银行",
        name_en: str = "Zhejiang Demo Bank",
        quotas: Quotas | None = None,
    ) -> str:
        """Register a bank."""
        client_id = f"bank-{secrets.token_hex(4)}"
        async with self.engine.begin() as connection:
            await connection.execute(
                insert(ClientRow).values(
                    client_id=client_id,
                    kind="bank",
                    name_zh=name,
                    name_en=name_en,
                    state="active",
                    jwks={"keys": []},
                    redirect_uris=[f"{BANK_ORIGIN}/callback"],
                    scopes=["query"],
                    contact="0571-00000000 <行长>",
                    created_at=self.clock(),
                )
            )
            terms = Terms(
                purposes=frozenset({"loan_approval"}),
                datasets=frozenset({"registration", "penalty"}),
                questions=frozenset({"is_active.v1"}),
                valid_from=self.clock() - timedelta(days=1),
                valid_until=self.clock() + timedelta(days=3650),
                quotas=quotas or Quotas(),
            )
            await registry.put_agreement(connection, client_id, terms)
        return client_id

    async def ask(self, **changed: Any) -> str:
        """Open an interaction; `changed` are members of its request."""
        ask: dict[str, Any] = {
            "client_id": self.bank,
            "uscc": self.firm,
            "purpose": "loan_approval",
            "datasets": ["registration", "penalty", "public_rating"],
            "questions": ["legal_representative_id.v1"],
            "valid_until": (self.clock() + timedelta(days=180)).isoformat(),
            "max_uses": 10,
            "redirect_uri": f"{BANK_ORIGIN}/callback",
            "state": "state-1",
        }
        request_digest = changed.pop("request_digest", secrets.token_bytes(32))
        redirect_origin = changed.pop("redirect_origin", BANK_ORIGIN)
        ask.update(changed)
        async with self.engine.begin() as connection:
            await connection.execute(
                upsert(PushedRequestRow)
                .values(
                    digest=request_digest,
                    client_id=ask["client_id"],
                    dpop_jkt=None,
                    parameters={**ask, "scope": "query", "code_challenge": "made-up"},
                    expires_at=self.clock() + timedelta(minutes=10),
                )
                .on_conflict_do_nothing(),
            )
            return await interactions.open_interaction(
                connection,
                self.runtime.digests,
                request_digest=request_digest,
                asked=request_from_json(ask),
                redirect_origin=redirect_origin,
                now=self.clock(),
            )

    async def add_records(self, *records: Record) -> None:
        """Store records as ingest would."""
        async with self.engine.begin() as connection:
            for each in records:
                row = {c.name: getattr(each, c.name) for c in record.columns}
                row["fields"] = dict(each.fields)
                row["received_at"] = each.received_at or each.source_time
                await connection.execute(insert(record).values(row))

    async def add_code(self, uscc: str, sign_name: str = "云栖小店", label: str = "") -> Code:
        """Issue a code for a sign."""
        async with self.engine.begin() as connection:
            return await codes.issue(connection, uscc, sign_name, label=label, now=self.clock())

    async def revoke_code(self, code: Code) -> None:
        """Revoke a code."""
        async with self.engine.begin() as connection:
            assert await codes.revoke(
                connection,
                code.uscc,
                code.code_id,
                actor="demo:zhang",
                token_digest=b"\x01" * 32,
                now=self.clock(),
            )

    async def add_look(self, uscc: str, **changed: Any) -> str:
        """Add a row to the access history."""
        disclosure_id = f"dsc_{secrets.token_hex(8)}"
        row = {
            "uscc": uscc,
            "disclosure_id": disclosure_id,
            "client_id": self.bank,
            "kind": "query",
            "outcome": "told",
            "reason": None,
            "purpose": "loan_approval",
            "consent_id": None,
            "agreement_version": 1,
            "asked": ["registration", "penalty"],
            "relied_on": [],
            "result_digest": b"r",
            "leaf_hash": secrets.token_bytes(32),
            "at": self.clock(),
        }
        async with self.engine.begin() as connection:
            await connection.execute(insert(DisclosureRow).values(row | changed))
        return disclosure_id

    async def tell_outcome(
        self, disclosure_id: str, outcome: str, *reasons: str, version: int = 1
    ) -> None:
        """Let the bank tell the outcome of one of its queries about the firm."""
        told = ToldOutcome(
            uscc=self.firm,
            disclosure_id=disclosure_id,
            version=version,
            client_id=self.bank,
            outcome=ApplicationOutcome(outcome),
            reasons=[OutcomeReason(each) for each in reasons],
            at=self.clock(),
        )
        async with self.engine.begin() as connection:
            assert await add_outcome(connection, told)


async def add_enterprise(engine: AsyncEngine, uscc: str, name: str, **changed: Any) -> None:
    """Add an enterprise."""
    row = {
        "uscc": uscc,
        "registration_id": f"reg_{uscc[-6:]}",
        "name": name,
        "name_key": name,
        "kind": "firm",
        "entity_type": "1130",
        "status": "active",
        "legal_representative": "张三丰",
        "capital": 500,
        "currency": "CNY",
        "established_on": date(2018, 3, 9),
        "registering_authority": "杭州市西湖区市场监督管理局",
        "division": "330106",
        "scope": "软件开发；数据处理服务。",
        "address": "杭州市西湖区虚构街1号",
        "source_id": "source",
        "source_name": "市场监督管理部门",
        "source_time": NOON,
        "catalogue_version": CATALOGUE.version,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(enterprise).values(row | changed))


@asynccontextmanager
async def open_portal(
    url: str,
    folder: Path,
    *,
    clock: Clock | None = None,
    issuer: str = ISSUER,
    **changed: Any,
) -> AsyncIterator[PortalFixture]:
    """A portal with a firm, an individual business, an unrelated enterprise and a bank.

    `changed` are settings to override.
    """
    clock = clock or Clock(NOON)
    usccs = [f"91330106MA{secrets.token_hex(4).upper()}" for _ in range(4)]
    firm, shop, elsewhere, unknown = usccs
    settings = _settings(url, folder, issuer, _people(firm, shop, elsewhere), **changed)
    async with _running(settings, clock) as app:
        portal = PortalFixture(
            app=app,
            clock=clock,
            firm=firm,
            shop=shop,
            elsewhere=elsewhere,
            unknown=unknown,
        )
        await add_enterprise(portal.engine, firm, "杭州云栖数据科技有限公司")
        await add_enterprise(
            portal.engine,
            shop,
            "义乌市佳禾日用品商行",
            kind="individual_business",
            legal_representative="李四光",
            division="330782",
        )
        await add_enterprise(portal.engine, elsewhere, "宁波远航贸易有限公司", division="330203")
        portal.bank = await portal.add_client()
        yield portal
        for browser in portal.browsers:
            await browser.aclose()
        assert not await without_their_leaf(portal.engine, usccs)


@asynccontextmanager
async def _running(settings: Settings, clock: Clock) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    await begin_anew(settings.database_url)  # each portal has keys and a place of its own
    async with app.router.lifespan_context(app):
        app.state.runtime = replace(app.state.runtime, now=clock)
        if isinstance(app.state.identity_provider, DemoProvider):
            app.state.identity_provider.now = clock
        yield app


def _settings(
    url: str, folder: Path, issuer: str, people: Iterable[dict[str, Any]], **changed: Any
) -> Settings:
    signing, vault, accounts = (folder / name for name in ("keys", "vault", "people"))
    signing.write_text(new_key_file(NOON - timedelta(days=1)))
    vault.write_text(Vault.generate_keys())
    accounts.touch(mode=0o600)
    accounts.write_text(json.dumps(list(people)))
    return Settings(
        authority=AUTHORITY,
        database_url=url,
        issuer=issuer,
        secret="s" * 32,
        signing_keys=signing,
        vault_keys=vault,
        log_checkpoints=(make_checkpoint_folder(folder),),
        demo=True,
        demo_people=accounts,
        request_timeout=120,  # a busy machine takes its time
        **{"notices_folder": folder / "notices", "notices_every": 3600, **changed},
    )


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


def _people(firm: str, shop: str, elsewhere: str) -> list[dict[str, Any]]:
    kept = _password_hash()
    of = {
        "zhang": ("张三丰", [firm]),
        "li": ("李四光", [firm, shop]),
        "shopkeeper": ("李四光", [shop]),
        "wang": ("王五", [elsewhere]),
        "none": ("赵六", []),
        "clerk": ("孙小美", [firm]),
    }
    roles = {"clerk": "agent"}
    return [
        {
            "username": username,
            "name": name,
            "password_hash": kept,
            "enterprises": [
                {"uscc": uscc, "role": roles.get(username, "legal_representative")}
                for uscc in usccs
            ],
        }
        for username, (name, usccs) in of.items()
    ]


async def sign_in(
    browser: httpx2.AsyncClient,
    username: str,
    password: str = PASSWORD,
    *,
    wanted: str = "/portal",
) -> httpx2.Response:
    """Sign in on the pages; the response of the return address, or the refusal."""
    begun = await browser.get("/portal/sign-in", params={"return": wanted})
    page = await browser.get(begun.headers["location"])
    answer = await browser.post(
        "/demo-identity/sign-in",
        data=hidden_fields(page.text) | {"username": username, "password": password},
    )
    return await browser.get(answer.headers["location"]) if answer.is_redirect else answer


def hidden_fields(page: str, action: str | None = None) -> dict[str, str]:
    """Hidden fields of the form with `action`, or of the last form."""
    forms = _FORM.findall(page)
    wanted = [form for form in forms if action is None or f'action="{action}"' in form]
    return dict(_HIDDEN.findall(wanted[-1]))


def query_of(address: str) -> dict[str, list[str]]:
    """Query parameters of a URL."""
    return parse_qs(urlsplit(address).query)
