"""Downloads of a consent: the signed record (JSON) and a receipt (PDF)."""

import asyncio
from typing import Any, Final

from starlette.responses import Response

from consent import Bilingual, Consent, Status, status_at
from consent import store as consents
from consent.record import record_bytes, record_digest
from gateway.access.download_limit import count_download
from gateway.access.serializers.signed_consent_record import signed_record
from gateway.db.engine import to_json
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.chinese_font import find_font
from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageRoute
from gateway.pages.rendering import format_moment, format_term_end
from gateway.portal import labels, page_queries
from gateway.portal.consents.history import HistoryLine, consent_history
from gateway.portal.consents.receipt_check import receipt_path
from gateway.portal.consents.receipt_pdf import Receipt, draw_receipt
from gateway.portal.guards import own_consent
from gateway.portal.page_queries import EnterpriseCard
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
# Rendering holds a large font in memory for about a second.
pdf_slots: Final = asyncio.Semaphore(2)

REQUEST: Final = Translated("授权申请", "Request for consent")
TITLES: Final = {
    Status.REFUSED: Translated("拒绝凭证", "Receipt of a refusal"),
    Status.WITHDRAWN: Translated("撤回凭证", "Receipt of a withdrawal"),
}
CONSENT: Final = Translated("授权凭证", "Consent receipt")
VALID_UNTIL: Final = Translated("有效至", "Valid until")
WAS_VALID_UNTIL: Final = Translated("原定有效至", "Was to be valid until")
ASKED_UNTIL: Final = Translated("申请的期限", "Requested until")
ENDED: Final = frozenset({Status.WITHDRAWN, Status.SUPERSEDED})


@router.get("/portal/consents/{consent_id}/record.json")
async def download_record(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Serve the signed record."""
    async with runtime.engine.connect() as connection:
        found = await own_consent(connection, visitor, consent_id)
        record = await signed_record(connection, runtime, found, reader="enterprise")
    return _file(to_json(record), "application/json", f"{consent_id}.json")


@router.get("/portal/consents/{consent_id}/receipt.pdf")
async def download_receipt(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Serve the receipt as PDF."""
    font = find_font(runtime.settings.font)
    async with runtime.engine.connect() as connection:
        found = await own_consent(connection, visitor, consent_id)
    await count_download(runtime, visitor)  # without holding a database connection
    async with runtime.engine.connect() as connection:
        card = await page_queries.find_enterprise(connection, found.uscc)
        if card is None or font is None:
            return visitor.not_found()
        events = await consents.events_of(connection, found.uscc, consent_id)
        shown = next((each.text_digest for each in reversed(events) if each.text_digest), None)
        text = await consents.text_of(connection, shown) if shown else ()
        record = await signed_record(connection, runtime, found, reader="enterprise")
        client = await page_queries.find_client(connection, found.client_id)
        history = await consent_history(connection, runtime, visitor, found, events)
    name = client.name if client else _same(found.client_id)
    receipt = _receipt(runtime, found, card, name, history, text, record)
    async with pdf_slots:
        pdf = await asyncio.to_thread(draw_receipt, receipt, font)
    return _file(pdf, "application/pdf", f"{consent_id}.pdf")


def _receipt(
    runtime: Runtime,
    consent: Consent,
    card: EnterpriseCard,
    client: Translated,
    history: list[HistoryLine],
    text: tuple[Bilingual, ...],
    record: dict[str, Any],
) -> Receipt:
    status = status_at(consent, runtime.now())
    limit = _same(str(consent.max_uses)) if consent.max_uses else Translated("不限", "no limit")
    used = Translated(f"{consent.uses} / {limit.zh}", f"{consent.uses} / {limit.en}")
    english = consent.language == "en"
    issuer = runtime.settings.issuer
    return Receipt(
        title=REQUEST if consent.decided_at is None else TITLES.get(status, CONSENT),
        created=runtime.now(),
        facts=[
            (Translated("被查询主体", "About"), _same(f"{card.name}  {card.uscc}")),
            (Translated("申请单位", "Requested by"), client),
            (Translated("用途", "Purpose"), labels.purpose_name(consent.purpose)),
            (Translated("状态", "Status"), labels.STATUSES[status]),
            _term(consent, status, history),
            (Translated("已用 / 最多次数", "Uses / limit"), used),
            (Translated("授权编号", "Number"), _same(consent.consent_id)),
            (Translated("出具时间", "As of"), _same(format_moment(runtime.now()))),
        ],
        allowed=consent.was_granted,
        items=labels.items_of(consent, runtime.catalogue),
        separate=labels.separate_items_of(consent, runtime.catalogue, card.kind),
        history=[(format_moment(each.moment), each.what) for each in history],
        text=[each.en if english else each.zh for each in text],
        proof=[
            f"SHA-256 {record_digest(record_bytes(record['record'])).hex()}",
            "签名文件可在“我的授权”中下载，用下列公钥验证。",
            "The signed file can be downloaded under “My consents”; verify it with these keys:",
            f"{issuer}/.well-known/jwks.json",
        ],
        check_url=issuer + receipt_path(runtime.digests, consent),
        synthetic=runtime.settings.demo,
    )


def _term(
    consent: Consent, status: Status, history: list[HistoryLine]
) -> tuple[Translated, Translated]:
    """The label and term; of a consent that has ended before it, with the end."""
    end = format_term_end(consent.valid_until)
    if not consent.was_granted:
        return ASKED_UNTIL, _same(end)
    if status not in ENDED:
        return VALID_UNTIL, _same(end)
    ended, name = format_moment(history[-1].moment), labels.STATUSES[status]
    return WAS_VALID_UNTIL, Translated(
        f"{end}（{ended} {name.zh}，不再有效）", f"({name.en} on {ended}; no longer valid)"
    )


def _same(text: str) -> Translated:
    return Translated(text, text)


def _file(content: bytes | str, media_type: str, name: str) -> Response:
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
