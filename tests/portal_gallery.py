"""Gallery of the portal: state for every page, in plain or in hostile text."""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import httpx2
from fastapi import FastAPI
from sqlalchemy import insert, update
from sqlmodel import col

import consent
from consent import Channel, Consent, Purpose, Request, store
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.clients.tables import ClientRow
from gateway.codes.screen.screen_code import NONCE_BYTES, screen_token
from gateway.credit_reports.ids import report_id_of
from gateway.creditfile.objections import service
from gateway.creditfile.objections.model import Actor, Objection, ObjectionOutcome, Role
from gateway.creditfile.tables import enterprise
from gateway.creditfile.watches.lists import WatchList, put_list
from gateway.disclosure import consent_log_writer
from gateway.disclosure.tables import TurnedAwayRow
from gateway.ingest import Source, ingest_rows
from gateway.portal.consents.receipt_check import receipt_path
from tests.credit_report_builders import make_own_report, take_back
from tests.creditfile_builders import make_record
from tests.portal_fixture import CATALOGUE, NOON, PortalFixture, hidden_fields
from tests.repair_builders import reject_repair

PAGE_PREFIXES: Final = ("/portal", "/E/", "/R/", "/e/", "/S/", "/s/", "/demo-identity")
"""Path prefixes of pages, beside `/`."""
FILES: Final = (".json", ".pdf", ".csv", ".svg", ".png", ".js", "/static/{name}")
TENDER: Final = Purpose.TENDER
ENDED: Final[tuple[dict[str, Any], ...]] = (
    {"repaired_at": NOON},
    {"publicity_ends_on": "2026-10-01"},
)
"""Changes that end a penalty."""
AWAY: Final = ("/portal/sign-in",)
"""Redirects to the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTexts:
    """Text of the fields that pages show; `None`: plain text."""

    hostile: str | None = None

    def or_plain(self, plain: str) -> str:
        """The hostile text, or `plain`."""
        return self.hostile or plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Paths of all pages by name, for `zhang`, who may act for the firm alone."""

    pages: Mapping[str, str]
    two: Mapping[str, str]
    """Pages for `li`, who may act for the firm and the shop."""
    none: Mapping[str, str]
    """Pages for `clerk`, whose role at the provider gives no permissions."""

    def by_user(self) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """Pages by the user who sees them."""
        return (("zhang", self.pages), ("li", self.two), ("clerk", self.none))

    def ids(self) -> dict[str, str]:
        """A value for each path parameter of the portal."""
        held = self.pages
        return {
            "uscc": held["looks"].split("/")[3],
            "consent_id": held["consent"].rpartition("/")[2],
            "code_id": held["code"].rpartition("/")[2],
            "report_id": held["take a report back"].split("/")[3],
            "number": held["opened report"].rpartition("/")[2],
            "objection_id": held["objection"].rpartition("/")[2],
            "record_id": held["one record"].rpartition("/")[2],
            "application_id": held["repair"].rpartition("/")[2],
            "interaction_id": held["decide"].rpartition("/")[2],
            "delegation_id": held["delegate"].rpartition("/")[2],
            "place_id": held["confirm"].split("/")[-2],
            "secret": held["confirm"].rpartition("/")[2],
            "invitation": held["invitation"].rpartition("/")[2],
            "version": held["receipt"].split("/")[-2],
            "proof": held["receipt"].rpartition("/")[2],
            "verb": "withdraw",
            "piece": "a6",
            "token": held["scanned from a screen"].rpartition("/")[2],
            "name": "portal.css",
        }


def page_routes(app: FastAPI, method: str = "GET") -> set[str]:
    """Paths of all routers that serve pages."""
    return {
        path
        for each, path in _routes(app.router)
        if each == method and (path == "/" or path.startswith(PAGE_PREFIXES))
    }


def _routes(router: Any) -> Iterator[tuple[str, str]]:  # a router, or one included in another
    for each in router.routes:
        if hasattr(each, "methods"):
            path = getattr(each, "path_format", each.path)  # without converters
            yield from ((method, path) for method in each.methods)
        elif hasattr(each, "original_router"):
            yield from _routes(each.original_router)


