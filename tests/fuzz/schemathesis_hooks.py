"""Schemathesis hooks: authenticate each request, tally the responses.

Runs in schemathesis' own process, so it holds no gateway: it makes its assertions and proofs with
PyJWT, as a client does, and takes its nonces from the answers.
"""

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import requests
import schemathesis
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests.auth import AuthBase

from tests.oauth_builders import ASSERTION_TYPE, digest_of, public_jwk
from tests.openapi_description import ApiDescription
from tests.records_builders import PART, UPLOADS

KIT: dict[str, Any] = json.loads(Path(os.environ["XINQIAO_FUZZ_KIT"]).read_text())
TALLY = Path(os.environ["XINQIAO_FUZZ_TALLY"])
ISSUER: str = KIT["issuer"]
FORM = "application/x-www-form-urlencoded"
FRESH_SECONDS = 120
PATIENCE = 20
UNKNOWN_HEADER = "Object with unexpected properties"


class ClientAuth(AuthBase):
    """Credentials of one client, added to each request when it is sent."""

    def __init__(self, kit: dict[str, Any]) -> None:
        self._client_id: str = kit["client_id"]
        self._scope: str = kit["scope"]
        self._kid: str = kit["kid"]
        self._key: Any = load_pem_private_key(kit["private_key"].encode(), None)
        self._nonce: str | None = None
        self._token = ""
        self._until = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the form of an OAuth endpoint; add token and proof elsewhere."""
        method, path = str(request.method), urlsplit(str(request.url)).path
        if path.startswith("/oauth/"):
            self._sign_form(request)
            request.headers["DPoP"] = self._proof(method, path, None)
        else:
            token = self._fresh_token()
            request.headers["Authorization"] = f"DPoP {token}"
            request.headers["DPoP"] = self._proof(method, path, token)
        request.register_hook("response", self._note)
        return request

    def _sign_form(self, request: requests.PreparedRequest) -> None:
        """Replace an assertion by a valid one; add none where it is missing."""
        body = request.body
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
        if str(request.headers.get("Content-Type", "")).partition(";")[0] != FORM:
            return
        fields = [
            (name, self._assertion() if name == "client_assertion" else value)
            for name, value in parse_qsl(text, keep_blank_values=True)
        ]
        if any(name == "client_assertion" for name, _ in fields):
            request.prepare_body(urlencode(fields), None)

    def _fresh_token(self) -> str:
        if time.time() < self._until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": ASSERTION_TYPE,
        }
        for _ in range(2):  # the first answer may only bring the nonce
            signed = form | {"client_assertion": self._assertion()}
            proof = self._proof("POST", "/oauth/token", None)
            answer = requests.post(
                f"{ISSUER}/oauth/token", data=signed, headers={"DPoP": proof}, timeout=PATIENCE
            )
            self._note(answer)
            if answer.ok:
                break
        answer.raise_for_status()
        self._token, self._until = answer.json()["access_token"], time.time() + FRESH_SECONDS
        return self._token

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._kid})

    def _proof(self, method: str, path: str, token: str | None) -> str:
        claims = {
            "htm": method,
            "htu": ISSUER + path,
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(16),
        }
        claims |= {"nonce": self._nonce} if self._nonce else {}
        claims |= {"ath": digest_of(token)} if token else {}
        header = {"typ": "dpop+jwt", "jwk": public_jwk(self._key)}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=header)

    def _note(self, answer: requests.Response, **_: Any) -> None:
        self._nonce = answer.headers.get("DPoP-Nonce", self._nonce)


OPERATOR, BANK, SOURCE = (ClientAuth(KIT[each]) for each in ("operator", "bank", "source"))
KNOWN_TURN: list[None] = []
OURS = frozenset(KIT[each]["client_id"] for each in ("operator", "bank", "source"))

# `apply_to` is there at run time; the type of `auth` does not say so.
proving: Any = schemathesis.auth
proving.set_from_requests(OPERATOR).apply_to(path_regex="^/v1/admin")
proving.set_from_requests(BANK).apply_to(path_regex="^/oauth/(par|token|introspect|revoke)")
proving.set_from_requests(SOURCE).apply_to(path_regex="^/v1/(records|objections)")
proving.set_from_requests(BANK).apply_to(path_regex="^/v1/(?!admin|questions|records|objections)")

schemathesis.serializer.alias(PART, "application/octet-stream")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out calls that are wrong by an unknown header alone: HTTP has it ignored (RFC 9110, 5.1).

    `negative_data_rejection` knows this by itself, but where a header is a number: it compares the text.
    """
    added = getattr(case.meta and case.meta.phase.data, "description", None)
    return not (added == UNKNOWN_HEADER and case.meta.phase.data.parameter_location == "header")


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Point every second valid call at an existing object; protect the fuzzing clients."""
    KNOWN_TURN.append(None)
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if is_valid or case.method != case.operation.method.upper():
        case.headers.pop("Content-Digest", None)  # of another body
        for name in ("Signature-Input", "Signature"):  # of another request
            case.headers.pop(name, None)
    if is_valid and (len(KNOWN_TURN) % 2 or case.method == "HEAD"):
        if case.path.startswith(UPLOADS):
            case.headers.pop("Upload-Checksum", None)  # of another part
            known = KIT["known_headers"]
            case.headers.update({name: known[name] for name in case.headers.keys() & known.keys()})
        for name in case.path_parameters.keys() & KIT["known"].keys():
            known = KIT["known"][name]
            if name == "upload_id":  # what one call deletes, the others do not look for
                half = len(known) // 2
                known = known[:half] if case.method == "DELETE" else known[half:]
            case.path_parameters[name] = secrets.choice(known)
        if isinstance(case.body, dict) and "enterprise" in case.body:
            known = KIT["known_members"]
            case.body |= {name: known[name] for name in case.body.keys() & known.keys()}
        if case.path == "/oauth/token" and isinstance(case.body, dict):
            made_up = {"scope", "resource", "client_id"}
            case.body = {name: each for name, each in case.body.items() if name not in made_up}
            case.body["grant_type"] = "client_credentials"
    if case.method == "POST" and case.path_parameters.get("client_id") in OURS:
        case.path_parameters["client_id"] = "somebody-else"


@schemathesis.check
def headers_are_described(_context: Any, response: Any, case: Any) -> None:
    """Each header of the answer is in the document, and each that the document promises is sent."""
    if response.request.method == case.method:
        document, path = ApiDescription(case.operation.schema.raw_schema), urlsplit(case.path).path
        found = document.headers(case.method, path, response.status_code, response.headers)
        assert not found, "; ".join(found)


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Count the statuses by endpoint."""
    with TALLY.open("a") as tally:
        tally.write(f"{case.operation.label} {response.status_code}\n")
