"""Error codes of invalid calls under /v1: stable, signed, equal for every enterprise."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx2
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from sqlalchemy import text

from gateway.access.http.body import MAX_BODY_BYTES
from gateway.clients import registry
from gateway.clients.terms import Terms
from gateway.limits.quotas import Quotas
from gateway.problems import TABLE
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from gateway.synthetic.generator.people import invalid_id_number
from tests.client_builders import set_active
from tests.gateway_fixture import (
    OF_THE_LOG,
    UNKNOWN,
    Caller,
    GatewayFixture,
    query_body,
    verification_body,
)
from tests.oauth_builders import claims_of, sign_jwt
from tests.waiting import PATIENCE
from verification import NotACode, parse_uscc
from xinqiao._core.signatures.exchange import sha256_digest

pytestmark = pytest.mark.asyncio(loop_scope="session")

VERIFY: Final = "/v1/verifications"
QUERY: Final = "/v1/queries"
PATHS: Final = (VERIFY, QUERY)
MEMBERS: Final = {"type", "title", "status", "code", "detail", "request_id"}
REQUEST_ID: Final = "the-same"
LOGGED: Final = {"disclosure": 1, "disclosure_salt": 1}

Body = dict[str, Any]
Headers = list[tuple[str, str]]


def body_for(path: str, uscc: str) -> Body:
    """A valid body."""
    return verification_body(uscc, "is_active.v1") if path == VERIFY else query_body(uscc)


async def call(
    bank: Caller,
    path: str,
    body: Body | bytes,
    *,
    method: str = "POST",
    change: Callable[[Headers], Headers] = lambda headers: headers,
) -> httpx2.Response:
    """A call whose headers a test may change, repeat or leave out."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    right = await bank.headers(method, path.partition("?")[0], raw)
    headers = change([*right.items(), ("X-Request-Id", REQUEST_ID)])
    sent = await bank.gateway.http.request(method, path, content=raw, headers=headers)
    return bank.gateway.checked(sent)


async def call_with_scope(bank: Caller, scope: str, path: str) -> httpx2.Response:
    """A call with a token of one scope; a POST has a valid body."""
    plain, token = path.partition("?")[0], await bank.token(scope)
    method = "POST" if plain in PATHS else "GET"
    proof = await bank.proof(method, plain, token)
    change = with_(Authorization=f"DPoP {token}", DPoP=proof)
    body = body_for(plain, UNKNOWN) if method == "POST" else b""
    return await call(bank, path, body, method=method, change=change)


def without(*names: str) -> Callable[[Headers], Headers]:
    """Leave these headers out."""
    return lambda headers: [(name, value) for name, value in headers if name not in names]


def with_(**changed: str) -> Callable[[Headers], Headers]:
    """Replace the headers of these names."""
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return lambda headers: [*without(*named)(headers), *named.items()]


def doubled(name: str) -> Callable[[Headers], Headers]:
    """Send this header twice."""
    return lambda headers: [*headers, *((n, v) for n, v in headers if n == name)]


def assert_problem(response: httpx2.Response, code: str) -> None:
    """Assert that the answer is the problem document of `code`, without further members."""
    document = response.json()
    assert document["code"] == code, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert document.keys() == MEMBERS
    status, chinese, english = TABLE[code]
    assert response.status_code == document["status"] == status
    assert document["type"] == f"urn:xinqiao:problem:{code}"
    assert document["title"] == f"{chinese} {english}"
    assert document["request_id"] == response.headers["x-request-id"]
    if status == 401 or code == "insufficient_scope":
        challenge = response.headers["www-authenticate"]
        assert challenge.startswith("DPoP ")
        assert response.headers["dpop-nonce"]
        # RFC 6750 §3.1: of credentials that did not come nothing is said.
        said = {f'error="{code}"'} if "authorization" in response.request.headers else set()
        assert set(re.findall(r'error="[a-z_]+"', challenge)) == said
        assert said or "error_description=" not in challenge