async def fill_gallery(portal: PortalFixture, words: PageTexts | None = None) -> Gallery:
    """Fill the portal's database; the path of each page."""
    words = words or PageTexts()
    await _names(portal, words)
    await _records(portal, words)
    late = await _too_late(portal)
    browser = await portal.signed_in()
    pages = {
        "landing": "/",
        "home": "/portal",
        "signed out": "/portal/signed-out",
        "sign-in failed": "/portal/sign-in/return",
        "demo sign-in": "/demo-identity/sign-in?state=a&nonce=b",
        "unknown": "/portal/consents/cst_unknown",
        **late,
        **await _deciding(portal, browser),
        **await _consents(portal, browser),
        **await _looks(portal, words),
        **await _codes(portal, words),
        **await _reports(portal, browser),
        **await _objections(portal, browser, words),
        **await _repairs(portal, browser, words),
        **await _delegates(portal, browser, words),
        **await _notices(portal, browser),
    }
    two = {
        "which enterprise": f"/portal/decide/{await portal.ask(uscc=None)}",
        "two at home": "/portal",
        "keep": f"/portal/consents/{await _left_behind(portal)}/keep",
        "separate consent": f"/portal/asked/{await ask_by_link(portal, portal.shop, purpose=TENDER)}",
    }
    return Gallery(pages=pages, two=two, none={"nobody at home": "/portal"})


async def ask_by_link(
    portal: PortalFixture,
    uscc: str,
    *datasets: str,
    amends: Consent | None = None,
    purpose: Purpose = Purpose.LOAN_APPROVAL,
    term: timedelta = timedelta(days=180),
) -> str:
    """Id of a consent requested by link."""
    now = portal.clock()
    requested = consent.request(
        Request(
            client_id=portal.bank,
            uscc=uscc,
            purpose=purpose,
            datasets=datasets or ("penalty", "licence"),
            questions=("legal_representative_id.v1",),
            valid_until=now + term,
            max_uses=10,
        ),
        consent_id=consent_id_from(secrets.token_bytes(RANDOM_BYTES)),
        channel=Channel.LINK,
        now=now,
        amends=amends,
    )
    assert isinstance(requested, consent.Transition)
    async with portal.engine.begin() as connection:
        await consent_log_writer.insert(connection, requested)
    return requested.consent.consent_id


async def submit(browser: httpx2.AsyncClient, address: str, /, **form: Any) -> httpx2.Response:
    """Submit the form that posts to `address`."""
    return await browser.post(
        address, data=hidden_fields((await browser.get(address)).text, address) | form
    )


async def grant_consent(
    portal: PortalFixture, browser: httpx2.AsyncClient, purpose: Purpose
) -> Consent:
    """Id of an active consent for this purpose."""
    consent_id = await ask_by_link(portal, portal.firm, purpose=purpose)
    answer = await submit(
        browser, f"/portal/asked/{consent_id}", decision="grant", dataset=["penalty", "licence"]
    )
    assert answer.status_code == 303, answer.text
    assert "notice=granted" in answer.headers["location"]
    async with portal.engine.connect() as connection:
        held = await store.by_id(connection, consent_id)
    assert held is not None
    return held


async def _names(portal: PortalFixture, words: PageTexts) -> None:
    """Set the names of bank and firm."""
    if words.hostile is None:
        return
    said = words.hostile
    async with portal.engine.begin() as connection:
        await connection.execute(
            update(ClientRow)
            .where(col(ClientRow.client_id) == portal.bank)
            .values(name_zh=said, name_en=said, contact=said)
        )
        await connection.execute(
            update(enterprise)
            .where(enterprise.c.uscc.in_([portal.firm, portal.shop]))
            .values(
                name=said, scope=said, address=said, registering_authority=said, source_name=said
            )
        )


