"""The bundle that a request names in place of datasets and questions, or what is wrong with that."""

from collections.abc import Collection

from pydantic import ConfigDict
from pydantic.config import JsonDict

from gateway.access.errors import InvalidRequestError, Refusal
from gateway.clients.bundles import BUNDLES, Bundle


def either_bundle_or(member: str) -> ConfigDict:
    """Describe a request that names a bundle or this member: one of them."""
    return ConfigDict(
        json_schema_extra={
            "oneOf": [_named("bundle", without=member), _named(member, without="bundle")]
        }
    )


def _named(member: str, *, without: str) -> JsonDict:
    given: JsonDict = {member: {"not": {"type": "null"}}, without: {"type": "null"}}
    return {"required": [member], "properties": given}


def named_bundle(name: str, *, purpose: str, beside: Collection[object]) -> Bundle | Refusal:
    """The published bundle of this name and purpose; `beside` are items that the request names too."""
    if beside:
        return Refusal(InvalidRequestError, "Name a bundle, or what you ask for: not both.")
    bundle = BUNDLES.get(name)
    if bundle is None:
        return Refusal(InvalidRequestError, "There is no such bundle; GET /v1/bundles lists them.")
    if bundle.purpose != purpose:
        sentence = f"The bundle {name} is for the purpose {bundle.purpose.value}."
        return Refusal(InvalidRequestError, sentence)
    return bundle