async def written(
    bank: Caller, act: Callable[[], Awaitable[httpx2.Response]]
) -> tuple[httpx2.Response, dict[str, int]]:
    """The answer to an act, and the rows it adds to each table."""

    async def counted() -> dict[str, int]:  # housekeeping may write its day, and delete
        counts = await bank.gateway.counts()
        leaves = counts["pending_leaf"] + counts["log_entry"]
        kept = {
            name: rows
            for name, rows in counts.items()
            if name not in {*OF_THE_LOG, "retention_day"}
        }
        return kept | {"leaves": leaves}

    await bank.token()  # its rows are not the act's
    before = await counted()
    response = await act()
    after = await counted()
    return response, {n: after[n] - before[n] for n in after if after[n] > before[n]}


async def assert_refused(
    bank: Caller, code: str, send: Callable[[str], Awaitable[httpx2.Response]], *, logged: bool
) -> None:
    """Assert the same refusal, byte for byte, for an existing and an unknown enterprise."""
    gateway = bank.gateway
    answers = []
    for uscc in (gateway.uscc("clean"), UNKNOWN, gateway.uscc("serious_violation")):
        response, rows = await written(bank, lambda uscc=uscc: send(uscc))  # type: ignore[misc]  # of this turn
        assert_problem(response, code)
        assert rows == ({**LOGGED, "leaves": 1} if logged else {})
        assert uscc not in response.text
        answers.append(response)
    assert len({each.content for each in answers}) == 1
    assert len({frozenset(each.headers) for each in answers}) == 1


# Malformed bodies


def _questions(*asked: Mapping[str, Any]) -> Callable[[Body], Body]:
    return lambda body: {**body, "questions": list(asked)}


