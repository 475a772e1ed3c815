"""DPoP proof verification (RFC 9449): key, method, URL, token, time, nonce."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.dpop import NonceNeededError, Proof, ProofError, validate_proof
from gateway.signing.dpop_nonces import DpopNonces
from gateway.signing.jwk import thumbprint
from tests.oauth_builders import digest_of, public_jwk, sign_jwt
from tests.rsa_keys import rsa_key

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NONCES = DpopNonces(b"k" * 32)
URL = "https://credit.test/v1/queries"
TOKEN = "an.access.token"
KEY = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa_key()
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def make_proof(
    *,
    key: Any = KEY,
    alg: str = "ES256",
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A valid proof with a test's changes; `None` leaves out."""
    made = {
        "htm": "POST",
        "htu": URL,
        "iat": int(NOON.timestamp()),
        "jti": "jti-1",
        "ath": digest_of(TOKEN),
        "nonce": NONCES.issue("gen-1", NOON),
    }
    own = {"typ": "dpop+jwt", "jwk": public_jwk(key)}
    return sign_jwt(key, alg, made | claims, own | (header or {}))


def checked(*proofs: str, token: str | None = TOKEN, url: str = URL) -> Proof:
    """Result for the proofs of one request."""
    return validate_proof(proofs, method="POST", url=url, token=token, nonces=NONCES, now=NOON)


@pytest.mark.parametrize(
    ("key", "alg"),
    [(KEY, "ES256"), (RSA_KEY, "PS256"), (ED_KEY, "EdDSA")],
    ids=["ES256", "PS256", "EdDSA"],
)
def test_a_good_proof_proves_its_key(key: Any, alg: str) -> None:
    """Key thumbprint, `jti`, and the nonce's generation."""
    proof = checked(make_proof(key=key, alg=alg))
    assert proof.jkt == thumbprint(public_jwk(key))
    assert (proof.jti, proof.generation) == ("jti-1", "gen-1")


def test_a_remembered_header_makes_no_other_proof_valid() -> None:
    """Only its key is remembered: signature, claims and time are checked each time."""
    good = make_proof()
    assert checked(good) == checked(good)
    header, claims, _ = good.split(".")
    stranger = make_proof(key=ec.generate_private_key(ec.SECP256R1()))
    for forged in (
        f"{header}.{claims}.{stranger.rsplit('.', 1)[1]}",
        f"{header}.{stranger.split('.')[1]}.{good.rsplit('.', 1)[1]}"[:-1],
        make_proof(htm="GET"),
        make_proof(iat=int(NOON.timestamp()) - 200),
    ):
        with pytest.raises(ProofError):
            checked(forged)
    assert checked(good).jkt == thumbprint(public_jwk(KEY))


def test_a_refused_header_is_refused_each_time() -> None:
    """Nothing that is refused is remembered as a key."""
    for _ in range(2):
        with pytest.raises(ProofError, match="typ"):
            checked(make_proof(header={"typ": "jwt"}))


