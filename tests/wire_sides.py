"""The real and the fake gateway behind one face, for stories that both must answer alike."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

import httpx2

import consent
from consent import store
from gateway.background.housekeeping import notify_expired_consents
from gateway.disclosure import consent_log_writer
from gateway.limits.quotas import Quotas
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.consent_builders import SHOWN, grant_all, make_person
from tests.gateway_fixture import Caller, GatewayFixture
from tests.oauth_builders import claims_of, sign_jwt
from tests.sdk_builders import client_of
from xinqiao import Client, Evidence
from xinqiao._core.signatures.exchange import sha256_digest
from xinqiao._core.transport.send import proof
from xinqiao.testing import FakeAgreement, FakeGateway

PURPOSE: Final = "loan_approval"
REVIEW: Final = "merchant_review"
PURPOSES: Final = frozenset({PURPOSE, "post_loan_management", REVIEW})
"""The purposes of the agreement."""
OUTSIDE: Final = "third_party_rating"
"""A dataset that the agreement leaves out."""


Send: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Sends a body to a path; the status, or of a problem its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSide:
    """The real gateway over a socket."""

    gateway: GatewayFixture
    caller: Caller
    client: Client
    uscc: str
    name: str
    problems: list[Mapping[str, Any]] = field(default_factory=list)
    """Problems that raw calls got."""

    async def grant(self, *datasets: str, expired: bool = False, **given: Any) -> str:
        """Grant a consent."""
        past: dict[str, Any] = {"granted_days_ago": 10, "days": 5} if expired else {}
        return await self.gateway.grant(self.caller, self.uscc, datasets=datasets, **past, **given)

    def raw(self) -> httpx2.Client:
        """An HTTP client."""
        return httpx2.Client(base_url=self.gateway.issuer, trust_env=False)

    def open(self, **options: Any) -> Client:
        """Another client of the SDK, with the same credentials."""
        client: Client = client_of(self.caller, Client, **options)
        return client

    async def act(self, act: str, consent_id: str) -> None:
        """Act on a consent."""
        acts: dict[str, Callable[..., consent.Transition | consent.Refused]] = {
            "grant": grant_all,
            "refuse": partial(consent.refuse, shown=SHOWN),
            "withdraw": consent.withdraw,
            "pause": consent.pause,
        }
        await self.gateway.act(acts[act], consent_id)

    async def narrow(self, consent_id: str, *datasets: str) -> None:
        """Leave a consent these datasets."""
        async with self.gateway.runtime.engine.connect() as connection:
            held = await store.by_id(connection, consent_id)
        assert held is not None
        scope = replace(held.scope, datasets=datasets, questions=())
        await self.gateway.act(partial(consent.narrow, scope=scope), consent_id)

    async def amend(self, consent_id: str) -> None:
        """Grant a request that amends a running consent."""
        async with self.gateway.runtime.engine.begin() as connection:
            asked = await store.by_id(connection, consent_id)
            held = await store.by_id(connection, (asked and asked.amends) or "")
            assert asked is not None
            assert held is not None
            both = consent.amend(
                held,
                asked,
                scope=asked.scope,
                person=make_person(self.uscc),
                shown=SHOWN,
                now=self.gateway.clock(),
            )
            assert not isinstance(both, consent.Refused)
            for old, new in zip((held, asked), both, strict=True):
                assert await consent_log_writer.save(connection, old, new)

    async def by_browser(self, *datasets: str) -> tuple[str, Send]:
        """A consent with its token from the browser; its id, and a sender with that token."""
        caller, now = self.caller, self.gateway.clock()
        held = await self.grant(*datasets, questions=["rating_at_least.v1"])
        key = self.gateway.runtime.keys.current("token", now)
        claims = claims_of(await caller.token("query verify"))
        bound = claims | {"uscc": self.uscc, "consent_id": held}
        token = sign_jwt(key.private, "EdDSA", bound, {"typ": "at+jwt", "kid": key.kid})

        async def send(path: str, body: Mapping[str, Any]) -> Any:
            proof = await caller.proof("POST", path, token)
            headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
            answer = await caller.send(path, dict(body), headers=headers)
            return answer.json().get("code", answer.status_code)

        return held, send

    async def run_out(self, *datasets: str) -> str:
        """Grant a consent whose term has just ended, with its notice."""
        held = await self.grant(*datasets, expired=True)
        await notify_expired_consents(self.gateway.runtime)
        return held


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeSide:
    """The fake gateway."""

    gateway: FakeGateway
    client: Client
    uscc: str
    name: str
    problems: list[Mapping[str, Any]] = field(default_factory=list)
    """Problems that raw calls got."""

    async def grant(self, *datasets: str, expired: bool = False, **given: Any) -> str:
        """Grant a consent."""
        ends = datetime.now(UTC) + timedelta(days=-5 if expired else 100)
        chosen = {"purpose": PURPOSE, "valid_until": ends, "max_uses": 10, **given}
        held = self.gateway.grant_consent(self.uscc, datasets=datasets, **chosen)
        return held.consent_id

    def raw(self) -> httpx2.Client:
        """An HTTP client."""
        return httpx2.Client(base_url=self.gateway.issuer, transport=self.gateway)

    def open(self, **options: Any) -> Client:
        """Another client of the SDK, with the same credentials."""
        return self.gateway.client(**options)

    async def act(self, act: str, consent_id: str) -> None:
        """Act on a consent."""
        if act == "withdraw":
            self.gateway.withdraw(consent_id)
        elif act == "pause":
            self.gateway.pause_consent(consent_id)
        else:
            self.gateway.answer_consent(consent_id, grant=act == "grant")

    async def narrow(self, consent_id: str, *datasets: str) -> None:
        """Leave a consent these datasets."""
        self.gateway.narrow_consent(consent_id, datasets=datasets, questions=())

    async def amend(self, consent_id: str) -> None:
        """Grant a request that amends a running consent."""
        self.gateway.answer_consent(consent_id)

    async def by_browser(self, *datasets: str) -> tuple[str, Send]:
        """A consent with its token from the browser; its id, and a sender with that token."""
        start = self.client.start_consent(
            uscc=self.uscc, purpose=PURPOSE, datasets=datasets, questions=["rating_at_least.v1"]
        )
        grant = self.client.finish_consent(start, self.gateway.decide(start.url))
        session = self.client._session

        async def send(path: str, body: Mapping[str, Any]) -> Any:
            content = json.dumps(body).encode()
            self.client.headers_for("POST", path)  # a fresh nonce
            url = f"{self.gateway.issuer}{path}"
            headers = {
                "Authorization": f"DPoP {grant.access_token}",
                "DPoP": proof(session, "resource", "POST", url, grant.access_token),
                "Content-Type": "application/json",
                "Content-Digest": sha256_digest(content),
            }
            with self.raw() as raw:
                answer = raw.post(path, content=content, headers=headers)
            return answer.json().get("code", answer.status_code)

        return grant.consent_id, send

    async def run_out(self, *datasets: str) -> str:
        """Grant a consent whose term has just ended, with its notice."""
        return await self.grant(*datasets, expired=True)


Side: TypeAlias = RealSide | FakeSide
"""A gateway with one client, and an enterprise that acts on its consents."""


async def real_side(served: GatewayFixture, *, per_minute: int = 10_000) -> Side:
    """A new client of the real gateway."""
    caller = await served.client(
        purposes=PURPOSES, datasets=_datasets(served), quotas=Quotas(per_minute=per_minute)
    )
    of = served.entity("disputed").enterprise
    return RealSide(
        gateway=served,
        caller=caller,
        client=client_of(caller, Client),
        uscc=of.uscc,
        name=of.name,
    )


async def fake_side(served: GatewayFixture, *, per_minute: int = 10_000) -> Side:
    """A fake gateway, under the same agreement and with the same enterprise."""
    agreement = FakeAgreement(purposes=PURPOSES, datasets=_datasets(served), per_minute=per_minute)
    fake = FakeGateway(agreement=agreement)
    of = served.entity("disputed").enterprise
    fake.add_enterprise(
        of.uscc,
        answers={
            ("enterprise_name.v1", of.name): "yes",
            "is_active.v1": "yes",
            "rating_at_least.v1": "yes",
        },
        elements={"name": of.name, "legal_representative": of.legal_representative},
        records=[
            {"dataset": "penalty", "fields": {"fine": "1.0", "decided_on": "2026-01-05"}},
            {"dataset": "licence", "fields": {"name": "x", "decided_on": "2026-01-05"}},
        ],
    )
    return FakeSide(gateway=fake, client=fake.client(), uscc=of.uscc, name=of.name)


def _datasets(served: GatewayFixture) -> frozenset[str]:
    bank = next(each for each in DEMO_CLIENTS if each.key == "bank")
    terms = terms_of(bank, served.clock())
    return frozenset({*terms.datasets, "supervision"} - {OUTSIDE})


def call(
    side: Side,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Evidence:
    """A raw call with the scopes of a bank; its verified answer."""
    scope = "verify query consents changes"
    evidence = side.client.request(
        method, path, json=body, content=content, headers=headers, scope=scope
    )
    if evidence.status >= 400:
        side.problems.append(evidence.json())
    return evidence


def told(evidence: Evidence) -> Any:
    """The status, or of a problem its code; with the warnings, if there are any."""
    if evidence.status == 204:
        return 204
    body = evidence.json()
    found = body.get("code", evidence.status)
    return (found, *body["warnings"]) if "warnings" in body else found


def verification(side: Side, *asked: Any, **members: Any) -> dict[str, Any]:
    """Body of a verification; questions as tags or as (tag, value)."""
    pairs = [(each, None) if isinstance(each, str) else each for each in asked]
    return {
        "enterprise": {"uscc": side.uscc},
        "purpose": PURPOSE,
        "questions": [
            {"question": tag} | ({} if value is None else {"value": value}) for tag, value in pairs
        ],
        **members,
    }


def query(side: Side, *datasets: str, **members: Any) -> dict[str, Any]:
    """Body of a query."""
    return {
        "enterprise": {"uscc": side.uscc},
        "purpose": PURPOSE,
        "datasets": list(datasets),
        **members,
    }


def consent_request(side: Side, **members: Any) -> dict[str, Any]:
    """Body of a request for a consent by link."""
    return {
        "enterprise": {"uscc": side.uscc},
        "purpose": PURPOSE,
        "datasets": ["penalty"],
        **members,
    }
