"""OpenAPI additions: request bodies that handlers parse themselves, common responses, headers, security.

Handlers parse bodies after authentication, so FastAPI does not know them. `tests/fuzz` compares the
document with real answers.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.access.http.body import WireModel
from gateway.access.openapi.examples import add_examples, problem_components
from gateway.access.openapi.headers import (
    SIGNED_PREFIX,
    answer_headers,
    header,
    header_components,
    parameter,
    request_headers,
)
from gateway.access.service_classes import CLASS_OF

REFERENCE = "#/components/schemas/{model}"
PUBLIC_PATHS: Final = frozenset({"/v1/bundles", "/v1/outcomes", "/v1/questions"})
METHODS: Final = frozenset({"get", "head", "post", "put", "patch", "delete", "options"})
TOKEN_SCHEME: Final = "access_token"  # noqa: S105  # the name of a scheme
PROOF_SCHEME: Final = "dpop_proof"
FASTAPIS_WORDS: Final = "Successful Response"
_TEXT: Final = {"type": "string"}
_PATH_TEXT: Final = {"type": "string", "pattern": r"^[^\x00-\x1f\x7f-\x9f\\]+$"}
"""Schema of a path parameter: the characters that a path may contain (`http1.paths`)."""

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
    "412": "The protocol's version is another one, or is not named.",
    "413": "The body is larger than this endpoint takes.",
    "415": "The body is of another media type than this endpoint takes.",
    "423": "Another call is at work here; try again in a moment.",
    "429": "Too many calls; Retry-After says how long to wait.",
    "460": "The part is not what its checksum says; nothing of it was kept.",
    "503": "A store cannot be reached; Retry-After says when to try again.",
}
TAGS: Final[Mapping[str, tuple[str, str]]] = {
    "oauth": (
        "令牌和授权 Tokens and authorisation",
        "取得令牌，或请企业授权 · A token, or an enterprise's consent (RFC 6749, 7523, 9126, 9396, 9449).",
    ),
    "verification": (
        "核验 Verification",
        "对一家企业的是非问题 · Yes/no questions on one enterprise.",
    ),
    "limits": ("限额 Limits", "您的各项限额和剩余次数 · Your limits, and what is left of them."),
    "query": (
        "查询 Query",
        "经授权查询一家企业的记录 · Records of one enterprise, under its consent.",
    ),
    "consents": (
        "授权 Consents",
        "请求、查看或放弃授权 · Ask for a consent, follow it, give it up.",
    ),
    "changes": (
        "变更通知 Changes",
        "此前的答复中不可再用的内容 · What earlier answers may not be used for any more.",
    ),
    "log": (
        "透明日志 Transparency log",
        "回执，以及人人可读的日志 · Receipts, and the log that everybody can read.",
    ),
    "records": (
        "报送 Delivering records",
        "数源单位报送记录，大文件用 tus 1.0.0 · For departments; large files by tus 1.0.0.",
    ),
    "objections": ("异议 Objections", "数源单位答复异议 · For departments, who answer objections."),
    "repairs": (
        "信用修复 Repair",
        "数源单位办理修复申请 · For departments, who decide applications.",
    ),
    "admin": (
        "运行管理 Administration",
        "运营机构管理接入方、合约和时限 · For operators: clients, agreements, deadlines.",
    ),
    "codes": (
        "企业码 Enterprise codes",
        "扫码所见；登记机关签发、换发、作废 · A code's page; issue and revocation by its authority.",
    ),
}
"""Tags of the routers: the reader's words for them, in the order of the document, with a sentence."""
_models: dict[str, type[WireModel]] = {}


def request_body(model: type[WireModel], *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra` of an endpoint that parses a `model`."""
    content = {"application/json": {"schema": _reference(model)}}
    return {"requestBody": {"required": required, "content": content}}


def ndjson_lines(*models: type[WireModel]) -> dict[str, Any]:
    """The content of an NDJSON stream, each line one of `models` (`itemSchema` of OpenAPI 3.2)."""
    lines = {"anyOf": [_reference(each) for each in models]}
    return {"application/x-ndjson": {"schema": {"type": "string"}, "x-itemSchema": lines}}


def _reference(model: type[WireModel]) -> dict[str, Any]:
    """A reference to a model that is described with the document."""
    if _models.setdefault(model.__name__, model) is not model:
        raise RuntimeError(f"two models are named {model.__name__}")
    return {"$ref": REFERENCE.format(model=model.__name__)}


def complete_document(document: dict[str, Any], problems: Mapping[str, Mapping[str, Any]]) -> None:
    """Add request bodies, headers, examples, security schemes and `problems` by code to a document."""
    components = document.setdefault("components", {})
    _add_request_schemas(components.setdefault("schemas", {}))
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = SECURITY_SCHEMES
    components |= header_components()
    components["examples"] = problem_components(problems)
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.values()]
    for path, operations in document["paths"].items():
        for method in METHODS & operations.keys():
            _complete_operation(path, method, operations[method])
            _describe_answers(operations[method], components["schemas"])
            operations[method]["x-service-class"] = CLASS_OF.get(operations[method]["operationId"])
            add_examples(path, operations[method], problems)


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


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    operation["tags"] = [TAGS[each][0] for each in operation["tags"]]
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own; here it is a 400 problem
    secured = path.startswith(SIGNED_PREFIX) and path not in PUBLIC_PATHS and method != "options"
    if secured:
        operation["security"] = [{TOKEN_SCHEME: [], PROOF_SCHEME: []}]
    for status in _refusals(path, operation, secured=secured):
        responses.setdefault(status, problem_response(status))
    for each in operation.get("parameters", []):
        if each["in"] == "path":
            each["schema"] = _PATH_TEXT | each["schema"]
    read = request_headers(path, operation, secured=secured)
    operation["parameters"] = [*operation.get("parameters", []), *map(parameter, read)]
    for status, response in responses.items():
        sent = answer_headers(path, status, secured=secured)
        rules = {name: header(name, required=required) for name, required in sent.items()}
        response["headers"] = dict(sorted((rules | response.get("headers", {})).items()))
        if method == "head":
            response.pop("content", None)


def _describe_answers(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    """Put the first sentence of an answer's model in the place of FastAPI's own words."""
    for response in operation["responses"].values():
        if response["description"] == FASTAPIS_WORDS:
            models = (
                schemas[each["schema"]["$ref"].rpartition("/")[2]]
                for each in response.get("content", {}).values()
                if "$ref" in each.get("schema", {})
            )
            told = next((each["description"] for each in models), FASTAPIS_WORDS)
            response["description"] = told.partition("\n")[0]


def _refusals(path: str, operation: Mapping[str, Any], *, secured: bool) -> list[str]:
    found = ["400", "503"]
    if secured:
        found += ["401", "403", "429"]
    if "{" in path or path in {"/log/checkpoint", "/v1/admin/data-quality"}:
        found.append("404")
    if "requestBody" in operation:
        found += ["413", "415"]
        found += ["409"] if secured and path != "/v1/changes/ack" else []
    return found


def problem_response(status: str) -> dict[str, Any]:
    """The OpenAPI response for problems of this status."""
    schema = {"$ref": REFERENCE.format(model="Problem")}
    return {
        "description": STATUS_DESCRIPTIONS[status],
        "content": {"application/problem+json": {"schema": schema}},
    }
