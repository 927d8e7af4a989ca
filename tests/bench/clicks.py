"""How long a reader waits after a click, in a real browser before a real server.

Per page and control: from the moment the mouse button is let go until the headline of the new view
is in the page, until its last chart has been drawn for the last time, and until the whole page is
done. The browser's own clock counts, read whenever the document changes, so nothing of the driver
is in it; painting follows with the next frame.

The headline is the new one once `data-shows` names another address than before the click and the
first heading is not marked stale. While a run is under way Streamlit marks every element that is
not of it, and takes the mark off in the step that brings the new content, also where that is word
for word the old.

Every control goes there and back, so that the views of all measured clicks have been seen before:
what a cache by view would win here, a reader wins only on the way back.
"""

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as NothingCame

from tests.bench.printed import Column, step
from tests.browser.conftest import CHROMIUM_ARGUMENTS, Server
from tests.browser.screen import TIMEOUT, box, open_view, options, select_labels, wait_until_done
from tests.conftest import ROOT

DEMO = "demo"
PAGES = ("response", "toxicity", "survival")
# Even numbers: a control stands where it stood when it is left.
WARM, ROUNDS = 2, 8


@dataclass(frozen=True)
class Data:
    """What is clicked in the sidebar (name, label, heading above it), and what to wait at most."""

    boxes: tuple[tuple[str, str, str], ...]
    headline_aim_ms: float
    chart_aim_ms: float | None


SMALL = Data((("filter", "male", "Sex"), ("cohort", "ALL-REZ 2016", "Cohorts")), 300, 800)
LARGE = Data((("filter", "l0", "x0"), ("cohort", "B", "Cohorts")), 1000, None)

COLUMNS: tuple[Column, ...] = (
    ("data", "patients", 10, "{}", 1),
    ("page", "page", 10, "{}", 1),
    ("control", "control", 24, "{}", 1),
    ("n", "clicks", 6, "{:.0f}", 1),
    ("headline", "headline ms", 12, "{:.0f}", 1),
    ("headline_p90", "p90", 6, "{:.0f}", 1),
    ("headline_aim", "aim", 6, "{:.0f}", 1),
    ("headline_met", "met", 4, "{}", 1),
    ("chart", "last chart ms", 14, "{:.0f}", 1),
    ("chart_p90", "p90", 6, "{:.0f}", 1),
    ("chart_aim", "aim", 6, "{:.0f}", 1),
    ("chart_met", "met", 4, "{}", 1),
    ("page_done", "all done ms", 12, "{:.0f}", 1),
    ("server", "server cpu ms", 14, "{:.0f}", 1),
)

# Installed before a click. A chart is drawn some time after its element has arrived, often after
# the script has ended; what happens in its element last is its time.
WATCH = """() => {
    const one = css => document.querySelector(css);
    const shows = () => one('[data-shows]')?.dataset.shows;
    const before = shows();
    const seen = window.seen = {click: null, headline: null, chart: null, done: null, last: 0};
    const isNew = () => shows() !== undefined && shows() !== before;
    const isDone = () => isNew() && !one('[data-stale=true], [data-testid=stSkeleton]')
        && one('[data-testid=stApp]').getAttribute('data-test-script-state') === 'notRunning';
    const isOfChart = ({target}) =>
        (target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)
            ?.closest('[data-testid=stElementContainer]')
            ?.querySelector('[data-testid=stVegaLiteChart]');
    addEventListener('pointerup', event => { seen.click = event.timeStamp; },
        {capture: true, once: true});
    window.watch?.disconnect();
    window.watch = new MutationObserver(records => {
        const now = performance.now();
        if (seen.click === null) return;
        const heading = one('[data-testid=stMain] h5');
        if (!seen.headline && isNew() && heading && !heading.closest('[data-stale=true]'))
            seen.headline = now;
        if (records.some(isOfChart)) seen.chart = seen.last = now;
        if (!isDone()) seen.done = null;
        else if (!seen.done) seen.done = seen.last = now;
    });
    window.watch.observe(document,
        {subtree: true, childList: true, attributes: true, characterData: true});
}"""
QUIET = "() => seen.headline && seen.done && performance.now() - seen.last > 400"


@dataclass(frozen=True)
class Wait:
    """Milliseconds from one click: to the headline, to the last chart, to the whole page."""

    headline: float
    chart: float
    page_done: float


