"""Bodies are bounded and parsed by ourselves, so that a caller is known before its body is read;
the published description of the API learns of them here."""

from typing import Any

from gateway.access.body import Wire

REFERENCE = "#/components/schemas/{model}"
_models: set[type[Wire]] = set()


def reads(model: type[Wire]) -> dict[str, Any]:
    """What an endpoint that parses a `model` adds to its description."""
    _models.add(model)
    schema = {"$ref": REFERENCE.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def add_request_schemas(document: dict[str, Any]) -> None:
    """Put the schemas of all request bodies into an OpenAPI document."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in _models:
        schema = model.model_json_schema(ref_template=REFERENCE)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
