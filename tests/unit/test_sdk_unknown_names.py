"""Unknown questions, datasets and purposes: the error names them, and the nearest published name."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from xinqiao import Client, errors
from xinqiao._core.wire.unknown_names import name_unknown
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"


@pytest.fixture
def client() -> Client:
    fake = FakeGateway()
    fake.add_enterprise(USCC, answers={"is_active.v1": "yes"})
    fake.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    return fake.client()


def refused(call: Any, *args: Any, **options: Any) -> errors.XinqiaoError:
    with pytest.raises(errors.XinqiaoError) as caught:
        call(*args, **options)
    return caught.value


def test_a_mistyped_question_is_named_with_the_nearest(client: Client) -> None:
    """In the sentence and as data, of a call and of a request for a consent; pickled whole."""
    asked: Any = {"is_active.v1": None, "enterprise_nmae.v1": "杭州云栖"}
    error = refused(client.verify, USCC, purpose="tender", questions=asked)
    assert type(error) is errors.UnknownQuestion
    assert error.unknown == {"enterprise_nmae.v1": "enterprise_name.v1"}
    assert error.detail.endswith(
        "'enterprise_nmae.v1' is unknown: did you mean 'enterprise_name.v1'?"
    )
    assert "云栖" not in str(error.to_dict())
    assert pickle.loads(pickle.dumps(error)).unknown == error.unknown  # noqa: S301
    by_link = refused(
        client.request_consent, USCC, purpose="tender", questions=["ratings_at_least.v1"]
    )
    assert by_link.unknown == {"ratings_at_least.v1": "rating_at_least.v1"}


def test_a_mistyped_dataset_or_purpose_is_named_with_the_nearest(client: Client) -> None:
    """The right ones beside it are not."""
    error = refused(client.query, USCC, purpose="tender", datasets=["penalty", "licenses"])
    assert (type(error), error.unknown) == (errors.UnknownDataset, {"licenses": "licence"})
    wrong: Any = "loan_aproval"
    error = refused(client.verify, USCC, purpose=wrong, questions=["is_active.v1"])
    assert (type(error), error.unknown) == (errors.UnknownPurpose, {wrong: "loan_approval"})


def test_a_consent_flow_names_them_too(client: Client) -> None:
    """The authorization server's error has no code for each list."""
    error = refused(
        client.start_consent, uscc=USCC, purpose="tender", datasets=["penalties", "licence"]
    )
    assert isinstance(error, errors.OAuthError)
    assert error.unknown == {"penalties": "penalty"}
    wrong: Any = "loan_aproval"
    error = refused(client.start_consent, uscc=USCC, purpose=wrong, datasets=["penalty"])
    assert error.unknown == {wrong: "loan_approval"}


def test_a_name_that_is_like_none_is_named_alone(client: Client) -> None:
    """Without a guess."""
    error = refused(client.query, USCC, purpose="tender", datasets=["xyz"])
    assert error.unknown == {"xyz": None}
    assert error.detail.endswith("'xyz' is unknown.")


@pytest.mark.parametrize(
    "personal",
    ["张伟国", "330106199001011234", "13800001234", USCC, "a@bank.example", "E12345678", "x" * 65],
)
def test_what_may_be_somebody_is_not_quoted(client: Client, personal: Any) -> None:
    """A value where a name should be: of a name there is nothing to learn from it."""
    for error in (
        refused(client.verify, USCC, purpose="tender", questions=[personal]),
        refused(client.query, USCC, purpose="tender", datasets=[personal]),
        refused(client.verify, USCC, purpose=personal, questions=["is_active.v1"]),
    ):
        assert error.unknown == {}
        assert personal not in str(error.to_dict())


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("legal_representative_name.张三", "legal_representative_name.v2"),
        ("uscc_is_registered.v1 张三 13800000000", None),
        ("legal_representative_id.v1 33010619900307663X", None),
        ("is_active_13800000000.v1", None),
        ("Enterprise_Name.v1", "enterprise_name.v1"),
    ],
)
def test_a_value_beside_a_name_is_not_quoted_and_the_nearest_is(
    client: Client, typed: Any, near: str | None
) -> None:
    """However near it comes to a published name."""
    error = refused(client.verify, USCC, purpose="tender", questions=[typed])
    assert error.unknown == {}
    assert typed not in str(error.to_dict())
    assert "张三" not in str(error.to_dict())
    if near:
        assert error.detail.endswith(f"A name is unknown: did you mean {near!r}?")
    error = refused(
        client.verify, USCC, purpose=f"loan_approval {typed[-8:]}", questions=["is_active.v1"]
    )
    assert error.unknown == {}
    assert typed[-8:] not in error.detail


def test_a_list_that_the_gateway_judges_otherwise_is_left_to_it() -> None:
    """It may be older or newer than this version; other refusals name nothing."""
    asked = {"purpose": "tender", "datasets": ["penalty"], "questions": [{"question": "nope.v1"}]}
    for error in (errors.UnknownDataset("D"), errors.InvalidUscc("D"), errors.NotFound("D")):
        name_unknown(error, asked)
        assert (error.detail, error.unknown) == ("D", {})
