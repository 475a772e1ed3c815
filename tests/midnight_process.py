"""Process run under a given TZ: disclosures at midnight of a record whose last day is 2026-11-22."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from gateway.codes.public_page.summary import summary_of
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_records
from gateway.creditfile.facts import facts_of
from gateway.synthetic.generator.province import province
from verification import Asked, evaluate

LAST_DAY = date(2026, 11, 22)
SECONDS = {
    "23:59:59": datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC),
    "00:00:00": datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC),
}


def main() -> None:
    """Print a JSON line: by second, how many records each channel discloses."""
    catalogue = load_catalogue()
    stream = province(1, 60, today=LAST_DAY, catalogue=catalogue)
    of = next(each for each in stream if "expires_today" in each.traits)
    penalties = [replace(r) for r in of.records if r.dataset == "penalty"]
    asked = Asked(tag="no_live_penalty.v1", value=None)
    found = {}
    for name, now in SECONDS.items():
        facts = facts_of(of.enterprise, penalties, catalogue, now)
        [answer] = evaluate([asked], facts, allowed={asked}, digest=lambda _: b"", today=LAST_DAY)
        page = summary_of(of.enterprise, penalties, catalogue, now=now)
        found[name] = {
            "page": sum(len(each.records) for each in page.sections),
            "query": len(
                disclosable_records(
                    penalties, Audience.AUTHORISED, catalogue, now, kind=of.enterprise.kind
                )
            ),
            "answer": answer.answer,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
