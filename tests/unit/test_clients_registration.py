"""Client registration: accepted and refused members, key cache times, operators' names."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.admin.operators import Operator
from gateway.clients.key_sets import rest_after
from gateway.clients.registration import Registration, RegistrationError
from gateway.safe_fetch import Fetched
from tests.client_builders import make_filing, make_set


def make_client(**changes: Any) -> Registration:
    """A bank."""
    return Registration(
        **{
            "client_id": "bank",
            "kind": "bank",
            "name_zh": "银行",
            "name_en": "Bank",
            "scopes": ("query",),
            "jwks": make_set("k1"),
        }
        | changes
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"client_id": "a b"}, "client id"),
        ({"kind": "person"}, "kind"),
        ({"name_zh": " "}, "name"),
        ({"name_en": "a\u202eb"}, "name"),
        ({"scopes": ()}, "Scopes"),
        ({"scopes": ("query", "everything")}, "Scopes"),
        ({"scopes": ("query", "admin")}, "kind operator"),
        ({"scopes": ("audit",)}, "kind operator"),
        ({"kind": "operator", "scopes": ("admin", "query")}, "kind operator"),
        ({"redirect_uris": ("http://bank.test/",)}, "redirect"),
        ({"kind": "agency"}, "needs its filing"),
        ({"kind": "agency", "filing": make_filing(kind="bank")}, "kind of a filing"),
        ({"kind": "agency", "filing": make_filing(authority=" ")}, "authority"),
        ({"kind": "agency", "filing": make_filing(authority="a\u202eb")}, "authority"),
        ({"filing": make_filing(number="a b")}, "filing number"),
        ({"personal_credit_licence": ""}, "licence number"),
        ({"contact": " "}, "contact"),
        ({"contact": "a" * 201}, "contact"),
        ({"contact": "0571\n-1"}, "contact"),
        ({"contact": "a\u202eb"}, "contact"),
        ({"jwks": None}, "either by value"),
        ({"jwks_uri": "https://bank.test/jwks.json"}, "either by value"),
        ({"jwks": None, "jwks_uri": "http://bank.test/jwks.json"}, "https"),
        ({"jwks": None, "jwks_uri": "https://10.0.0.1/jwks.json"}, "public"),
        ({"jwks": {"keys": []}}, "1 to 8"),
        ({"jwks": {"keys": [{**make_set("a")["keys"][0], "d": "AAAA"}]}}, "public keys only"),
        ({"jwks": make_set("a", "a")}, "same kid"),
    ],
)
def test_an_unsafe_registration_is_refused(changes: dict[str, Any], sentence: str) -> None:
    """With the sentence for this defect."""
    with pytest.raises(RegistrationError, match=sentence):
        make_client(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "operator", "scopes": ("admin", "audit")},
        {
            "kind": "agency",
            "filing": make_filing(),
            "personal_credit_licence": "L-1",
        },
        {"jwks": None, "jwks_uri": "https://bank.test/jwks.json"},
        {"contact": "杭州市西湖区 1 号，0571-00000000"},
        {"jwks": None, "jwks_uri": "http://127.0.0.1:9/jwks.json", "loopback": True},
    ],
)
def test_a_valid_registration_is_accepted(changes: dict[str, Any]) -> None:
    """Keys by value or by URL; an agency with its numbers; operators."""
    assert make_client(**changes).columns()["client_id"] == "bank"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 600),
        ("", 600),
        ("max-age=0", 60),
        ("max-age=59", 60),
        ("max-age=120", 120),
        ("public, Max-Age=300", 300),
        ("s-maxage=300", 600),
        ("max-age=3601", 3_600),
        ("max-age=999999999", 3_600),
        ("max-age=-5", 600),
        ("max-age=soon", 600),
        ("no-store", 60),
        ("no-cache, max-age=3000", 60),
    ],
)
def test_a_set_rests_from_a_minute_to_an_hour(header: str | None, seconds: int) -> None:
    """The server's cache lifetime is clamped."""
    headers = {} if header is None else {"cache-control": header}
    assert rest_after(Fetched(body=b"", headers=headers)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Operator.at_the_shell("fang"), Operator.at_the_shell("qiang"), False),
        (Operator.at_the_shell("fang"), Operator.at_the_shell("fang"), True),
        (Operator.at_the_shell("fang"), Operator.at_the_shell("Fang"), True),
        (Operator.with_token("ops", "fang"), Operator.with_token("ops", "qiang"), True),
        (Operator.with_token("ops", None), Operator.with_token("ops-2", None), False),
        (Operator.with_token("ops", "fang"), Operator.with_token("ops-2", "fang"), True),
        (Operator.with_token("ops", "fang"), Operator.at_the_shell("fang"), True),
        (Operator.with_token("fang", None), Operator.at_the_shell("fang"), False),
    ],
)
def test_two_operators_differ_in_credential_and_in_name(
    one: Operator, other: Operator, same: bool
) -> None:
    """Both must differ; a claimed name never makes one operator two."""
    assert one.may_be(other.credential, other.name) is same
    assert other.may_be(one.credential, one.name) is same