MALFORMED: Final[dict[str, tuple[str, Callable[[Body], Body | bytes]]]] = {
    "unknown member": (VERIFY, lambda b: {**b, "subject": "x"}),
    "unknown member of a member": (
        QUERY, lambda b: {**b, "enterprise": {**b["enterprise"], "name": "x"}},
    ),
    "missing member": (QUERY, lambda b: {k: v for k, v in b.items() if k != "purpose"}),
    "null purpose": (VERIFY, lambda b: {**b, "purpose": None}),
    "number for a text": (VERIFY, lambda b: {**b, "purpose": 5}),
    "text for a list": (QUERY, lambda b: {**b, "datasets": "penalty"}),
    "number for a code": (VERIFY, lambda b: {**b, "enterprise": {"uscc": 9133}}),
    "text for a number": (QUERY, lambda b: {**b, "page": {"size": "5"}}),
    "true for a number": (QUERY, lambda b: {**b, "page": {"size": True}}),
    "no questions": (VERIFY, _questions()),
    "too many questions": (VERIFY, _questions(*[{"question": "is_active.v1"}] * 21)),
    "duplicate question": (VERIFY, _questions(*[{"question": "is_active.v1"}] * 2)),
    "no value": (VERIFY, _questions({"question": "enterprise_name.v1"})),
    "blank value": (VERIFY, _questions({"question": "enterprise_name.v1", "value": "\u3000"})),
    "long value": (VERIFY, _questions({"question": "enterprise_name.v1", "value": "长" * 201})),
    "needless value": (VERIFY, _questions({"question": "is_active.v1", "value": "yes"})),
    "threshold of one's own": (
        VERIFY, _questions({"question": "rating_at_least.v1", "value": "751"}),
    ),
    "no datasets": (QUERY, lambda b: {**b, "datasets": []}),
    "duplicate dataset": (QUERY, lambda b: {**b, "datasets": ["penalty", "penalty"]}),
    "page of none": (QUERY, lambda b: {**b, "page": {"size": 0}}),
    "page of too many": (QUERY, lambda b: {**b, "page": {"size": 201}}),
    "page of very many": (QUERY, lambda _: b'{"page":{"size":1' + b"0" * 400 + b"}}"),
    "filter of no day": (QUERY, lambda b: {**b, "filter": {"decided_from": "2026-02-30"}}),
    "filter that ends before it begins": (
        QUERY,
        lambda b: {**b, "filter": {"decided_from": "2026-02-02", "decided_to": "2026-02-01"}},
    ),
    "no body": (VERIFY, lambda _: b""),
    "broken JSON": (VERIFY, lambda b: orjson.dumps(b)[:-1]),
    "two documents": (VERIFY, lambda b: orjson.dumps(b) * 2),
    "a list": (QUERY, lambda b: orjson.dumps([b])),
    "a number": (QUERY, lambda _: b"1"),
    "not a number": (VERIFY, lambda b: orjson.dumps({**b, "x": 1}).replace(b":1", b":NaN")),
    "deep nesting": (VERIFY, lambda _: b"[" * 30_000),
    "deep nesting in a member": (
        QUERY, lambda b: orjson.dumps(b)[:-1] + b',"x":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    ),
    "NUL written out": (
        VERIFY, lambda b: orjson.dumps({**b, "purpose": "loan\0approval"}),
    ),
    "NUL in a value": (VERIFY, _questions({"question": "enterprise_name.v1", "value": "a\0b"})),
    "NUL itself": (QUERY, lambda b: orjson.dumps(b).replace(b"loan_", b"loan\0")),
    "lone surrogate": (
        VERIFY,
        lambda b: orjson.dumps(
            _questions({"question": "enterprise_name.v1", "value": "LONE"})(b)
        ).replace(b"LONE", b"\\ud800"),
    ),
    "not UTF-8": (QUERY, lambda b: orjson.dumps(b).replace(b"loan_", b"loan\xff")),
    "UTF-16": (QUERY, lambda b: orjson.dumps(b).decode().encode("utf-16")),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
async def test_a_malformed_body_is_an_invalid_request(gateway: GatewayFixture, what: str) -> None:
    """`invalid_request` for every malformed body, whichever enterprise it names."""
    bank = await gateway.client()
    path, spoil = MALFORMED[what]
    await assert_refused(
        bank,
        "invalid_request",
        lambda uscc: call(bank, path, spoil(body_for(path, uscc))),
        logged=False,
    )


async def test_a_mistake_is_named_by_its_place_and_never_repeated(gateway: GatewayFixture) -> None:
    """The problem names the member and never repeats the value, which may be personal."""
    bank = await gateway.client()
    secret = "330106199001011234"
    body = {**verification_body(UNKNOWN, "is_active.v1"), "purpose": [secret]}
    response = await call(bank, VERIFY, body)
    assert_problem(response, "invalid_request")
    assert "purpose" in response.json()["detail"]
    assert secret not in response.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("invalid_uscc", {"enterprise": {"uscc": "113300000000000199"}}),
        ("invalid_uscc", {"enterprise": {"uscc": "91330106MA2CXXXX1"}}),
        ("invalid_uscc", {"enterprise": {"uscc": "9133010IMA2CXXXX16"}}),
        ("invalid_uscc", {"enterprise": {"uscc": "'; DROP TABLE x;--"}}),
        ("unknown_purpose", {"purpose": "marketing"}),
        ("unknown_purpose", {"purpose": "LOAN_APPROVAL"}),
        ("unknown_question", {"questions": [{"question": "is_active.v2"}]}),
        ("unknown_dataset", {"datasets": ["penalty", "private_life"]}),
    ],
)
async def test_unknown_names_have_their_own_codes(
    gateway: GatewayFixture, path: str, code: str, changed: Body
) -> None:
    """Unknown codes, purposes, questions and datasets; logged where the code is an enterprise's."""
    if (path, code) in {(VERIFY, "unknown_dataset"), (QUERY, "unknown_question")}:
        return
    bank = await gateway.client()
    response, rows = await written(
        bank, lambda: call(bank, path, {**body_for(path, UNKNOWN), **changed})
    )
    assert_problem(response, code)
    assert rows == ({} if code == "invalid_uscc" else {**LOGGED, "leaves": 1})


def a_persons_number_that_reads_as_a_code() -> str:
    """An ID number that passes the check of GB 32100, as one in thirty-one does."""
    made = (invalid_id_number(f"33010619900101{n:03}") for n in range(1000))
    return next(n for n in made if not isinstance(parse_uscc(n), NotACode))


@pytest.mark.parametrize("path", PATHS)
async def test_a_persons_number_in_the_place_of_a_code_is_refused_and_not_kept(
    gateway: GatewayFixture, path: str
) -> None:
    """`invalid_uscc` although the check character fits; the number is not stored."""
    bank, number = await gateway.client(), a_persons_number_that_reads_as_a_code()
    response, rows = await written(bank, lambda: call(bank, path, body_for(path, number)))
    assert_problem(response, "invalid_uscc")
    assert rows == {}
    assert number not in response.text