async def _records(portal: PortalFixture, words: PageTexts) -> None:
    """Add a penalty, a disputed one, and a rating that only enterprise and client see."""
    decided = (portal.clock().date() - timedelta(days=100)).isoformat()
    days = {"decided_on": decided, "determined_on": decided, "published_on": decided}
    texts: dict[str, Any] = {
        "facts": words.or_plain("未按规定明码标价。"),
        "violation_type": words.or_plain("价格违法"),
        "source_name": words.or_plain("杭州市市场监督管理局"),
        "kinds": [words.or_plain("罚款")],
    }
    await portal.add_records(
        *(
            make_record(
                uscc=portal.firm,
                record_id=f"rec_{n}",
                document_number=words.or_plain(f"浙市监罚〔2026〕000{n}号") + str(n),
                **days,
                **texts,
            )
            for n in (1, 2, 3)
        ),
        *(
            make_record(
                uscc=portal.firm,
                record_id=f"rec_over_{n}",
                document_number=f"旧{n}",
                **texts,
                **ended,
            )
            for n, ended in enumerate(ENDED)
        ),
        make_record(
            "public_rating",
            uscc=portal.firm,
            record_id="rec_r",
            model_version="2026",
            indicators=[
                {"indicator": "penalties", "points": 50, "reason_codes": ["L12"]},
                {"indicator": "years", "points": 10, "reason_codes": ["B31"]},
            ],
            level=words.or_plain("良好"),
            source_name=words.or_plain("省信用中心"),
        ),
    )


async def _too_late(portal: PortalFixture) -> dict[str, str]:
    """Lapsed requests, by redirect and by link."""
    lapsed = await ask_by_link(portal, portal.firm, term=timedelta(minutes=1))
    expired = await portal.ask()
    portal.clock.advance(timedelta(minutes=16))
    return {
        "decide too late": f"/portal/decide/{expired}",
        "asked too late": f"/portal/asked/{lapsed}",
    }


async def _deciding(portal: PortalFixture, browser: httpx2.AsyncClient) -> dict[str, str]:
    """Decision pages, by redirect and by link, and the pages shown in their place."""
    refused = await ask_by_link(portal, portal.firm, purpose=Purpose.POST_LOAN_MANAGEMENT)
    await submit(browser, f"/portal/asked/{refused}", decision="refuse")
    running = await grant_consent(portal, browser, Purpose.LOAN_APPROVAL)
    elsewhere = await portal.ask()
    await (await portal.signed_in("li")).get(f"/portal/decide/{elsewhere}?uscc={portal.firm}")
    amending = await ask_by_link(
        portal, portal.firm, "penalty", "licence", "public_rating", amends=running
    )
    asked = await ask_by_link(portal, portal.firm, purpose=Purpose.CREDIT_SERVICE)
    return {
        "decide": f"/portal/decide/{await portal.ask()}",
        "decide with a notice": f"/portal/decide/{await portal.ask()}?notice=nothing_chosen",
        "decide for another": f"/portal/decide/{await portal.ask(uscc=portal.elsewhere)}",
        "decide elsewhere": f"/portal/decide/{elsewhere}",
        "decide in the cool-down": f"/portal/decide/{await portal.ask(purpose='post_loan_management')}",
        "asked": f"/portal/asked/{asked}",
        "asked to amend": f"/portal/asked/{amending}",
        "asked and decided": f"/portal/asked/{refused}",
        "asked of another": f"/portal/asked/{await ask_by_link(portal, portal.elsewhere)}",
        "consent": f"/portal/consents/{running.consent_id}",
        "consent granted": f"/portal/consents/{running.consent_id}?notice=granted",
        "consent requested": f"/portal/consents/{asked}",
        "consent refused": f"/portal/consents/{refused}",
        "withdraw": f"/portal/consents/{running.consent_id}/withdraw",
        "narrow": f"/portal/consents/{running.consent_id}/narrow",
        "narrow with a notice": f"/portal/consents/{running.consent_id}/narrow?notice=unchanged",
    }


_LONG_FROM_NOW = 4_000_000_000_000_000  # microseconds; so that all that is over stands on it


async def _consents(portal: PortalFixture, browser: httpx2.AsyncClient) -> dict[str, str]:
    """Consent list, a paused and a withdrawn consent."""
    paused = await grant_consent(portal, browser, Purpose.SUPPLIER_CHECK)
    own = f"/portal/consents/{paused.consent_id}"
    form = hidden_fields((await browser.get(own)).text, f"{own}/pause")
    assert (await browser.post(f"{own}/pause", data=form)).status_code == 303
    over = await grant_consent(portal, browser, Purpose.TENDER)
    await submit(browser, f"/portal/consents/{over.consent_id}/withdraw")
    return {
        "consents": f"/portal/enterprises/{portal.firm}/consents",
        "consents, a further page": (
            f"/portal/enterprises/{portal.firm}/consents?before={_LONG_FROM_NOW}~cst_"
        ),
        "consent paused": own,
        "consent withdrawn": f"/portal/consents/{over.consent_id}?notice=withdraw",
        "withdraw again": f"/portal/consents/{over.consent_id}/withdraw",
        "receipt": receipt_path(portal.runtime.digests, over),
    }


