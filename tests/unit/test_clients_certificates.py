"""Client certificates (RFC 8705): matching, `Client-Cert` parsing, trusted proxies, registration."""

import base64
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.access.http.client_cert import MAX_HEADER_LENGTH, parse_header
from gateway.clients.authentication_method import SUBJECTS, Authentication
from gateway.clients.certificates import LARGEST_CERTIFICATE, CertificateError, read_certificate
from gateway.clients.registration import Registration, RegistrationError
from gateway.settings import Settings, SettingsError
from gateway.trusted_proxies import is_in_networks, parse_networks
from tests.mtls_builders import SUBJECT, Holder, make_authority, make_certificate
from tests.oauth_builders import public_jwk

CA = make_authority()
LEAF = make_certificate(issuer=CA)


def registered_with(**subject: Any) -> Authentication:
    """A registration for tls_client_auth with this subject."""
    return Authentication(token_endpoint_auth_method="tls_client_auth", **subject)


def matches_subject(holder: Holder, **subject: str) -> bool:
    """True if a certificate matches a client with this subject."""
    return read_certificate(holder.der).belongs_to(registered_with(**subject), ())


@pytest.mark.parametrize(
    "written",
    [
        SUBJECT,
        "CN=acme-bank,O=Acme\\20Bank,C=CN",
        "2.5.4.3=acme-bank,2.5.4.10=Acme Bank,2.5.4.6=CN",
    ],
)
def test_a_subject_is_compared_as_a_name_and_not_as_a_text(written: str) -> None:
    """RFC 4514 allows several spellings of one name."""
    assert matches_subject(LEAF, tls_client_auth_subject_dn=written)


@pytest.mark.parametrize(
    "written",
    [
        "CN=acme-bank,O=Acme Bank",
        "CN=acme-bank",
        "C=CN,O=Acme Bank,CN=acme-bank",
        "CN=Acme-Bank,O=Acme Bank,C=CN",
        "CN=acme-bank+O=Acme Bank,C=CN",
        "CN=acme-bank,OU=Acme Bank,C=CN",
        "CN=acme-bank\\,O=Acme Bank\\,C=CN",
        "CN=acme-bank,O=Acme Bank,C=CN,DC=more",
    ],
)
def test_another_subject_is_another_client(written: str) -> None:
    """A part of it, another order, another case, a confusable name."""
    assert not matches_subject(LEAF, tls_client_auth_subject_dn=written)


ALTERNATIVES = (
    x509.DNSName("api.acme.example"),
    x509.UniformResourceIdentifier("spiffe://acme/bank"),
    x509.IPAddress(ip_address("2001:db8::7")),
    x509.RFC822Name("Tech@acme.example"),
)


@pytest.mark.parametrize(
    ("subject", "fits"),
    [
        ({"tls_client_auth_san_dns": "API.acme.example"}, True),
        ({"tls_client_auth_san_dns": "acme.example"}, False),
        ({"tls_client_auth_san_dns": "spiffe"}, False),
        ({"tls_client_auth_san_uri": "spiffe://acme/bank"}, True),
        ({"tls_client_auth_san_uri": "spiffe://acme/bank/"}, False),
        ({"tls_client_auth_san_ip": "2001:0db8:0:0::7"}, True),
        ({"tls_client_auth_san_ip": "2001:db8::8"}, False),
        ({"tls_client_auth_san_email": "Tech@ACME.example"}, True),
        ({"tls_client_auth_san_email": "tech@acme.example"}, False),
    ],
)
def test_an_alternative_name_is_of_its_own_kind(subject: dict[str, str], fits: bool) -> None:
    """Compared by the rules of their kind; a certificate without any matches none."""
    assert (
        matches_subject(make_certificate(issuer=CA, alternatives=ALTERNATIVES), **subject) is fits
    )
    assert not matches_subject(LEAF, **subject)


def test_a_certificate_that_issued_itself_has_no_authority() -> None:
    """A proxy cannot have verified a chain for it."""
    assert not matches_subject(make_certificate(), tls_client_auth_subject_dn=SUBJECT)


def test_a_self_signed_certificate_is_known_by_its_bytes() -> None:
    """The same key and name in another certificate is no match; nor is one further on in `x5c`."""
    own = make_certificate()
    registered = Authentication(token_endpoint_auth_method="self_signed_tls_client_auth")
    assert read_certificate(own.der).belongs_to(registered, [LEAF.jwk, own.jwk])
    again = make_certificate(key=own.key)
    assert not read_certificate(again.der).belongs_to(registered, [own.jwk])
    behind = {**own.jwk, "x5c": [*own.jwk["x5c"], *LEAF.jwk["x5c"]]}
    assert not read_certificate(LEAF.der).belongs_to(registered, [behind])
    assert not read_certificate(own.der).belongs_to(registered, [public_jwk(own.key)])
    assert not read_certificate(own.der).belongs_to(Authentication(), [own.jwk])