# Headers and size


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("unsupported_media_type", with_(Content_Type="text/plain")),
        ("unsupported_media_type", with_(Content_Type="application/x-www-form-urlencoded")),
        ("unsupported_media_type", without("Content-Type")),
        ("unsupported_media_type", doubled("Content-Type")),
        ("unsupported_media_type", with_(Content_Type="application/json; charset=gbk")),
        ("digest_mismatch", with_(Content_Digest=sha256_digest(b"another body"))),
        ("digest_mismatch", with_(Content_Digest="sha-256=:AAAA:")),
        ("invalid_request", with_(Idempotency_Key="")),
        ("invalid_request", with_(Idempotency_Key="k" * 129)),
        ("invalid_request", lambda headers: doubled("Idempotency-Key")(
            [*headers, ("Idempotency-Key", "two")])),
    ],
)  # fmt: skip
async def test_a_wrong_header_has_its_code(
    gateway: GatewayFixture, path: str, code: str, change: Callable[[Headers], Headers]
) -> None:
    """Headers are checked before anything in the body is looked up."""
    bank = await gateway.client()
    await assert_refused(
        bank, code, lambda uscc: call(bank, path, body_for(path, uscc), change=change), logged=False
    )


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_may_be_sent_without_a_digest(gateway: GatewayFixture, path: str) -> None:
    """Content-Digest is optional."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    assert (
        await call(bank, path, body_for(path, uscc), change=without("Content-Digest"))
    ).is_success


@pytest.mark.parametrize("path", PATHS)
async def test_an_oversized_body_is_refused_unread(gateway: GatewayFixture, path: str) -> None:
    """Refused by its Content-Length."""
    bank = await gateway.client()

    async def send(uscc: str) -> httpx2.Response:
        body = orjson.dumps(body_for(path, uscc))
        return await call(bank, path, body + b" " * (MAX_BODY_BYTES + 1 - len(body)))

    await assert_refused(bank, "payload_too_large", send, logged=False)
    exactly = orjson.dumps(body_for(path, UNKNOWN))
    fits = await call(bank, path, exactly + b" " * (MAX_BODY_BYTES - len(exactly)))
    assert fits.json().get("code") in {None, "not_available"}


@pytest.mark.parametrize("path", PATHS)
async def test_an_oversized_body_without_a_length_is_refused_as_it_comes(
    gateway: GatewayFixture, path: str
) -> None:
    """Refused after as many chunks as exceed the limit."""
    bank, taken = await gateway.client(), 0
    whole = b" " * MAX_BODY_BYTES * 4

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal taken
        for start in range(0, len(whole), 8192):
            taken += 8192
            yield whole[start : start + 8192]

    headers = await bank.headers("POST", path, whole)
    sent = await gateway.http.post(path, content=chunks(), headers=headers)
    assert "content-length" not in sent.request.headers
    sent.request = httpx2.Request("POST", sent.request.url, headers=headers, content=whole)
    assert_problem(gateway.checked(sent), "payload_too_large")
    assert taken <= MAX_BODY_BYTES + 3 * 8192


# Who is calling


async def expect(
    bank: Caller, code: str, path: str, change: Callable[[Headers], Headers], **more: Any
) -> None:
    """Assert this code and no writes, for each enterprise."""
    await assert_refused(
        bank,
        code,
        lambda uscc: call(bank, path, body_for(path, uscc), change=change, **more),
        logged=False,
    )


@pytest.mark.parametrize("path", PATHS)
async def test_a_call_without_one_good_dpop_token_is_refused(
    gateway: GatewayFixture, path: str
) -> None:
    """No token, two tokens, the scheme Bearer, a token in the URL, an invalid one."""
    bank = await gateway.client()
    token = await bank.token()
    for change in (
        without("Authorization"),
        without("Authorization", "DPoP"),
        doubled("Authorization"),
        with_(Authorization=f"Bearer {token}"),
        with_(Authorization="DPoP"),
        with_(Authorization="DPoP not.a.token"),
        with_(Authorization=f"DPoP {'x' * 9000}"),
        with_(Authorization=f"DPoP {token[:-6]}AAAAAA"),
        with_(Authorization=f"DPoP {token}, DPoP {token}"),
    ):
        await expect(bank, "invalid_token", path, change)
    address = f"{path}?access_token={token}"
    in_address = await call(bank, address, body_for(path, UNKNOWN), change=without("Authorization"))
    assert_problem(in_address, "invalid_token")
    in_body = {**body_for(path, UNKNOWN), "access_token": token}
    assert_problem(
        await call(bank, path, in_body, change=without("Authorization")), "invalid_token"
    )


async def test_the_scheme_is_a_name_in_any_case(gateway: GatewayFixture) -> None:
    """RFC 9110: scheme names are case-insensitive."""
    bank = await gateway.client()
    token = await bank.token()
    response = await call(
        bank,
        VERIFY,
        verification_body(UNKNOWN, "is_active.v1"),
        change=with_(Authorization=f"dpop {token}"),
    )
    assert response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_a_token_that_was_not_issued_here_is_refused(
    gateway: GatewayFixture, path: str
) -> None:
    """Another key under our key's id, algorithm none, another issuer, another type."""
    bank = await gateway.client()
    claims = claims_of(await bank.token())
    ours = gateway.runtime.keys.current("token", gateway.clock())
    theirs = ed25519.Ed25519PrivateKey.generate()
    header = {"typ": "at+jwt", "kid": ours.kid}
    foreign = [
        sign_jwt(theirs, "EdDSA", claims, header),
        sign_jwt(ours.private, "EdDSA", {**claims, "iss": "https://elsewhere.test"}, header),
        sign_jwt(ours.private, "EdDSA", {**claims, "aud": "https://elsewhere.test"}, header),
        sign_jwt(ours.private, "EdDSA", claims, {**header, "typ": "JWT"}),
        sign_jwt(ours.private, "EdDSA", claims, {**header, "kid": "response-key"}),
    ]
    none = await bank.token()
    foreign.append(none.rpartition(".")[0] + ".")
    for token in foreign:
        proof = await bank.proof("POST", path, token)
        await expect(bank, "invalid_token", path, with_(Authorization=f"DPoP {token}", DPoP=proof))


