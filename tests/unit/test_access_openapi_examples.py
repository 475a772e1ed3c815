"""Examples of the OpenAPI document: whole, of every operation, and valid by their own schemas."""

import json
from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs
import pytest

from gateway.access.http.body import WireModel
from gateway.access.openapi.examples import EXAMPLES
from gateway.queries.schemas import QueryIn
from gateway.verifications.schemas import VerificationIn
from gateway.verifications.watches.schemas import WatchIn
from tests.openapi_description import ApiDescription, api_document

_ANY: Final[dict[str, Any]] = {
    "enterprise": {"uscc": "91330106MAHD08319M"},
    "purpose": "merchant_review",
    "enterprises": ["91330106MAHD08319M"],
}
UNSHOWN = frozenset(
    {
        "image/png",
        "image/svg+xml",
        "text/html",
        "application/octet-stream",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The published document."""
    return api_document(tmp_path_factory.mktemp("none"))


def contents(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each described content: where it is, its media type, its description."""
    for operations in document["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            body = operation.get("requestBody", {}).get("content", {})
            yield from ((name, media_type, each) for media_type, each in body.items())
            for status, response in operation["responses"].items():
                for media_type, each in response.get("content", {}).items():
                    yield f"{name} {status}", media_type, each


def test_every_request_and_answer_has_an_example(document: dict[str, Any]) -> None:
    """Of pages and of octets there is none to show."""
    missing = {
        (where, media_type)
        for where, media_type, each in contents(document)
        if media_type not in UNSHOWN | {"application/offset+octet-stream"}
        and "example" not in each
        and not each.get("examples")
    }
    assert missing == set()


def test_every_example_is_valid_by_its_schema(document: dict[str, Any]) -> None:
    """A client that is generated from the document can read what it shows."""
    described, seen, wrong = ApiDescription(document), 0, []
    for where, _, each in contents(document):
        shown = [described.resolved(one)["value"] for one in each.get("examples", {}).values()]
        shown += [each["example"]] if "example" in each else []
        schema = {**each.get("schema", {}), "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for one in shown:
            seen += 1
            wrong += [f"{where}: {found.message}" for found in validator.iter_errors(one)]
    assert seen > len(EXAMPLES)
    assert wrong == []


def test_every_answer_is_described_in_words_and_by_a_schema(document: dict[str, Any]) -> None:
    """None of FastAPI's own; a JSON object names its members, but for what others keep."""
    bare = {
        (operation["operationId"], status)
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if response["description"] in {"", "Successful Response"}
    }
    assert bare == set()
    shapeless = {
        where
        for where, _, each in contents(document)
        if not {"$ref", "type", "anyOf", "oneOf"} & each.get("schema", {}).keys()
    }
    assert shapeless == set()


def test_a_body_of_another_shape_is_found(document: dict[str, Any]) -> None:
    """Description against which each in-process answer of the tests is judged."""
    described = ApiDescription(document)
    shown = EXAMPLES["get_client"]["answers"]["200"]["application/json"]
    call = ("GET", "/v1/admin/clients/example-bank", 200)
    assert described.body_problem(*call, json.dumps(shown).encode()) is None
    for wrong in (shown | {"more": 1}, {**shown, "state": "asleep"}, {}):
        assert described.body_problem(*call, json.dumps(wrong).encode()) is not None


def test_every_header_example_is_valid_by_its_schema(document: dict[str, Any]) -> None:
    """Request headers and answer headers."""
    components = document["components"]
    shown = [
        (name, each)
        for kind in ("headers", "parameters")
        for name, each in components[kind].items()
        if "example" in each
    ]
    assert shown
    for name, each in shown:
        assert jsonschema_rs.is_valid(each["schema"], each["example"]), name


def test_every_example_is_of_an_operation(document: dict[str, Any]) -> None:
    """None outlives its operation."""
    known = {
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    }
    assert EXAMPLES.keys() - known == set()


def test_every_operation_has_a_tag_that_is_described(document: dict[str, Any]) -> None:
    """In the reader's words."""
    described = {each["name"]: each["description"] for each in document["tags"]}
    used = {
        tag
        for operations in document["paths"].values()
        for operation in operations.values()
        for tag in operation["tags"]
    }
    assert used == described.keys()
    assert all(described.values())


@pytest.mark.parametrize(
    ("model", "member"),
    [(QueryIn, "datasets"), (VerificationIn, "questions"), (WatchIn, "questions")],
)
def test_a_bundle_is_described_in_place_of_what_it_stands_for(
    model: type[WireModel], member: str
) -> None:
    """Never beside it, and one of them is needed."""
    described = model.model_json_schema()
    base = {name: _ANY[name] for name in described["required"]}
    validator = jsonschema_rs.validator_for(described)
    items = [{"question": "x"}] if model is VerificationIn else ["x"]
    taken: list[dict[str, Any]] = [
        {"bundle": "x"},
        {member: items},
        {"bundle": None, member: items},
    ]
    refused: list[dict[str, Any]] = [{}, {"bundle": None}, {"bundle": "x", member: items}]
    assert [validator.is_valid(base | named) for named in taken + refused] == [True] * 3 + [
        False
    ] * 3