def test_a_wildcard_matches_no_client() -> None:
    """Neither in certificates nor in registrations."""
    wild = make_certificate(issuer=CA, alternatives=[x509.DNSName("*.acme.example")])
    assert not matches_subject(wild, tls_client_auth_san_dns="api.acme.example")
    assert registered_with(tls_client_auth_san_dns="*.acme.example").problem is not None


def test_client_cert_is_read_as_rfc_9440_writes_it() -> None:
    """One byte sequence, with white space around it."""
    assert parse_header(f" {LEAF.header} ").thumbprint == LEAF.thumbprint


def _changed(text: str) -> list[str]:
    inner = text.strip(":")
    der = base64.b64decode(inner)
    return [
        "",
        "::",
        inner,
        f":{inner}",
        f"{inner}:",
        f'"{inner}"',
        f"{text}, {text}",
        f"{text};a=1",
        f":{inner[:-4]}:",
        f":{inner}====:",
        f":{inner[:40]} {inner[40:]}:",
        f":{inner.replace('+', '-').replace('/', '_')[:-2]}:",
        f":{base64.b64encode(der + b'more').decode()}:",
        f":{base64.b64encode(der[:-1]).decode()}:",
        f":{base64.b64encode(b'0' * 300).decode()}:",
        f":{base64.b64encode(der + bytes(LARGEST_CERTIFICATE)).decode()}:",
        ":" + "A" * MAX_HEADER_LENGTH + ":",
        "-----BEGIN CERTIFICATE-----",
        ":%2B:",
    ]


@pytest.mark.parametrize("field", _changed(LEAF.header))
def test_anything_else_in_client_cert_is_refused(field: str) -> None:
    """Two values, PEM, other base64, extra or missing bytes, too many bytes."""
    with pytest.raises(CertificateError):
        parse_header(field)


def test_a_large_certificate_passes_up_to_a_bound() -> None:
    """Many names are accepted, up to the limit."""
    many = [x509.DNSName(f"host-{i:04}.acme.example") for i in range(200)]
    assert parse_header(make_certificate(issuer=CA, alternatives=many).header)
    with pytest.raises(CertificateError):
        parse_header(make_certificate(issuer=CA, alternatives=many * 3).header)


@pytest.mark.parametrize(
    ("networks", "peer", "trusted"),
    [
        ("", "127.0.0.1", False),
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.70", False),
        ("10.0.0.0/28, fd00::/64", "10.0.0.15", True),
        ("10.0.0.0/28 fd00::/64", "10.0.0.16", False),
        ("10.0.0.0/28 fd00::/64", "fd00::9", True),
        ("10.0.0.7", "::ffff:10.0.0.7", True),
        ("::ffff:10.0.0.0/124", "10.0.0.7", True),
        ("::ffff:10.0.0.0/124", "::ffff:10.0.0.16", False),
        ("fd00::/64", "::ffff:10.0.0.7", False),
        ("127.0.0.1", None, False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "unix:/run/proxy.sock", False),
        ("127.0.0.1", "localhost", False),
    ],
)
def test_a_proxy_is_known_by_its_address(networks: str, peer: str | None, trusted: bool) -> None:
    """IPv4-mapped IPv6 counts as IPv4; Unix sockets have no address."""
    assert is_in_networks(peer, parse_networks(networks)) is trusted


def settings(**changes: Any) -> Settings:
    """Settings of a production installation."""
    return Settings.from_env(
        database_url="postgresql://x@y/z",
        issuer="https://credit.example.gov.cn",
        secret="s" * 32,
        signing_keys="/nowhere",
        vault_keys="/nowhere",
        log_checkpoints=("/nowhere",),
        **changes,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"trusted_proxies": "proxy.example"},
        {"trusted_proxies": "10.0.0.7/24"},
        {"trusted_proxies": "0.0.0.0/0"},
        {"trusted_proxies": "::/0"},
        {"trusted_proxies": "::ffff:0:0/96"},
        {"mtls_origin": "https://mtls.example.gov.cn"},
        {"trusted_proxies": "10.0.0.7", "mtls_origin": "http://mtls.example.gov.cn"},
        {"trusted_proxies": "10.0.0.7", "mtls_origin": "https://mtls.example.gov.cn/"},
        {"trusted_proxies": "10.0.0.7", "mtls_origin": "https://Mtls.example.gov.cn"},
        {"trusted_proxies": "10.0.0.7", "mtls_origin": "https://me@mtls.example.gov.cn"},
    ],
)
def test_an_ambiguous_setting_of_trusted_proxies_is_refused(changes: dict[str, str]) -> None:
    """Host names, host bits, all addresses; an alias without a trusted proxy."""
    with pytest.raises(SettingsError, match=r"XINQIAO_(TRUSTED_PROXIES|MTLS_ORIGIN)"):
        settings(**changes)