async def _looks(portal: PortalFixture, words: PageTexts) -> dict[str, str]:
    said = words.or_plain("penalty")
    told = [[each, 1] for each in ("rec_3", "rec_over_0", "rec_deleted")]
    approved = await portal.add_look(portal.firm, asked=["registration", said], relied_on=told)
    await portal.tell_outcome(approved, "approved")
    await portal.add_look(
        portal.firm,
        kind="verification",
        asked=["rating_at_least.v1", "is_active.v1"],
        items=[
            {"code": "rating_at_least.v1", "value": "良好", "answer": "not_determined"},
            {"code": "is_active.v1", "answer": "yes"},
        ],
    )
    refused = await portal.add_look(
        portal.firm,
        asked=["penalty", "licence"],
        relied_on=told,
        items=[
            {"code": "penalty", "records": 3},
            {"code": "licence", "withheld": "not_in_consent"},
        ],
    )
    await portal.tell_outcome(refused, "approved_less", "other_sources")
    reasons = ("history_too_short", "live_penalty", "rating_too_low", "enforcement_case", "other")
    await portal.tell_outcome(refused, "refused", *reasons, version=2)
    await portal.add_look(
        portal.firm,
        kind="verification",
        asked=[{"question": words.or_plain("is_active.v1")}],
        outcome="refused",
        reason=words.or_plain("not_available"),
        purpose=words.or_plain("merchant_onboarding"),
    )
    hour = portal.clock().replace(minute=0, second=0, microsecond=0)
    row = {"client_id": portal.bank, "kind": "query", "reason": "rate_limited", "hour": hour}
    async with portal.engine.begin() as connection:
        await connection.execute(
            insert(TurnedAwayRow).values(row | {"uscc": portal.firm, "times": 42})
        )
        watched = WatchList(
            client_id=portal.bank,
            name="nightly",
            purpose="loan_approval",
            questions=("is_active.v1",),
            enterprises=1,
            created_at=hour,
            replaced_at=hour,
        )
        catalogue = portal.runtime.catalogue.version
        await put_list(connection, watched, [portal.firm], catalogue_version=catalogue)
    for _ in range(20):
        await portal.add_look(portal.firm, at=portal.clock() - timedelta(days=1))
    looks = f"/portal/enterprises/{portal.firm}/looks"
    return {
        "looks": looks,
        "looks filtered": f"{looks}?client={portal.bank}&outcome=refused&since=2026-01-01",
        "looks of none": f"{looks}?until=2001-01-01",
        "looks misunderstood": f"{looks}?since=yesterday",
    }


async def _codes(portal: PortalFixture, words: PageTexts) -> dict[str, str]:
    code = await portal.add_code(
        portal.firm, words.or_plain("云栖小店"), label=words.or_plain("南门")
    )
    gone = await portal.add_code(portal.firm, words.or_plain("旧店"))
    await portal.revoke_code(gone)
    runtime = portal.runtime
    token = screen_token(
        portal.firm,
        now=portal.clock(),
        nonce=secrets.token_bytes(NONCE_BYTES),
        sealer=partial(runtime.digests.of, "screen_code"),
    )
    return {
        "codes": f"/portal/enterprises/{portal.firm}/codes",
        "code": f"/portal/codes/{code.code_id}",
        "screen code": f"/portal/enterprises/{portal.firm}/screen-code",
        "scanned from a screen": f"/S/{token}",
        "scanned from a screen, made up": f"/s/{'a' * 64}",
        "code revoked": f"/portal/codes/{gone.code_id}?notice=revoked",
        "revoke": f"/portal/codes/{code.code_id}/revoke",
        "reissue": f"/portal/codes/{code.code_id}/reissue",
        "reissue a revoked code": f"/portal/codes/{gone.code_id}/reissue",
        "new code": f"/portal/enterprises/{portal.firm}/codes/new",
        "scanned": f"/E/{code.code_id}",
        "scanned in small letters": f"/e/{code.code_id.lower()}",
        "scanned in large text": f"/E/{code.code_id}?size=large",
        "scanned and revoked": f"/E/{gone.code_id}",
        "scanned and unknown": f"/E/{'A' * 26}",
        "scanned in part": "/E/UNKNOWN",
        "typed": "/E/",
        "typed with a slip": "/E/?code=ABC018",
        "scanned, to report": f"/E/report?code={code.code_id}",
        "scanned, reported": "/E/report/sent?masked=1",
        "scanned, to compare the place": f"/E/nearby?code={code.code_id}",
        "scanned, how to tell": "/E/how",
    }