@dataclass(frozen=True)
class Control:
    """A control by its name; `find` gives what the click of a number (from 0) is to hit."""

    name: str
    find: Callable[[int], Locator]


def _option(page: Page, label: str, number: int) -> Locator:
    """The option after the chosen one, then the one before it; the list is open."""
    offered = options(page, label)
    chosen = [o.get_attribute("aria-selected") for o in offered].index("true")
    return offered[(chosen + (-1 if number % 2 else 1)) % len(offered)]


def _has_choice(page: Page, label: str) -> bool:
    """Whether a select box offers more than what is chosen."""
    number = len(options(page, label))
    page.keyboard.press("Escape")
    return number > 1


def _controls(page: Page, data: Data) -> list[Control]:
    """The boxes of the sidebar, then every select box of the page that has a choice."""
    boxes = [
        Control(name, lambda _, of=(label, group): box(page, *of))
        for name, label, group in data.boxes
    ]
    labels = [label for label in select_labels(page) if _has_choice(page, label)]
    return [*boxes, *(Control(label, partial(_option, page, label)) for label in labels)]


def _click(page: Page, control: Control, number: int) -> Wait:
    """Click, and wait until nothing changes any more. Ends the run if no new view comes."""
    wait_until_done(page)
    target = control.find(number)
    target.scroll_into_view_if_needed()
    page.evaluate(WATCH)
    target.click()
    try:
        page.wait_for_function(QUIET, polling=50, timeout=TIMEOUT)
    except NothingCame as error:
        raise SystemExit(f"{page.url}: no new view after a click on '{control.name}'") from error
    if page.locator("[data-testid=stException]").count():
        raise SystemExit(f"{page.url}: the page broke after a click on '{control.name}'")
    seen = page.evaluate("window.seen")
    chart = seen["chart"] or seen["done"]
    times = (seen["headline"], chart, max(chart, seen["done"]))
    return Wait(*(time - seen["click"] for time in times))


def _summary(waits: list[Wait], data: Data) -> dict[str, float | str]:
    """Medians and 90th percentiles, and whether the medians are within the aims."""
    found: dict[str, float | str] = {"n": len(waits)}
    found["page_done"] = statistics.median(w.page_done for w in waits)
    for name, aim in (("headline", data.headline_aim_ms), ("chart", data.chart_aim_ms)):
        times = [getattr(w, name) for w in waits]
        median = statistics.median(times)
        most = statistics.quantiles(times, n=10, method="inclusive")[-1]
        found |= {name: median, f"{name}_p90": most}
        if aim is not None:
            found |= {f"{name}_aim": aim, f"{name}_met": "yes" if median <= aim else "NO"}
    return found


def _processor(process: int) -> float:
    """Milliseconds of processor time that a process has used."""
    _, _, rest = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")
    user, system = rest.split()[11:13]
    return 1000 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _row(page: Page, control: Control, server: Server, data: Data) -> dict:
    """The figures of a control."""
    for number in range(WARM):
        _click(page, control, number)
    before = _processor(server.process.pid)
    waits = [_click(page, control, number) for number in range(ROUNDS)]
    used = (_processor(server.process.pid) - before) / ROUNDS
    return {"control": control.name, "server": used, **_summary(waits, data)}


def _chromium() -> str:
    """The path of the browser that `make` found. Ends the run if it found none yet."""
    found = ROOT / ".venv" / "chromium"
    if not found.is_file():
        raise SystemExit("No Chromium is known for the clicks: run make .venv/chromium first.")
    return found.read_text(encoding="utf-8").strip()


def clicked(what: str) -> Iterator[dict]:
    """The rows of the demo, or of a made registry of so many patients, in a store of its own."""
    chromium, data = _chromium(), SMALL if what == DEMO else LARGE
    with tempfile.TemporaryDirectory() as store, sync_playwright() as playwright:
        snapshot = step(DEMO if what == DEMO else "build", what, Path(store))["snapshot"]
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        server = Server(Path(store))
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            for name in PAGES:
                open_view(page, f"{server.url}/{name}?data={snapshot}")
                for control in _controls(page, data):
                    yield {"data": what, "page": name, **_row(page, control, server, data)}
        finally:
            browser.close()
            server.kill()