@pytest.mark.parametrize("path", PATHS)
async def test_an_expired_token_is_refused(gateway: GatewayFixture, path: str) -> None:
    """A valid proof and an earlier, cached verification do not matter."""
    bank = await gateway.client()
    token = await bank.token()
    before = await call(bank, path, body_for(path, UNKNOWN))
    assert before.json().get("code") in {None, "not_available"}
    with gateway.clock.later(minutes=11):
        proof = await bank.proof("POST", path, token)
        await expect(bank, "invalid_token", path, with_(Authorization=f"DPoP {token}", DPoP=proof))


@pytest.mark.parametrize("path", PATHS)
async def test_a_stolen_token_is_of_no_use(gateway: GatewayFixture, path: str) -> None:
    """The token is bound to the DPoP key of its client."""
    bank, thief = await gateway.client(), await gateway.client()
    token = await bank.token()
    proof = await thief.proof("POST", path, token)
    await expect(thief, "invalid_token", path, with_(Authorization=f"DPoP {token}", DPoP=proof))


@pytest.mark.parametrize("path", PATHS)
async def test_a_proof_is_of_this_very_call(gateway: GatewayFixture, path: str) -> None:
    """Missing, repeated, for another method, URL, token or time, or of another type."""
    bank = await gateway.client()
    token, now = await bank.token(), int(gateway.clock().timestamp())
    other = VERIFY if path == QUERY else QUERY
    wrong = [
        await bank.proof("GET", path, token),
        await bank.proof("POST", other, token),
        await bank.proof("POST", path, None),
        await bank.proof("POST", path, token, ath="A" * 43),
        await bank.proof("POST", path, token, iat=now - 120),
        await bank.proof("POST", path, token, iat=now + 60),
        await bank.proof("POST", path, token, jti=None),
        await bank.proof("POST", path, token, htu="https://elsewhere.test" + path),
        "not.a.proof",
    ]
    for change in (without("DPoP"), doubled("DPoP"), *(with_(DPoP=proof) for proof in wrong)):
        await expect(bank, "invalid_dpop_proof", path, change)


