"""The OpenAPI document, and its comparison with an answer: the status, and the headers by name."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from gateway.app import create_app
from gateway.settings import Settings

HTTPS_OWN: Final = frozenset(
    {"content-type", "content-length", "transfer-encoding", "date", "server", "connection"}
)
"""What HTTP and the server add, and OpenAPI leaves to them."""


def api_document(folder: Path) -> dict[str, Any]:
    """The published OpenAPI document; `folder` is any, for settings that only name one."""
    settings = Settings(
        database_url="postgresql://localhost/none",
        issuer="https://gateway.example",
        secret="s" * 32,
        signing_keys=folder,
        vault_keys=folder,
        log_checkpoints="/checkpoints",
    )
    return create_app(settings).openapi()


_SHAPES: Final = {"{path}": ".+"}


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """An OpenAPI document."""

    document: Mapping[str, Any]
    _validators: dict[tuple[str, int], Any] = field(default_factory=dict, repr=False, compare=False)

    def operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        """The operation that describes a call; of several paths the one with the fewest parameters."""
        fitting = [
            template for template in self.document["paths"] if _pattern(template).fullmatch(path)
        ]
        for template in sorted(fitting, key=lambda each: each.count("{")):
            if method.lower() in self.document["paths"][template]:
                found: Mapping[str, Any] = self.document["paths"][template][method.lower()]
                return found
        return None

    def describes(self, method: str, path: str, status: int) -> bool:
        """True for a described status, or of an operation that is not described at all."""
        operation = self.operation(method, path)
        return operation is None or str(status) in operation["responses"]

    def headers(self, method: str, path: str, status: int, sent: Iterable[str]) -> list[str]:
        """The differences between the headers of an answer and those that are described for it."""
        operation = self.operation(method, path) or {"responses": {}}
        response = operation["responses"].get(str(status))
        if response is None:
            return []
        described = {
            name.lower(): self.resolved(each) for name, each in response["headers"].items()
        }
        found = {name.lower() for name in sent} - HTTPS_OWN
        needed = {name for name, each in described.items() if each.get("required")}
        return [
            *(f"{name} is sent and not described" for name in sorted(found - described.keys())),
            *(f"{name} is required and not sent" for name in sorted(needed - found)),
        ]

    def body_problem(self, method: str, path: str, status: int, body: bytes) -> str | None:
        """Difference between an answer's JSON body and its described schema; None if there is none."""
        operation = self.operation(method, path)
        if operation is None or str(status) not in operation["responses"]:
            return None
        name = operation["operationId"], status
        if name not in self._validators:
            content = operation["responses"][str(status)].get("content", {})
            schema = content.get("application/json", {}).get("schema", True)
            whole = (
                schema if schema is True else {**schema, "components": self.document["components"]}
            )
            self._validators[name] = jsonschema_rs.validator_for(whole)
        found = next(self._validators[name].iter_errors(json.loads(body)), None)
        return None if found is None else f"{found.instance_path}: {found.message}"

    def resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Target of a `$ref`; else the value itself."""
        if "$ref" not in value:
            return value
        found: Any = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self.resolved(found)


def _pattern(template: str) -> re.Pattern[str]:
    """A path template; the parameter `path` may hold slashes."""
    parts = re.split(r"(\{[^}]+\})", template)
    return re.compile("".join(_SHAPES.get(each, _shape(each)) for each in parts))


def _shape(part: str) -> str:
    return "[^/]+" if part.startswith("{") else re.escape(part)