def test_no_proxy_is_trusted_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is empty; entries are separated by spaces or commas."""
    assert settings().trusted_proxies == ()
    monkeypatch.setenv("XINQIAO_TRUSTED_PROXIES", "10.0.0.7, fd00::/64")
    assert [str(each) for each in settings().trusted_proxies] == ["10.0.0.7/32", "fd00::/64"]


def test_the_origin_is_one_of_our_own_for_any_host() -> None:
    """Another Host is answered as the issuer."""
    both = settings(trusted_proxies="10.0.0.7", mtls_origin="https://mtls.example.gov.cn")
    assert both.origin_at("MTLS.example.gov.cn:443") == "https://mtls.example.gov.cn"
    for other in (None, "", "credit.example.gov.cn", "evil.example", "mtls.example.gov.cn:8443"):
        assert both.origin_at(other) == "https://credit.example.gov.cn"
    assert settings().origin_at("mtls.example.gov.cn") == "https://credit.example.gov.cn"


def make_registration(jwks: Any = None, **authentication: Any) -> Registration:
    """A client with this registration."""
    return Registration(
        client_id="acme",
        kind="bank",
        name_zh="某银行",
        name_en="Acme",
        scopes=("query",),
        jwks=jwks,
        authentication=Authentication(**authentication),
    )


TLS = {"token_endpoint_auth_method": "tls_client_auth"}
SELF = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}
KEYS = {"keys": [public_jwk(LEAF.key, kid="k1")]}


@pytest.mark.parametrize(
    ("jwks", "authentication"),
    [
        (None, TLS),
        (None, {**TLS, **dict.fromkeys(SUBJECTS[1:3], "acme.example")}),
        (KEYS, {**TLS, "tls_client_auth_san_dns": "acme.example"}),
        (KEYS, {"tls_client_auth_san_dns": "acme.example"}),
        (KEYS, {**SELF, "tls_client_auth_san_dns": "acme.example"}),
        (KEYS, {"token_endpoint_auth_method": "client_secret_basic"}),
        (KEYS, {"token_endpoint_auth_method": "none"}),
        (None, {**TLS, "tls_client_auth_subject_dn": ""}),
        (None, {**TLS, "tls_client_auth_subject_dn": "acme"}),
        (None, {**TLS, "tls_client_auth_subject_dn": "CN=#0c0161,C=CN"}),
        (None, {**TLS, "tls_client_auth_subject_dn": "CN=a\0b"}),
        (None, {**TLS, "tls_client_auth_san_uri": "acme"}),
        (None, {**TLS, "tls_client_auth_san_ip": "10.0.0"}),
        (None, {**TLS, "tls_client_auth_san_email": "acme"}),
        (None, {**TLS, "tls_client_auth_san_dns": "x" * 2_000}),
        (None, SELF),
        (KEYS, SELF),
        ({"keys": [LEAF.jwk, *KEYS["keys"]]}, SELF),
        ({"keys": [{**LEAF.jwk, "x5c": []}]}, SELF),
        ({"keys": [{**LEAF.jwk, "x5c": ["!"]}]}, SELF),
        ({"keys": [{**LEAF.jwk, "x5c": [7]}]}, SELF),
        ({"keys": [{**LEAF.jwk, "x5c": [LEAF.jwk["x5c"][0] + "\n"]}]}, SELF),
        ({"keys": [{**LEAF.jwk, "x5c": CA.jwk["x5c"]}]}, SELF),
        ({"keys": [{**LEAF.jwk, "x5c": CA.jwk["x5c"]}]}, {}),
    ],
)
def test_a_registration_that_matches_no_certificate_is_refused(
    jwks: Any, authentication: dict[str, str]
) -> None:
    """A method without its member, a member without its method, a certificate of another key."""
    with pytest.raises(RegistrationError):
        make_registration(jwks, **authentication)


def test_a_good_registration_keeps_its_members() -> None:
    """With the names of RFC 8705."""
    made = make_registration(**TLS, tls_client_auth_subject_dn=SUBJECT)
    assert made.columns()["tls_client_auth_subject_dn"] == SUBJECT
    assert make_registration({"keys": [make_certificate().jwk]}, **SELF)
    assert LEAF.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