@pytest.mark.parametrize("path", PATHS)
async def test_a_proof_without_a_fresh_nonce_is_asked_for_again(
    gateway: GatewayFixture, path: str
) -> None:
    """The refusal carries a nonce that is accepted."""
    bank = await gateway.client()
    token = await bank.token()
    with gateway.clock.later(minutes=-5):
        old = await gateway.nonce()
    for nonce in (None, "made.up", old):
        proof = await bank.proof("POST", path, token, nonce=nonce)
        await expect(bank, "use_dpop_nonce", path, with_(DPoP=proof))
    refused = await call(bank, path, body_for(path, UNKNOWN), change=with_(DPoP=proof))
    again = await bank.proof("POST", path, token, nonce=refused.headers["dpop-nonce"])
    accepted = await call(bank, path, body_for(path, UNKNOWN), change=with_(DPoP=again))
    assert accepted.json().get("code") in {None, "not_available"}


@pytest.mark.parametrize("path", PATHS)
async def test_a_proof_is_used_once(gateway: GatewayFixture, path: str) -> None:
    """The second call is refused before anything is read."""
    bank = await gateway.client()
    proof = await bank.proof("POST", path, await bank.token())
    first = await call(bank, path, body_for(path, UNKNOWN), change=with_(DPoP=proof))
    assert first.json().get("code") in {None, "not_available"}
    await expect(bank, "invalid_dpop_proof", path, with_(DPoP=proof))
    again = await call(bank, path, body_for(path, UNKNOWN), change=with_(DPoP=proof))
    challenge = again.headers["www-authenticate"]
    assert 'error_description="This proof was used before; ' in challenge
    assert "algs=" in challenge
    assert "resource_metadata=" in challenge


@pytest.mark.parametrize(
    ("scope", "path", "detail"),
    [
        ("verify", f"{VERIFY}?wait=1", "'wait'; it has none."),
        ("query", f"{QUERY}?page=2&page=3", "'page'; it has none."),
        ("changes", "/v1/changes?afer=17", "'afer'; it has after, wait."),
        ("consents", "/v1/consents?status=active&%E5%90%8E=1", "'后'; it has status, after."),
        ("query", "/v1/receipts/dsc_1?wait=1", "'wait'; it has none."),
        (
            "changes",
            "/v1/changes?110101199003074610",
            "'（身份证号码已隐去）'; it has after, wait.",
        ),
    ],
)
async def test_an_unknown_query_parameter_is_refused(
    gateway: GatewayFixture, scope: str, path: str, detail: str
) -> None:
    """A mistyped `after` would read the feed from its first change."""
    bank = await gateway.client()
    response = await call_with_scope(bank, scope, path)
    assert_problem(response, "invalid_request")
    assert response.json()["detail"] == f"This endpoint has no query parameter {detail}"


async def test_a_query_parameter_stands_once(gateway: GatewayFixture) -> None:
    """Whichever of two a reader takes, another reader may take the other one."""
    bank = await gateway.client()
    response = await call_with_scope(bank, "changes", "/v1/changes?after=0&after=17")
    assert_problem(response, "invalid_request")
    assert response.json()["detail"] == "The query parameter 'after' stands twice."


async def test_query_parameters_are_looked_at_after_the_caller(gateway: GatewayFixture) -> None:
    """Without a token nothing is said of them."""
    bank = await gateway.client()
    response = await call(
        bank, "/v1/changes?afer=17", b"", method="GET", change=without("Authorization", "DPoP")
    )
    assert_problem(response, "invalid_token")


@pytest.mark.parametrize(("path", "scope"), [(VERIFY, "query"), (QUERY, "verify")])
async def test_a_token_of_another_scope_is_not_enough(
    gateway: GatewayFixture, path: str, scope: str
) -> None:
    """The challenge names the required scope."""
    bank = await gateway.client()
    token = await bank.token(scope)

    async def send(uscc: str) -> httpx2.Response:
        proof = await bank.proof("POST", path, token)
        change = with_(Authorization=f"DPoP {token}", DPoP=proof)
        return await call(bank, path, body_for(path, uscc), change=change)

    await assert_refused(bank, "insufficient_scope", send, logged=False)
    needed = "verify" if path == VERIFY else "query"
    assert f'scope="{needed}"' in (await send(UNKNOWN)).headers["www-authenticate"]


# May they call


async def _suspend(gateway: GatewayFixture, bank: Caller) -> None:
    async with gateway.runtime.engine.begin() as connection:
        await set_active(connection, bank.client_id, active=False)