async def _reports(portal: PortalFixture, browser: httpx2.AsyncClient) -> dict[str, str]:
    """A report of everything, and one that was taken back."""
    chosen = ["registration", "licence", "penalty", "serious_violation", "public_rating"]
    report = await make_own_report(portal, browser, dataset=chosen)
    gone = await make_own_report(portal, browser, dataset=["registration"], recipient="")
    await take_back(browser, gone)
    at = f"/portal/enterprises/{portal.firm}/reports"
    return {
        "reports": at,
        "report": f"/portal/reports/{report_id_of(report)}?notice=made",
        "report taken back": f"/portal/reports/{report_id_of(gone)}?notice=taken_back",
        "take a report back": f"/portal/reports/{report_id_of(report)}/take-back",
        "taken back already": f"/portal/reports/{report_id_of(gone)}/take-back",
        "new report": f"{at}/new?preset=standing",
        "opened report": f"/R/{report}",
        "opened report in large text": f"/R/{report}?size=large",
        "opened report, taken back": f"/R/{gone}",
        "opened report, unknown": f"/R/{'A' * 26}",
    }


async def _objections(
    portal: PortalFixture, browser: httpx2.AsyncClient, words: PageTexts
) -> dict[str, str]:
    """An open and a decided objection, and the file they are about."""
    said = {"text": words.or_plain("罚款已经撤销。"), "wanted": words.or_plain("撤下。")}
    records = f"/portal/enterprises/{portal.firm}/records"
    ids = {}
    for record in ("rec_1", "rec_2"):
        answer = await submit(browser, f"{records}/{record}/object", **said)
        assert answer.status_code == 303, answer.text
        ids[record] = answer.headers["location"].partition("?")[0]
    verb = service.source_decision(
        portal.runtime.catalogue,
        actor=Actor(role=Role.SOURCE, name="client:source", party="source"),
        outcome=ObjectionOutcome.REJECTED,
        reasons=words.or_plain("处罚决定仍然有效。"),
        now=portal.clock(),
    )
    async with portal.engine.begin() as connection:
        done = await service.apply_act(connection, ids["rec_2"].rpartition("/")[2], verb)
    assert isinstance(done, Objection)
    return {
        "record": f"/portal/enterprises/{portal.firm}/record",
        "record of one dataset": f"/portal/enterprises/{portal.firm}/record?dataset=penalty",
        "self-assessment": f"/portal/enterprises/{portal.firm}/self-assessment",
        "one record": f"{records}/rec_3",
        "one rating": f"{records}/rec_r",
        "appeal": f"{records}/rec_r/object?contests=penalties/L12",
        "one disputed record": f"{records}/rec_1",
        "one ended record": f"{records}/rec_over_0",
        "object": f"{records}/rec_3/object",
        "objections": f"/portal/enterprises/{portal.firm}/objections",
        "objection": ids["rec_1"],
        "objection raised": f"{ids['rec_1']}?notice=raised",
        "objection decided": ids["rec_2"],
        "end an objection": f"{ids['rec_1']}/withdraw",
        "review": f"{ids['rec_2']}/review",
    }


