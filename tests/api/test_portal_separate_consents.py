"""Separate consents (PIPL) on the decision page: item by item, by whom, and what is granted."""

from dataclasses import replace
from typing import Any, Final

import pytest

from consent import Consent, Giver, SeparateConsent, Status
from gateway.clients import registry
from gateway.clients.terms import Terms
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.consents.labels import PROBLEMS
from tests.api.test_portal_decision import consents_of, decide
from tests.api.test_portal_delegates import make_delegate
from tests.api.test_portal_link_requests import decide as decide_link
from tests.api.test_portal_link_requests import read_consent, request_by_link
from tests.portal_fixture import PortalFixture, hidden_fields

ID_NUMBER: Final = "legal_representative_id.v1"
PHONE: Final = "registration.phone"
OPERATOR: Final = "registration.legal_representative"


async def granted(portal: PortalFixture, uscc: str, username: str, **form: Any) -> Consent:
    """The consent that this person grants with these ticks."""
    browser = await portal.signed_in(username)
    answer = await decide(browser, await portal.ask(uscc=uscc), decision="grant", **form)
    assert "resume" in answer.headers["location"], answer.headers["location"]
    [consent] = await consents_of(portal, uscc)
    return consent


async def test_each_item_has_a_box_of_its_own_and_none_is_ticked(portal: PortalFixture) -> None:
    """A firm's phone and the ID question too; nothing in its public registration facts."""
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/decide/{await portal.ask()}")).text
    assert page.count('name="separate"') == 2
    assert "checked" not in page
    assert 'name="question"' not in page
    for words in (
        "联系方式：0571-00000000 &lt;行长&gt;",
        "使用期限届满即删除",
        "为什么需要",
        "对您的影响",
        "没有声明是否进行自动化决策",
        "不得向第三方提供",
        "12345",
        "12377",
        "撤回不影响此前已依授权完成的处理；系统将通知对方停止使用。",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("separate", "given"),
    [
        ([], ()),
        ([PHONE], (SeparateConsent(item=PHONE, giver=Giver.ENTERPRISE),)),
        (
            [ID_NUMBER, PHONE],
            (
                SeparateConsent(item=PHONE, giver=Giver.ENTERPRISE),
                SeparateConsent(item=ID_NUMBER, giver=Giver.PERSON),
            ),
        ),
    ],
)
async def test_what_is_not_ticked_separately_is_no_part_of_the_grant(
    portal: PortalFixture, separate: list[str], given: tuple[SeparateConsent, ...]
) -> None:
    """Nothing else depends on it."""
    consent = await granted(
        portal, portal.firm, "zhang", dataset=["registration"], separate=separate
    )
    assert consent.separate_consents == given
    assert (PHONE in (consent.fields or ())) is (PHONE in separate)
    assert "registration.name" in (consent.fields or ())
    assert consent.questions == ((ID_NUMBER,) if ID_NUMBER in separate else ())
    assert consent.retention_days == 0


async def test_of_an_individual_business_the_operator_consents(portal: PortalFixture) -> None:
    """Its name and phone are a person's; its other registration facts are not."""
    consent = await granted(
        portal, portal.shop, "shopkeeper", dataset=["registration"], separate=[OPERATOR]
    )
    assert consent.separate_consents == (SeparateConsent(item=OPERATOR, giver=Giver.PERSON),)
    assert PHONE not in (consent.fields or ())


@pytest.mark.parametrize(
    ("form", "notice"),
    [
        ({"dataset": ["penalty"], "separate": [PHONE]}, "separate"),
        ({"separate": [PHONE]}, "separate"),
        ({"question": [ID_NUMBER]}, "nothing_chosen"),
        ({"separate": ["yes"]}, "nothing_chosen"),
        ({"separate": ["annual_report.contact_phone", "four_elements.v1"]}, "nothing_chosen"),
    ],
)
async def test_a_tick_of_what_was_not_asked_for_grants_nothing(
    portal: PortalFixture, form: dict[str, Any], notice: str
) -> None:
    """Nor does a blanket one, or one without the data that it belongs to."""
    browser = await portal.signed_in()
    answer = await decide(browser, await portal.ask(), decision="grant", **form)
    assert answer.status_code == 422
    assert PROBLEMS[DecisionProblem(notice)].zh in answer.text
    assert [each.status for each in await consents_of(portal, portal.firm)] == [Status.REQUESTED]


async def test_ticks_of_what_was_not_asked_for_are_no_part_of_the_grant(
    portal: PortalFixture,
) -> None:
    """Beside a dataset that was asked for."""
    consent = await granted(
        portal,
        portal.firm,
        "zhang",
        dataset=["registration", "annual_report"],
        separate=["annual_report.contact_phone", "four_elements.v1", PHONE],
    )
    assert [each.item for each in consent.separate_consents] == [PHONE]