async def _end_agreement(gateway: GatewayFixture, bank: Caller) -> None:
    async with gateway.runtime.engine.begin() as connection:
        await registry.end_agreement(connection, bank.client_id, now=gateway.clock())


async def _begin_tomorrow(gateway: GatewayFixture, bank: Caller) -> None:
    now = gateway.clock()
    terms = Terms(
        purposes=frozenset({"loan_approval"}),
        valid_from=now + timedelta(days=1),
        valid_until=now + timedelta(days=2),
    )
    await gateway.agree(bank, terms)


async def _revoke(gateway: GatewayFixture, bank: Caller) -> None:
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(
            text("UPDATE access_token SET revoked_at = now() WHERE client_id = :client"),
            {"client": bank.client_id},
        )


STATES: Final = {
    "suspended client": ("client_suspended", _suspend),
    "ended agreement": ("agreement_ended", _end_agreement),
    "agreement of tomorrow": ("agreement_ended", _begin_tomorrow),
    "revoked token": ("invalid_token", _revoke),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("state", STATES)
async def test_revocation_suspension_and_ends_hold_from_the_next_request(
    gateway: GatewayFixture, path: str, state: str
) -> None:
    """Whatever the token's lifetime and the caches; each attempt is logged."""
    code, end = STATES[state]
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    assert (await call(bank, path, body_for(path, uscc))).status_code == 200
    await end(gateway, bank)
    await assert_refused(
        bank, code, lambda uscc: call(bank, path, body_for(path, uscc)), logged=True
    )


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_without_an_agreement_may_do_nothing(
    gateway: GatewayFixture, path: str
) -> None:
    """Refused with a valid token."""
    bank, lone = await gateway.client(), await gateway.client(agreed=False)
    assert (await lone._ask_for_token("verify")).json()["error"] == "unauthorized_client"
    claims = claims_of(await bank.token())
    own = {"client_id": lone.client_id, "sub": lone.client_id, "jti": secrets.token_urlsafe()}
    key = gateway.runtime.keys.current("token", gateway.clock())
    token = sign_jwt(key.private, "EdDSA", claims | own, {"typ": "at+jwt", "kid": key.kid})
    await gateway.rows(
        "INSERT INTO access_token (jti, client_id, scope, expires_at)"
        " VALUES (:jti, :client_id, 'query verify', now())",
        jti=own["jti"],
        client_id=lone.client_id,
    )
    caller = replace(
        lone,
        proof_key=bank.proof_key,
        _tokens={"query verify": (token, gateway.clock() + timedelta(minutes=4))},
    )
    await assert_refused(
        caller,
        "agreement_missing",
        lambda uscc: call(caller, path, body_for(path, uscc)),
        logged=True,
    )


@pytest.mark.parametrize(
    ("path", "changed", "named"),
    [
        (VERIFY, {"purpose": "tender"}, "purpose tender"),
        (QUERY, {"purpose": "tender"}, "purpose tender"),
        (QUERY, {"datasets": ["supervision"]}, "dataset supervision"),
        (
            VERIFY,
            {"questions": [{"question": "is_active.v1"}, {"question": "not_abnormal.v1"}]},
            "question not_abnormal.v1",
        ),
    ],
)
async def test_items_beyond_the_agreement_are_named(
    gateway: GatewayFixture, path: str, changed: Body, named: str
) -> None:
    """A consent does not widen the agreement."""
    bank = await gateway.client(questions=frozenset({"is_active.v1"}))
    await gateway.grant(bank, gateway.uscc("clean"), datasets=["registration", "supervision"])
    await assert_refused(
        bank,
        "not_in_agreement",
        lambda uscc: call(bank, path, {**body_for(path, uscc), **changed}),
        logged=True,
    )
    response = await call(bank, path, {**body_for(path, UNKNOWN), **changed})
    assert named in response.json()["detail"]


async def test_a_consent_of_another_client_is_not_available(gateway: GatewayFixture) -> None:
    """The same answer as for a consent that does not exist."""
    bank, other, uscc = await gateway.client(), await gateway.client(), gateway.uscc("clean")
    theirs = await gateway.grant(other, uscc)
    await assert_refused(
        bank,
        "not_available",
        lambda uscc: call(bank, QUERY, query_body(uscc, consent_id=theirs)),
        logged=True,
    )


# How often


@pytest.mark.parametrize("path", PATHS)
async def test_too_many_calls_get_a_retry_after(gateway: GatewayFixture, path: str) -> None:
    """429 with Retry-After and limit headers; the proof is spent, nothing is written."""
    bank = await gateway.client(quotas=Quotas(per_minute=2))
    for _ in range(2):
        allowed = await call(bank, path, body_for(path, UNKNOWN))
        assert allowed.headers["ratelimit-policy"].startswith('"client";q=2;w=60')
    response, rows = await written(bank, lambda: call(bank, path, body_for(path, UNKNOWN)))
    assert_problem(response, "rate_limited")
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert '"client";r=0' in response.headers["ratelimit"]
    assert rows == {}


async def test_smaller_quotas_hold_for_a_token_that_was_issued_before(
    gateway: GatewayFixture,
) -> None:
    """The call that reads the newer agreement is the last one counted by the older."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    assert await bank.answers(uscc, "is_active.v1") == ["yes"]
    bank_role = next(role for role in DEMO_CLIENTS if role.key == "bank")
    smaller = replace(terms_of(bank_role, gateway.clock()), quotas=Quotas(per_minute=1))
    await gateway.agree(bank, smaller)
    assert await bank.answers(uscc, "is_active.v1") == ["yes"]
    body = verification_body(uscc, "is_active.v1")
    # What the older quota still owes may put the one call off for a moment.
    async with asyncio.timeout(PATIENCE):
        while (one := await call(bank, VERIFY, body)).status_code != 200:
            assert_problem(one, "rate_limited")
    later = await call(bank, VERIFY, body)
    assert later.headers["ratelimit-policy"].startswith('"client";q=1;w=60')
    assert_problem(later, "rate_limited")


async def test_an_exhausted_quota_has_another_code_than_a_rate_limit(
    gateway: GatewayFixture,
) -> None:
    """`quota_exhausted`, until the next day; enterprises asked about before are free."""
    bank = await gateway.client(quotas=Quotas(distinct_enterprises_per_day=1))
    known = gateway.uscc("clean")
    assert await bank.answers(known, "is_active.v1") == ["yes"]
    for uscc in (UNKNOWN, gateway.uscc("penalised")):
        response = await call(bank, VERIFY, verification_body(uscc, "is_active.v1"))
        assert response.json()["code"] in {"quota_exhausted", "rate_limited"}
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1
    assert await bank.answers(known, "is_active.v1") == ["yes"]


# Where


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", VERIFY, "method_not_allowed"),
        ("PUT", QUERY, "method_not_allowed"),
        ("POST", "/v1/questions", "method_not_allowed"),
        ("POST", "/v1/nothing", "not_found"),
        ("GET", "/v1", "not_found"),
        ("GET", "/v1/", "not_found"),
        ("GET", "/v1/verifications/vrf_1", "not_found"),
        ("GET", "/v1/%00", "invalid_request"),
    ],
)
async def test_an_unknown_route_is_a_signed_problem(
    gateway: GatewayFixture, method: str, path: str, code: str
) -> None:
    """Every answer under /v1 is signed, 404 included."""
    response = gateway.checked(await gateway.http.request(method, path))
    assert_problem(response, code)
    if code == "method_not_allowed":
        assert response.headers["allow"]


async def test_a_request_id_of_odd_characters_is_not_echoed(gateway: GatewayFixture) -> None:
    """A well-formed one is echoed; otherwise the answer has a new one."""
    for given in ("a b", "x" * 65, "<script>", "a,b"):
        response = await gateway.http.get("/v1/nothing", headers={"X-Request-Id": given})
        assert response.headers["x-request-id"] != given
        assert response.json()["request_id"] == response.headers["x-request-id"]
    kept = await gateway.http.get("/v1/nothing", headers={"X-Request-Id": "mine-1"})
    assert kept.json()["request_id"] == "mine-1"


async def test_a_client_of_another_key_is_not_this_client(gateway: GatewayFixture) -> None:
    """The token is not bound to the proof's key."""
    bank = await gateway.client()
    await bank.token()
    other = replace(bank, proof_key=ec.generate_private_key(ec.SECP256R1()))
    await expect(other, "invalid_token", VERIFY, lambda headers: headers)
