"""Mistakes in the set-up of the SDK's fake gateway: each is refused, with the nearest right value."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from gateway.creditfile.catalogue import load_catalogue
from tests.generated.sdk_published import PUBLISHED, text_of
from tests.sdk_mistake_builders import ENDS, LOAN, NOW, RECORD, USCC, Mistake, Scene, held
from tests.sdk_mistakes import MISTAKES, OTHERS
from xinqiao.testing import FakeAgreement, FakeConsent, FakeGateway, FakeSetupError


@pytest.fixture
def scene() -> Iterator[Scene]:
    fake = FakeGateway(clock=NOW.timestamp)
    fake.add_enterprise(USCC, records=[{"dataset": "penalty", "record_id": RECORD}])
    consent = fake.grant_consent(
        USCC, purpose=LOAN, datasets=["penalty", "licence"], questions=["rating_at_least.v1"],
        valid_until=ENDS, max_uses=5,
    )  # fmt: skip
    asked: dict[str, Any] = {"purpose": LOAN, "datasets": ["penalty", "licence"], "max_uses": 5,
                             "valid_until": ENDS}  # fmt: skip
    with fake.client() as bank:
        yield Scene(
            fake=fake,
            bank=bank,
            consent=consent,
            asked=bank.request_consent(USCC, **asked).consent_id,
            url=bank.start_consent(uscc=USCC, **asked).url,
        )


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_refused_with_the_wrong_and_the_nearest_right_value(
    scene: Scene, mistake: Mistake
) -> None:
    """Nothing is changed by it, and it is no error that an application would catch."""
    before = repr((scene.fake._resources, scene.fake._faults, scene.fake.oauth.pushed))
    with pytest.raises(FakeSetupError) as refused:
        mistake.act(scene)
    sentence = str(refused.value)
    assert mistake.wrong in sentence
    assert mistake.right in sentence
    after = repr((scene.fake._resources, scene.fake._faults, scene.fake.oauth.pushed))
    if "is one that" not in mistake.right and not mistake.wrong.startswith(" is "):
        assert after == before


def test_every_public_argument_has_a_mistake_in_this_list() -> None:
    """A new method, or a new keyword of one, needs a row."""
    missing: list[tuple[str, str]] = []
    known = {(each.method, each.parameter) for each in MISTAKES}
    methods = {
        name: method
        for name, method in inspect.getmembers(FakeGateway, inspect.isfunction)
        if not name.startswith("_") and name not in OTHERS
    }
    constructor: Any = FakeGateway.__init__
    for name, method in {**methods, "FakeGateway": constructor}.items():
        names = set(inspect.signature(method).parameters) - {"self"}
        missing += [(name, each) for each in names if (name, each) not in known]
    for kind in (FakeAgreement, FakeConsent):
        names = {each.name for each in fields(kind)}
        missing += [(kind.__name__, each) for each in names if (kind.__name__, each) not in known]
    assert missing == []


def test_a_consent_is_changed_only_to_what_it_can_be(scene: Scene) -> None:
    """By assignment too."""
    with pytest.raises(FakeSetupError, match="'paused'"):
        scene.consent.status = "paussed"
    scene.consent.status = "paused"
    assert scene.bank.consent(held(scene)).status == "paused"


def test_the_published_tables_are_the_gateway_s() -> None:
    """As `make docs` writes them."""
    assert PUBLISHED.read_text(encoding="utf-8") == text_of(load_catalogue())
