"""Largest paint of a public page in Chromium on a slow phone, beside a static page of the same bytes.

1.6 Mbit/s, 150 ms, a processor four times slower, an empty cache for each visit; both in turn.
"""

from collections.abc import Mapping
from statistics import median
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from tests.bench.options import BARE, HOST, WARM
from tests.bench.servers import Server
from tests.browser.conftest import ARGUMENTS, CHROMIUM

VISITS: Final = 5
_BYTES_PER_SECOND: Final = 1_600_000 / 8
_NETWORK: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": _BYTES_PER_SECOND,
    "uploadThroughput": _BYTES_PER_SECOND,
}
_SLOWER: Final = {"rate": 4}
_PAINT: Final = """new Promise(resolve => new PerformanceObserver(list =>
  resolve(list.getEntries().at(-1).startTime)
).observe({type: 'largest-contentful-paint', buffered: true}))"""

Paints = Mapping[str, list[float]]


def measure_paints(running: Mapping[str, Server], paths: Mapping[str, str]) -> Paints:
    """Milliseconds to the largest paint, by contender; `paths` are those of the page and of its bytes."""
    found: dict[str, list[float]] = {name: [] for name in paths}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        for turn in range(VISITS):
            names = list(paths)[:: 1 if turn % 2 else -1]
            for name in names:
                server = running[BARE if name == BARE else "gateway"]
                found[name].append(_paint(browser, f"http://{HOST}:{server.port}{paths[name]}"))
        browser.close()
    return found


def paint_ratio(paints: Paints) -> float:
    """The page's median paint to that of its bytes alone."""
    return median(paints[WARM]) / median(paints[BARE])


def _paint(browser: Browser, address: str) -> float:
    context = browser.new_context(viewport={"width": 390, "height": 664})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", _NETWORK)
    session.send("Emulation.setCPUThrottlingRate", _SLOWER)
    page.goto(address, wait_until="load")
    moment = float(page.evaluate(_PAINT))
    context.close()
    return moment