async def test_a_delegate_cannot_tick_the_id_question(portal: PortalFixture) -> None:
    """Refused whole, under either name; an enterprise's phone a delegate may open."""
    wang = await make_delegate(portal, "consents")
    interaction = await portal.ask()
    address = f"/portal/decide/{interaction}"
    page = (await wang.get(f"{address}?uscc={portal.firm}")).text
    assert f'value="{ID_NUMBER}"' not in page
    assert "须由法定代表人（经营者）本人登录后同意" in page
    last_day = (portal.clock().date()).replace(year=portal.clock().year + 1).isoformat()
    form = hidden_fields(page, address) | {"decision": "grant", "last_day": last_day}
    for name in ("separate", "question"):
        forged = form | {"dataset": "registration", name: ID_NUMBER}
        answer = await wang.post(address, data=forged)
        assert PROBLEMS[DecisionProblem.IN_PERSON].zh in answer.text
    await wang.post(address, data=form | {"dataset": "registration", "separate": PHONE})
    [consent] = await consents_of(portal, portal.firm)
    assert consent.separate_consents == (SeparateConsent(item=PHONE, giver=Giver.ENTERPRISE),)


async def test_a_form_of_another_list_of_fields_is_not_decided_upon(portal: PortalFixture) -> None:
    """A page of another request, or of another catalogue, replayed."""
    browser = await portal.signed_in()
    other = await portal.ask(datasets=["penalty"], purpose="loan_approval")
    replayed = hidden_fields(
        (await browser.get(f"/portal/decide/{other}")).text, f"/portal/decide/{other}"
    )
    address = f"/portal/decide/{await portal.ask()}"
    own = hidden_fields((await browser.get(address)).text, address)
    ticks = {"decision": "grant", "dataset": "registration", "separate": PHONE}
    for name in ("behind", "text"):
        answer = await browser.post(address, data=own | {name: replayed[name]} | ticks)
        assert PROBLEMS[DecisionProblem.OTHER_TEXT].zh in answer.text
    assert Status.ACTIVE not in {each.status for each in await consents_of(portal, portal.firm)}


async def test_a_separate_consent_is_taken_back_by_itself(portal: PortalFixture) -> None:
    """As easily as it was given; the rest goes on, and nothing can be added."""
    browser = await portal.signed_in()
    consent_id = await request_by_link(portal, portal.firm, "registration")
    await decide_link(
        browser, consent_id, decision="grant", dataset=["registration"], separate=[PHONE]
    )
    shown = (await browser.get(f"/portal/consents/{consent_id}")).text
    assert "登记信息：联系电话（企业同意）" in shown
    assert "作出决定时页面显示的告知内容" in shown
    address = f"/portal/consents/{consent_id}/narrow"
    form = hidden_fields((await browser.get(address)).text, address)
    ticks = {"dataset": ["registration"], "separate": [ID_NUMBER, OPERATOR]}
    await browser.post(address, data=form | ticks)
    left = await read_consent(portal, consent_id)
    assert (left.status, left.datasets) == (Status.ACTIVE, ("registration",))
    assert left.separate_consents == ()
    assert PHONE not in (left.fields or ())


async def test_the_page_says_what_the_agreement_declares(portal: PortalFixture) -> None:
    """Retention and automated decisions; without an agreement nothing can be granted."""
    browser = await portal.signed_in()
    consent_id = await request_by_link(portal, portal.firm, "penalty")
    async with portal.engine.begin() as connection:
        held = await registry.find(connection, portal.bank)
        assert held is not None
        assert held.agreement is not None
        terms = Terms(
            purposes=held.agreement.purposes,
            valid_from=held.agreement.valid_from,
            valid_until=held.agreement.valid_until,
            retention_days=30,
            automated_decisions=True,
        )
        await registry.put_agreement(connection, portal.bank, terms)
    page = (await browser.get(f"/portal/asked/{consent_id}")).text
    assert "使用期限届满后 30 日内删除" in page
    assert "声明会利用这些信息进行自动化决策" in page
    over = replace(terms, valid_until=terms.valid_from.replace(year=terms.valid_from.year + 1))
    async with portal.engine.begin() as connection:
        await registry.put_agreement(
            connection, portal.bank, replace(over, valid_until=portal.clock())
        )
    page = (await browser.get(f"/portal/asked/{consent_id}")).text
    assert 'value="grant"' not in page
    answer = await decide_link(browser, consent_id, decision="grant", dataset=["penalty"])
    assert PROBLEMS[DecisionProblem.NO_AGREEMENT].zh in answer.text
    await decide_link(browser, consent_id, decision="refuse")
    assert (await read_consent(portal, consent_id)).status is Status.REFUSED
