"""Figures of a source's data quality as calls read them: those that are kept, or a count of now."""

from gateway.data_quality.counting import PATIENCE_SECONDS, QualityContext
from gateway.data_quality.kept_figures import KeptFigures
from gateway.data_quality.month import Month
from gateway.data_quality.rules import published_rules
from gateway.runtime import Runtime


async def counted_months(
    runtime: Runtime, source_id: str, month: Month
) -> tuple[KeptFigures, KeptFigures]:
    """A source's figures of a month and of the one before."""
    context = QualityContext(
        engine=runtime.background,
        catalogue=runtime.catalogue,
        rules=published_rules(),
        now=runtime.now,
    )
    wanted, before = [
        await runtime.quality_counts.figures(context, source_id, each, patience=PATIENCE_SECONDS)
        for each in (month, month.previous)
    ]
    return wanted, before
