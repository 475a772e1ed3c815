"""State machine of OAuth grants: no token outlives its consent, client, agreement or key.

The whole gateway runs in process on PostgreSQL, with a clock that the machine advances.
A small model predicts each result; both too much and too little access fail.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import consent
from consent import Channel, Person
from consent import store as consents
from gateway.clients import registry
from gateway.disclosure import consent_log_writer
from gateway.privacy.field_encryption import Vault
from gateway.settings import Settings
from gateway.signing.keys import new_key_file
from tests.client_builders import set_active
from tests.clock import Clock
from tests.consent_leaf_checks import without_their_leaf
from tests.databases import new_database
from tests.gateway_fixture import in_process, query_body
from tests.log_builders import make_checkpoint_folder
from tests.oauth_builders import (
    ISSUER,
    SECRET,
    USCC,
    Bank,
    OAuthFixture,
    answer_of,
    claims_of,
    decide_and_resume,
    digest_of,
    interaction_of,
    make_consent_request,
    public_jwk,
    some_terms,
)
from tests.portal_fixture import add_enterprise

EXAMPLES: Final = 30
STEPS: Final = 25
MAX_USES: Final = 2
LOOKED_AT: Final = 3  # the newest so many tokens are tried after each step, all of them at the end
INACTIVE: Final = {"active": False}

Run = Callable[[Coroutine[Any, Any, Any]], Any]
picks = st.integers(0, 3)
terms = st.sampled_from([timedelta(minutes=4), timedelta(hours=1), timedelta(days=100)])
spans = st.sampled_from([20, 61, 301, 1_000, 90_000]).map(
    lambda seconds: timedelta(seconds=seconds)
)


@dataclass(slots=True, kw_only=True)
class Pushed:
    """A pushed request and its end."""

    request_uri: str
    until: datetime


@dataclass(slots=True, kw_only=True)
class Grant:
    """A grant of the model, from one decision."""

    code: str
    consent_id: str
    code_until: datetime
    valid_until: datetime
    redeemed: bool = False
    revoked: bool = False
    ended: bool = False
    paused: bool = False
    uses: int = 0
    refresh_token: str | None = None

    def goes_on(self, now: datetime) -> bool:
        """True if its consent can still be used."""
        return not self.over(now) and self.uses < MAX_USES

    def over(self, now: datetime) -> bool:
        """True if its consent was withdrawn, replaced or has expired."""
        return self.ended or now >= self.valid_until


@dataclass(slots=True, kw_only=True)
class AccessToken:
    """An access token of the model."""

    text: str
    grant: Grant
    revoked: bool = False
    until: float = field(init=False)

    def __post_init__(self) -> None:
        """Read its expiry from its claims."""
        self.until = float(claims_of(self.text)["exp"])

    def holds(self, now: datetime) -> bool:
        """True if it is neither revoked nor expired."""
        return not (self.revoked or self.grant.revoked) and now.timestamp() < self.until


class GrantMachine(RuleBasedStateMachine):
    """One client, one enterprise, an operator, a clock, and every issued token."""

    def __init__(self, run: Run, oauth: OAuthFixture) -> None:
        super().__init__()
        self.run, self.oauth = run, oauth
        self.pushed: list[Pushed] = []
        self.grants: list[Grant] = []
        self.tokens: list[AccessToken] = []
        self.former: list[Bank] = []

    @initialize(term=st.none() | terms)
    def begins(self, term: timedelta | None) -> None:
        """A client with an agreement, and possibly tokens."""
        self.oauth.clock.ahead = timedelta()
        self.bank: Bank = self.run(self.oauth.bank())
        self.active = True
        self.agreed_until = self.now + timedelta(days=365)
        if term is not None:
            self.pushes(term)
            self.grants_it()
            self.redeems(0)

    @property
    def now(self) -> datetime:
        """The present time."""
        return self.oauth.clock()

    @property
    def in_force(self) -> bool:
        """True if the agreement is in force."""
        return self.now < self.agreed_until

    # The client

    @rule(term=terms)
    def pushes(self, term: timedelta) -> None:
        """Push a request."""
        asked = make_consent_request(
            valid_until=(self.now + term).isoformat(), max_uses=MAX_USES, questions=None
        )
        answer = self.run(
            self.bank.push(authorization_details=json.dumps([asked]), scope="query verify consents")
        )
        within = self.now + term <= self.agreed_until
        good = self.active and self.in_force and within
        assert (answer.status_code == 201) is good, answer.text
        if answer.status_code == 201:
            until = self.now + timedelta(seconds=90)
            self.pushed.append(Pushed(request_uri=answer.json()["request_uri"], until=until))

    @precondition(lambda self: self.grants)
    @rule(pick=picks)
    def redeems(self, pick: int) -> None:
        """Redeem a code, for the first time or again."""
        grant = self.grants[-1 - pick % len(self.grants)]
        answer = self.run(self.bank.redeem(grant.code))
        fresh = not grant.redeemed and self.now < grant.code_until
        good = self.active and self.in_force and fresh and grant.goes_on(self.now)
        assert (answer.status_code == 200) is good, answer.text
        if self.active:
            grant.revoked = grant.revoked or grant.redeemed
            grant.redeemed = grant.redeemed or fresh
        if good:
            grant.refresh_token = answer.json()["refresh_token"]
            self._given(answer, grant)

    @precondition(lambda self: self._refreshable())
    @rule(pick=picks)
    def refreshes(self, pick: int) -> None:
        """Use a refresh token."""
        held = self._refreshable()
        grant = held[-1 - pick % len(held)]
        answer = self.run(self.bank.refresh(grant.refresh_token or ""))
        assert (answer.status_code == 200) is self._lives(grant), answer.text
        if answer.status_code == 200:
            self._given(answer, grant)

    @precondition(lambda self: self.tokens)
    @rule(pick=picks)
    def queries(self, pick: int) -> None:
        """Query under the consent, spending a use."""
        token = self.tokens[-1 - pick % len(self.tokens)]
        answer = self.run(
            self._call("POST", "/v1/queries", token, query_body(USCC, "registration"))
        )
        good = self._passes(token) and not token.grant.paused
        good = good and token.grant.uses < MAX_USES
        assert (answer.status_code == 200) is good, answer.text
        token.grant.uses += answer.status_code == 200

    @precondition(lambda self: self.tokens)
    @rule(pick=picks)
    def revokes_an_access_token(self, pick: int) -> None:
        """Revoke an access token."""
        token = self.tokens[-1 - pick % len(self.tokens)]
        answer = self.run(self.bank.about("revoke", token.text))
        assert (answer.status_code == 200) is self.active
        token.revoked = token.revoked or (self.active and self.now.timestamp() < token.until)

    @precondition(lambda self: self._refreshable())
    @rule(pick=picks)
    def revokes_a_refresh_token(self, pick: int) -> None:
        """Revoke a refresh token and all tokens of its grant."""
        held = self._refreshable()
        grant = held[-1 - pick % len(held)]
        answer = self.run(self.bank.about("revoke", grant.refresh_token or ""))
        assert (answer.status_code == 200) is self.active
        grant.revoked = grant.revoked or self.active

    # The enterprise

    @precondition(lambda self: self.pushed)
    @rule()
    def grants_it(self) -> None:
        """Grant the newest request, superseding the earlier consent."""
        asked = self.pushed.pop()
        opened = self.run(self.bank.open(asked.request_uri))
        may = self.active and self.in_force and self.now < asked.until
        assert (opened.status_code == 303) is may
        if not may:
            return
        code = answer_of(self.run(decide_and_resume(self.oauth, interaction_of(opened))))["code"]
        for older in self.grants:
            older.ended = True
        found = self.run(self._newest_consent())
        self.grants.append(
            Grant(
                code=code,
                consent_id=found.consent_id,
                code_until=self.now + timedelta(seconds=60),
                valid_until=found.valid_until,
            )
        )

    @precondition(lambda self: self.grants)
    @rule(act=st.sampled_from(["pause", "resume", "withdraw"]))
    def acts(self, act: str) -> None:
        """Pause, resume or withdraw the consent."""
        grant = self.grants[-1]
        if self.run(self._act(act, grant.consent_id)):
            grant.ended = grant.ended or act == "withdraw"
            grant.paused = act == "pause"

    # The operator

    @rule()
    def suspends_or_lets_go_on(self) -> None:
        """Suspend or resume the client."""
        self.active = not self.active
        self.run(self._operate(set_active, active=self.active))

    @rule(lasts=st.sampled_from([None, timedelta(minutes=3), timedelta(days=365)]))
    def agrees(self, lasts: timedelta | None) -> None:
        """End the agreement, or put a new one."""
        if lasts is None:
            self.run(self._operate(registry.end_agreement, now=self.now))
            self.agreed_until = min(self.agreed_until, self.now)
            return
        self.agreed_until = self.now + lasts
        new = some_terms(self.now, valid_until=self.agreed_until)
        self.run(self._operate(registry.put_agreement, new))

    @rule()
    def takes_a_new_key(self) -> None:
        """Replace the client's key."""
        self.former.append(self.bank)
        self.bank = replace(self.bank, key=ec.generate_private_key(ec.SECP256R1()))
        keys = {"keys": [public_jwk(self.bank.key, kid="k1")]}
        self.run(
            self.oauth.change(
                "UPDATE client SET jwks = CAST(:keys AS jsonb) WHERE client_id = :client",
                keys=json.dumps(keys),
                client=self.bank.client_id,
            )
        )

    @rule(span=spans)
    def time_passes(self, span: timedelta) -> None:
        """Advance the clock."""
        self.oauth.clock.advance(span)

    # What must hold

    @invariant()
    def each_new_token_is_as_it_should_be(self) -> None:
        """Invariant: new tokens have the right claims."""
        self._look_at(self.tokens[-LOOKED_AT:], self._refreshable()[-1:])

    @invariant()
    def an_old_key_opens_nothing(self) -> None:
        """Invariant: codes, refresh tokens and client_credentials fail with it."""
        for former in self.former[-1:]:
            answers = [self.run(former.token())]
            answers += [self.run(former.redeem(grant.code)) for grant in self.grants[-1:]]
            for grant in self._refreshable()[-1:]:
                answers.append(self.run(former.refresh(grant.refresh_token or "")))
            assert {answer.json()["error"] for answer in answers} == {"invalid_client"}

    def teardown(self) -> None:
        """Check all tokens and the log leaves of all consent events."""
        self._look_at(self.tokens, self._refreshable())
        assert not self.run(without_their_leaf(self.oauth.runtime.engine))

    def _look_at(self, tokens: list[AccessToken], grants: list[Grant]) -> None:
        for token in tokens:
            told = self.run(self.bank.about("introspect", token.text)).json()
            active = token.holds(self.now) and self._stands() and token.grant.goes_on(self.now)
            self._is_told(told, active=active)
            path = f"/v1/consents/{token.grant.consent_id}"
            called = self.run(self._call("GET", path, token))
            assert (called.status_code == 200) is self._passes(token), called.text
        for grant in grants:
            told = self.run(self.bank.about("introspect", grant.refresh_token or "")).json()
            self._is_told(told, active=self._lives(grant))

    def _is_told(self, told: dict[str, Any], *, active: bool) -> None:
        if self.active:
            assert told.get("active") is active, told
        else:
            assert told["error"] == "invalid_client"

    def _stands(self) -> bool:
        return self.active and self.in_force

    def _lives(self, grant: Grant) -> bool:
        """True if its refresh token is accepted."""
        return self._stands() and not grant.revoked and grant.goes_on(self.now)

    def _passes(self, token: AccessToken) -> bool:
        """True if a call with it is accepted."""
        return self._stands() and token.holds(self.now) and not token.grant.over(self.now)

    def _refreshable(self) -> list[Grant]:
        return [grant for grant in self.grants if grant.refresh_token]

    def _given(self, answer: httpx2.Response, grant: Grant) -> None:
        token = AccessToken(text=answer.json()["access_token"], grant=grant)
        ends = min(self.now + timedelta(seconds=600), self.agreed_until, grant.valid_until)
        assert token.until <= max(ends.timestamp(), self.now.timestamp() + 1)
        self.tokens.append(token)

    async def _call(
        self, method: str, path: str, token: AccessToken, body: dict[str, Any] | None = None
    ) -> httpx2.Response:
        proof = await self.bank.proof(path, htm=method, ath=digest_of(token.text))
        headers = {"Authorization": f"DPoP {token.text}", "DPoP": proof}
        return await self.oauth.http.request(method, path, json=body, headers=headers)

    async def _newest_consent(self) -> consent.Consent:
        async with self.oauth.runtime.engine.connect() as connection:
            found = await consents.of_client(
                connection, self.bank.client_id, None, now=self.now, after="", limit=100
            )
        # Not by its time: between two decisions the test's clock may stand still.
        known = {grant.consent_id for grant in self.grants}
        [newest] = (each for each in found if each.consent_id not in known)
        return newest

    async def _act(self, act: str, consent_id: str) -> bool:
        by = Person(
            subject="person-1",
            uscc=USCC,
            channel=Channel.PORTAL,
            identity_token_digest=b"\x01" * 32,
        )
        async with self.oauth.runtime.engine.begin() as connection:
            held = await consents.by_id(connection, consent_id)
            assert held is not None
            changed = getattr(consent, act)(held, person=by, now=self.now)
            return isinstance(changed, consent.Transition) and await consent_log_writer.save(
                connection, held, changed
            )

    async def _operate(self, act: Callable[..., Any], *values: Any, **named: Any) -> None:
        async with self.oauth.runtime.engine.begin() as connection:
            await act(connection, self.bank.client_id, *values, **named)


