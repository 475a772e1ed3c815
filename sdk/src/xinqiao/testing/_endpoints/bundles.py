"""Bundles of the fake gateway: what a request that names one asks, within the client's agreement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from xinqiao._core.api.bundles import NOT_BOTH
from xinqiao._core.wire.uscc import is_code
from xinqiao.testing._rules.published import BUNDLES
from xinqiao.testing._rules.request_rules import Body, Wrong
from xinqiao.testing._state.enterprises import FakeAgreement

_UNKNOWN: Final = "There is no such bundle; GET /v1/bundles lists them."
_NOTHING: Final = {
    "/v1/verifications": "Mend these members: questions: ask at least one, or name a bundle.",
    "/v1/queries": "Mend these members: datasets: name at least one, or a bundle.",
}


def expand(body: Body, path: str, agreement: FakeAgreement) -> Body | Wrong:
    """The body with what its bundle stands for.

    Where the agreement covers none of it, a verification and a query keep the whole, to be refused for it.
    """
    if "enterprise" in body and not is_code((body["enterprise"] or {}).get("uscc", "")):
        return Wrong("invalid_uscc")
    asked = (*(body.get("datasets") or ()), *(body.get("questions") or ()))
    if body.get("bundle") is None:
        nothing = _NOTHING.get(path)
        return Wrong("invalid_request", nothing) if nothing and not asked else body
    wrong = Wrong("invalid_request", NOT_BOTH) if asked else bundle_problem(body)
    return wrong or _expanded(body, path, BUNDLES[body["bundle"]], agreement)


def bundle_problem(body: Body) -> Wrong | None:
    """Problem with the bundle that a body names."""
    bundle = BUNDLES.get(body["bundle"])
    if bundle is None:
        return Wrong("invalid_request", _UNKNOWN)
    if bundle["purpose"] != body["purpose"]:
        sentence = f"The bundle {body['bundle']} is for the purpose {bundle['purpose']}."
        return Wrong("invalid_request", sentence)
    return None


def covered_tags(bundle: Mapping[str, Any], agreement: FakeAgreement) -> list[str]:
    """The questions of a bundle that the agreement covers."""
    return _covered([each["question"] for each in bundle["questions"]], agreement.questions)


def _expanded(
    body: Body, path: str, bundle: Mapping[str, Any], agreement: FakeAgreement
) -> Body | Wrong:
    datasets = _covered(bundle["datasets"], agreement.datasets)
    tags = covered_tags(bundle, agreement)
    if path == "/v1/verifications":
        questions = [each for each in bundle["questions"] if each["question"] in tags]
        return {**body, "questions": questions or bundle["questions"]}
    if path == "/v1/queries":
        return {**body, "datasets": datasets or bundle["datasets"]}
    if not datasets and not tags:
        sentence = f"This client's agreement covers nothing of the bundle {body['bundle']}."
        return Wrong("not_in_agreement", sentence)
    return {**body, "datasets": datasets, "questions": tags}


def _covered(names: list[str], covered: Collection[str] | None) -> list[str]:
    return [name for name in names if covered is None or name in covered]