async def _repairs(
    portal: PortalFixture, browser: httpx2.AsyncClient, words: PageTexts
) -> dict[str, str]:
    """An open and a rejected application, and records that can and cannot be repaired."""
    records = f"/portal/enterprises/{portal.firm}/records"
    said = words.or_plain("罚款已缴清，已整改。")
    recent = (portal.clock().date() - timedelta(days=20)).isoformat()
    await portal.add_records(
        make_record(
            uscc=portal.firm,
            record_id="rec_too_early",
            document_number="浙市监罚〔2026〕0009号",
            decided_on=recent,
            determined_on=recent,
            published_on=recent,
            authority=words.or_plain("杭州市市场监督管理局"),
        )
    )
    ids = {}
    for record in ("rec_1", "rec_2"):
        address = f"{records}/{record}/repair"
        form = hidden_fields((await browser.get(address)).text, address)
        answer = await browser.post(
            address,
            data=form | {"statement": said, "commitment": "yes"},
            files={"papers": (words.or_plain("缴款凭证.jpg"), b"paid")},
        )
        assert answer.status_code == 303, answer.text
        ids[record] = answer.headers["location"].partition("?")[0]
    await reject_repair(portal, ids["rec_2"].rpartition("/")[2], words.or_plain("罚款未缴清。"))
    return {
        "repair form": f"{records}/rec_3/repair",
        "record too early to repair": f"{records}/rec_too_early",
        "record applied for": f"{records}/rec_1",
        "record with a rejected repair": f"{records}/rec_2",
        "repairs": f"/portal/enterprises/{portal.firm}/repairs",
        "repair": ids["rec_1"],
        "repair applied for": f"{ids['rec_1']}?notice=applied",
        "repair rejected": ids["rec_2"],
        "withdraw a repair": f"{ids['rec_1']}/withdraw",
    }


async def _delegates(
    portal: PortalFixture, browser: httpx2.AsyncClient, words: PageTexts
) -> dict[str, str]:
    """An invited delegate and the invitation."""
    at = f"/portal/enterprises/{portal.firm}/delegates"
    page = (await browser.get(f"{at}/new")).text
    action = next(iter(re.findall(r'action="(/portal/enterprises/[^"]+/new/[^"]+)"', page)))
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    form = {"name": words.or_plain("小王")[:40], "power": ["consents"], "last_day": last_day}
    made = await browser.post(action, data=hidden_fields(page, action) | form)
    assert made.status_code == 200, made.text
    link = next(iter(re.findall(r"/portal/invitations/[A-Za-z0-9_-]+", made.text)))
    return {
        "delegates": at,
        "appoint": f"{at}/new",
        "delegate": f"{at}/{action.rpartition('/')[2]}",
        "invitation": link,
    }


async def _notices(portal: PortalFixture, browser: httpx2.AsyncClient) -> dict[str, str]:
    """An unconfirmed contact point and its confirmation link."""
    at = f"/portal/enterprises/{portal.firm}/notices"
    added = await submit(browser, at, channel="email", address="zhang@example.cn")
    assert "notice=sent" in added.headers["location"]
    folder = portal.runtime.settings.notices_folder
    assert folder is not None
    sent = "".join(each.read_text() for each in folder.iterdir())
    return {"notices": at, "confirm": next(iter(re.findall(rf"{at}/plc_\w+/[\w-]+", sent)))}


async def _left_behind(portal: PortalFixture) -> str:
    """Id of a consent that a former operator of the shop granted."""
    consent_id = await ask_by_link(portal, portal.shop)
    form = {"decision": "grant", "dataset": ["penalty"], "separate": "yes"}
    answer = await submit(await portal.signed_in("li"), f"/portal/asked/{consent_id}", **form)
    assert "notice=granted" in answer.headers["location"]
    portal.clock.advance(timedelta(minutes=1))
    row = {
        "uscc": portal.shop,
        "name": "义乌市佳禾日用品商行",
        "kind": "individual_business",
        "entity_type": "1130",
        "status": "active",
        "legal_representative": "钱七",
        "division": "330782",
    }
    async with portal.engine.begin() as connection:
        await ingest_rows(
            connection,
            Source(source_id="source", name="市场监督管理部门"),
            "registration",
            [row],
            now=portal.clock(),
            catalogue=CATALOGUE,
            vault=portal.runtime.vault,
        )
    portal.clock.advance(timedelta(minutes=1))
    return consent_id
