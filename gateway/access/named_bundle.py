"""The bundle that a request names in place of datasets and questions, or what is wrong with that."""

from collections.abc import Collection

from gateway.access.errors import InvalidRequestError, Refusal
from gateway.clients.bundles import BUNDLES, Bundle


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
