"""Guided demo tour through the public API, using the SDK and a scripted portal visitor.

Each step checks its result; a failed step ends the tour.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from gateway.synthetic.demo.seed import Kit
from gateway.synthetic.tour.code_page_steps import scan
from gateway.synthetic.tour.consent_steps import consent, counter, query, withdrawal
from gateway.synthetic.tour.context import TourContext, TourFailedError
from gateway.synthetic.tour.delivery_step import delivery
from gateway.synthetic.tour.headless_visitor import VisitError
from gateway.synthetic.tour.log_proof_step import proof
from gateway.synthetic.tour.outcome_step import outcome
from gateway.synthetic.tour.repair_step import repair
from gateway.synthetic.tour.report_step import report
from gateway.synthetic.tour.review_steps import review, watch
from gateway.synthetic.tour.tampering_step import tampering
from gateway.synthetic.tour.verification_steps import tokens, verifications
from xinqiao import AsyncClient, XinqiaoError

__all__ = ["TourFailedError", "tour"]

Step = Callable[[TourContext], Awaitable[None]]

STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("The bank gets an access token · 银行取得访问令牌", tokens),
    ("The platform verifies attributes · 平台核验", verifications),
    ("The platform reviews all merchants in one batch · 批量核验", review),
    ("It watches one, and is told when to ask again · 关注", watch),
    ("The bank asks for consent, the enterprise decides · 授权", consent),
    ("The bank queries under that consent · 授权查询", query),
    ("The bank tells what became of the application · 告知办理结果", outcome),
    ("The enterprise withdraws · 撤回授权", withdrawal),
    ("The log proves what was done to that consent · 授权存证", proof),
    ("The bank asks at its counter, by a QR code · 扫码授权", counter),
    ("A citizen scans enterprise codes · 扫企业码", scan),
    ("A department delivers its national template · 报送国家模板", delivery),
    ("An enterprise applies for a repair, its department accepts · 信用修复", repair),
    ("An enterprise proves its standing by its own report · 专项信用报告", report),
    ("Every answer was signed; a tampered copy is refused · 验签", tampering),
)


async def tour(kit: Kit, folder: Path, console: Console) -> None:
    """Run all steps."""
    options: dict[str, Any] = {"redirect_uri": kit["clients"]["bank"]["redirect_uris"][0]}
    async with (
        AsyncClient.from_kit(kit, "bank", **options) as bank,
        AsyncClient.from_kit(kit, "platform") as platform,
        AsyncClient.from_kit(kit, "source") as department,
    ):
        context = TourContext(
            kit=kit,
            folder=folder,
            console=console,
            bank=bank,
            platform=platform,
            department=department,
        )
        for number, (title, step) in enumerate(STEPS, start=1):
            console.print(f"[bold cyan]{number}[/] [bold]{title}[/]", highlight=False)
            try:
                await step(context)
            except (XinqiaoError, VisitError) as error:
                raise TourFailedError(str(error)) from error
    console.print(
        f"[bold green]✓ Tour complete.[/] {context.signed} signed answers, every signature verified.\n",
        highlight=False,
    )