@asynccontextmanager
async def a_world(url: str, folder: Path) -> AsyncIterator[OAuthFixture]:
    """A gateway in process with its own database."""
    keys, vault = folder / "keys.json", folder / "vault.json"
    keys.write_text(new_key_file())
    vault.write_text(Vault.generate_keys())
    chosen = Settings(
        database_url=await new_database(url),
        issuer=ISSUER,
        secret=SECRET,
        signing_keys=keys,
        vault_keys=vault,
        log_checkpoints=(make_checkpoint_folder(folder),),
    )
    clock = Clock(datetime.now(UTC))
    async with in_process(chosen, clock) as (app, http):
        oauth = OAuthFixture(app=app, runtime=app.state.runtime, http=http, clock=clock)
        await add_enterprise(oauth.runtime.engine, USCC, "杭州云栖数据科技有限公司")
        yield oauth


def test_no_token_outlives_what_it_rests_on(postgres_url: str, tmp_path: Path) -> None:
    """PAR, decision, code and tokens with any interruptions, in any order."""
    with asyncio.Runner() as runner:
        manager = a_world(postgres_url, tmp_path)
        oauth = runner.run(manager.__aenter__())
        try:
            run_state_machine_as_test(
                lambda: GrantMachine(runner.run, oauth),  # type: ignore[arg-type]  # or a factory
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    # Shrinking runs the whole gateway again and again, for minutes.
                    phases=(Phase.explicit, Phase.reuse, Phase.generate),
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(manager.__aexit__(None, None, None))
