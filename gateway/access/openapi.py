"""OpenAPI additions: request bodies that handlers parse themselves, common responses, security.

Handlers parse bodies after authentication, so FastAPI does not know them. `tests/fuzz` compares the
document with real answers.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.access.body import WireModel

REFERENCE = "#/components/schemas/{model}"
PUBLIC_PATHS: Final = frozenset({"/v1/questions"})
METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
TOKEN_SCHEME: Final = "access_token"  # noqa: S105  # the name of a scheme
PROOF_SCHEME: Final = "dpop_proof"
_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"type": "string", "pattern": "^[0-9]+$"}
SIGNATURE_HEADERS: Final = ("Content-Digest", "Signature", "Signature-Input")

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is wrong and what to do (RFC 9457).",
    "properties": {
        "type": {"type": "string", "pattern": "^urn:xinqiao:problem:[a-z_]+$"},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "pattern": "^[a-z_]+$"},
        "detail": _TEXT,
        "request_id": {"type": ["string", "null"]},
        "warnings": {
            "type": "array",
            "items": {"enum": ["check_character"]},
            "description": "There only where the last character of the code asked about is wrong.",
        },
    },
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "additionalProperties": False,
}
SECURITY_SCHEMES: Final[dict[str, Any]] = {
    TOKEN_SCHEME: {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`DPoP` and an access token from `/oauth/token`.",
    },
    PROOF_SCHEME: {
        "type": "apiKey",
        "in": "header",
        "name": "DPoP",
        "description": "A proof of this very request and token (RFC 9449), with a nonce.",
    },
}
STATUS_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "400": "The request is not of the form that this endpoint takes.",
    "401": "The caller could not be recognised; WWW-Authenticate says why.",
    "403": "The caller is known and may not do this.",
    "404": "There is nothing here.",
    "409": "It does not fit what there is; or this Idempotency-Key stands for another request.",
    "413": "The body is larger than this endpoint takes.",
    "415": "The body is of another media type than this endpoint takes.",
    "429": "Too many calls; Retry-After says how long to wait.",
    "503": "A store cannot be reached; Retry-After says when to try again.",
}
REFUSAL_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "401": {"WWW-Authenticate": _TEXT, "DPoP-Nonce": _TEXT},
    "429": {"Retry-After": _SECONDS},
    "503": {"Retry-After": _SECONDS},
}
TAGS: Final[Mapping[str, tuple[str, str]]] = {
    "oauth": ("令牌和授权 Tokens and authorisation", "RFC 6749, 7523, 9126, 9396, 9449."),
    "verification": ("核验 Verification", "Yes/no questions on one enterprise."),
    "query": ("查询 Query", "Records of one enterprise, under its consent."),
    "consents": ("授权 Consents", "Ask for a consent, follow it, give it up."),
    "changes": ("变更通知 Changes", "What earlier answers may not be used for any more."),
    "log": ("透明日志 Transparency log", "Receipts, and the log that everybody can read."),
    "records": ("报送 Delivering records", "For departments; files by tus 1.0.0 too."),
    "objections": ("异议 Objections", "For departments."),
    "repairs": ("信用修复 Repair", "For departments."),
    "admin": ("运行管理 Administration", "For operators."),
    "codes": ("企业码 Enterprise codes", "What a code's page shows, as a page or as JSON."),
}
"""Tags of the routers: the reader's words for them, in the order of the document, with a sentence."""
_models: dict[str, type[WireModel]] = {}


def request_body(model: type[WireModel], *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra` of an endpoint that parses a `model`."""
    if _models.setdefault(model.__name__, model) is not model:
        raise RuntimeError(f"two request bodies are named {model.__name__}")
    schema = {"$ref": REFERENCE.format(model=model.__name__)}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": required, "content": content}}


def complete_document(document: dict[str, Any]) -> None:
    """Add request bodies, problems, headers and security schemes to an OpenAPI document."""
    components = document.setdefault("components", {})
    _add_request_schemas(components.setdefault("schemas", {}))
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = SECURITY_SCHEMES
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.values()]
    for path, operations in document["paths"].items():
        for method in METHODS & operations.keys():
            _complete_operation(path, operations[method])


def required_header(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A response header that is always present."""
    return {"required": True, "schema": dict(schema)}


def _add_request_schemas(schemas: dict[str, Any]) -> None:
    for name, model in sorted(_models.items()):
        schema = model.model_json_schema(ref_template=REFERENCE)
        for each, described in {**schema.pop("$defs", {}), name: schema}.items():
            if schemas.setdefault(each, described) != described:
                raise RuntimeError(f"two shapes are named {each}")
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    operation["tags"] = [TAGS[each][0] for each in operation["tags"]]
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own; here it is a 400 problem
    signed = path.startswith("/v1/")
    secured = signed and path not in PUBLIC_PATHS
    if secured:
        operation["security"] = [{TOKEN_SCHEME: [], PROOF_SCHEME: []}]
    for status in _refusals(path, operation, secured=secured):
        responses.setdefault(status, problem_response(status))
    for response in responses.values() if signed else ():
        headers = response.setdefault("headers", {})
        headers |= {name: required_header(_TEXT) for name in SIGNATURE_HEADERS}


def _refusals(path: str, operation: Mapping[str, Any], *, secured: bool) -> list[str]:
    found = ["400", "503"]
    if secured:
        found += ["401", "403", "429"]
    if "{" in path or path == "/log/checkpoint":
        found.append("404")
    if "requestBody" in operation:
        found += ["413", "415"]
        found += ["409"] if secured else []
    return found


def problem_response(status: str) -> dict[str, Any]:
    """The OpenAPI response for problems of this status."""
    schema = {"$ref": REFERENCE.format(model="Problem")}
    headers = {
        name: required_header(each) for name, each in REFUSAL_HEADERS.get(status, {}).items()
    }
    return {
        "description": STATUS_DESCRIPTIONS[status],
        "content": {"application/problem+json": {"schema": schema}},
        **({"headers": headers} if headers else {}),
    }