def test_thumbprints_are_those_of_rfc_7638() -> None:
    """RFC 7638 §3.1 and RFC 8037 appendix A.3."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJ"
        "ECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW"
        "2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQ"
        "FwNkKl2pvGFjcOZT2TrPvRYNaLhSCZ6LBcL8ic6GMtO-4rI"
    )
    # The published modulus is longer than a line; only its shape matters for the member order.
    okp = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(okp) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    shuffled = {"n": modulus, "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(shuffled) == thumbprint({"e": "AQAB", "kty": "RSA", "n": modulus})


def test_there_is_exactly_one_proof() -> None:
    """No proof and two proofs get the same refusal."""
    for proofs in ((), (make_proof(), make_proof())):
        with pytest.raises(ProofError, match="exactly one"):
            checked(*proofs)


@pytest.mark.parametrize(
    "proof",
    [
        make_proof(header={"typ": "jwt"}),
        make_proof(header={"typ": None}),
        make_proof(header={"jwk": None}),
        make_proof(header={"jwk": public_jwk(KEY) | {"d": "AA"}}),
        make_proof(header={"jwk": public_jwk(ED_KEY)}),
        make_proof(header={"jwk": public_jwk(ec.generate_private_key(ec.SECP256R1()))}),
        make_proof(header={"jwk": {"kty": "oct", "k": "AA"}}),
        make_proof(header={"jwk": {"kty": "EC", "crv": "P-256"}}),
        make_proof(header={"jwk": []}),
        make_proof(header={"crit": ["x"]}),
        make_proof(header={"jku": "https://elsewhere.test"}),
        make_proof(key=RSA_KEY, alg="RS256"),
        make_proof(key=P384, alg="ES384"),
        make_proof()[:-8] + "AAAAAAAA",
        make_proof().rsplit(".", 1)[0] + ".",
        "",
        "x",
        "a.b.c",
        "é.é.é",
    ],
    ids=range(19),
)
def test_a_proof_that_is_not_well_made_is_refused(proof: str) -> None:
    """Type, algorithm, key and signature are checked first."""
    with pytest.raises(ProofError):
        checked(proof)


@pytest.mark.parametrize("jwk", [{"kty": ["EC"]}, {"kty": "EC", "crv": {}}], ids=str)
def test_a_key_whose_members_are_no_text_proves_nothing(jwk: dict[str, Any]) -> None:
    """A list in place of a string is a refusal, not an exception."""
    with pytest.raises(ProofError):
        checked(make_proof(header={"jwk": jwk}))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_short_rsa_key_proves_nothing() -> None:
    """Keys below 2048 bits are refused."""
    short = rsa.generate_private_key(65_537, 1_024)  # noqa: S505  # too short on purpose
    with pytest.raises(ProofError, match="too short"):
        checked(make_proof(key=short, alg="PS256"))


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htm": None},
        {"htu": "https://credit.test/v1/other"},
        {"htu": "https://other.test/v1/queries"},
        {"htu": "https://credit.test:8443/v1/queries"},
        {"htu": "http://credit.test/v1/queries"},
        {"htu": "https://credit.test/v1/queries/"},
        {"htu": "/v1/queries"},
        {"htu": "https://[bad"},
        {"htu": "https://somebody@credit.test/v1/queries"},
        {"htu": " https://credit.test/v1/queries"},
        {"htu": "https://credit.test/v1/que\nries"},
        {"htu": "https://credit.test:0/v1/queries"},
        {"htu": "https://@credit.test/v1/queries"},
        {"htu": "https://:@credit.test/v1/queries"},
        {"htu": "https://credit.test/v1%2Fqueries"},
        {"htu": "https://credit.test/V1/queries"},
        {"htu": "https://credit.test/v1/queries%20"},
        {"htu": "https://credit.test/v1/queries%"},
        {"htu": "https://credit.test/v1/queries%7"},
        {"htu": "https://credit.test/v1/queries/."},
        {"htu": "https://credit.test//v1/queries"},
        {"htu": "https://credit.test\\@elsewhere.test/v1/queries"},
        {"htu": "https://credit.test.elsewhere.test/v1/queries"},
        {"htu": "https://credit.test:443:443/v1/queries"},
        {"htu": "https://credit.test:４４３/v1/queries"},
        {"htu": "ftp://credit.test/v1/queries"},
        {"htu": "https:///v1/queries"},
        {"htu": 7},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"jti": 7},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": NOON.timestamp() - 71},
        {"iat": NOON.timestamp() + 11},
        {"nbf": NOON.timestamp() + 11},
        {"exp": NOON.timestamp() - 11},
        {"exp": "never"},
        {"ath": None},
        {"ath": digest_of("another token")},
        {"ath": 7},
    ],
    ids=str,
)
def test_a_proof_of_something_else_is_refused(claims: dict[str, Any]) -> None:
    """Method, URL, time and token must be this request's."""
    with pytest.raises(ProofError):
        checked(make_proof(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": NOON.timestamp() - 10},
        {"iat": NOON.timestamp() + 10},
        {"iat": NOON.timestamp() - 60.5},
        {"exp": NOON.timestamp() + 100, "nbf": NOON.timestamp() - 100},
        {"extra": {"any": "thing"}},
        {"htu": "HTTPS://Credit.TEST:443/v1/queries?a=b#c"},
        {"htu": "https://credit.test/%761/%71ueries"},
        {"htu": "https://credit%2etest/v1/queries"},
        {"htu": "https://credit.test:/v1/queries"},
        {"htu": "https://credit.test/v2/../v1/./queries"},
        {"htu": "https://credit.test/../../v1/%2E/queries"},
        {"htu": "https://credit.test/v1/queries?a=/../b#/./c"},
    ],
    ids=str,
)
def test_a_proof_within_bounds_passes(claims: dict[str, Any]) -> None:
    """Ten seconds of skew, further claims, equivalent URLs."""
    assert checked(make_proof(**claims)).jti == "jti-1"


@pytest.mark.parametrize(
    ("url", "htu"),
    [
        ("https://credit.test/", "https://credit.test"),
        ("https://credit.test", "https://credit.test/?a"),
        ("https://credit.test/E/%e4%b8%ad", "https://credit.test/E/%E4%B8%AD"),
        ("https://credit.test/E/a%2fb", "https://credit.test/E/a%2Fb"),
        ("https://credit.test/E/%41-%5a%7e", "https://credit.test/E/A-Z~"),
        ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]"),
        ("http://credit.test:80/x", "http://credit.test/x"),
        ("https://credit.test/a/..", "https://credit.test/"),
    ],
)
def test_equivalent_addresses_are_one(url: str, htu: str) -> None:
    """RFC 3986 §6.2.2 and §6.2.3, on either side."""
    assert checked(make_proof(htu=htu), url=url)
    assert checked(make_proof(htu=url), url=htu)


@pytest.mark.parametrize(
    "nonce", [None, "made-up", NONCES.issue("g", datetime(2020, 1, 1, tzinfo=UTC))]
)
def test_without_a_fresh_nonce_one_is_asked_for(nonce: Any) -> None:
    """If everything else is valid, the nonce is demanded."""
    with pytest.raises(NonceNeededError):
        checked(make_proof(nonce=nonce))


def test_a_replay_is_remembered_by_key_and_jti() -> None:
    """The same `jti` of another key is another proof; a new signature of the same is not."""
    once, again = checked(make_proof()), checked(make_proof())
    other = checked(make_proof(key=ED_KEY, alg="EdDSA"))
    assert once.replay_key == again.replay_key
    assert once.replay_key != other.replay_key


@given(st.text(max_size=200))
def test_no_text_is_a_fault(text: str) -> None:
    """Any header text is refused without an exception."""
    with pytest.raises(ProofError):
        checked(text)


@given(
    st.dictionaries(
        st.sampled_from(["typ", "alg", "jwk", "kid", "crit", "x"]),
        st.one_of(
            st.none(),
            st.text(max_size=8),
            st.integers(),
            st.lists(st.text(max_size=3), max_size=2),
            st.dictionaries(
                st.sampled_from(["kty", "crv", "x", "y", "n", "e"]), st.text(max_size=9)
            ),
        ),
    ),
)
def test_no_header_is_a_fault(header: dict[str, Any]) -> None:
    """Any JSON header is refused without an exception."""
    head = json.dumps({"typ": "dpop+jwt", "alg": "ES256"} | header).encode()
    rest = make_proof().split(".", 1)[1]
    with pytest.raises((ProofError, NonceNeededError)):
        checked(f"{_b64(head)}.{rest}")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
