"""On a wide screen and on a phone: nothing is cut off, covered or collapsed."""

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.screen import open_view, wait_until_done

SCREENS = [(1440, 900, "light"), (390, 844, "dark")]


@pytest.fixture(params=SCREENS, ids=lambda s: f"{s[0]}-{s[2]}")
def page(request: pytest.FixtureRequest, browser: Browser):
    width, height, scheme = request.param
    size = ViewportSize(width=width, height=height)
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        yield context.new_page()


def _nothing_overflows(page: Page) -> None:
    assert page.locator("[data-testid=stException]").count() == 0
    wider = page.evaluate(
        "document.querySelector('[data-testid=stMain]').scrollWidth"
        " - document.querySelector('[data-testid=stMain]').clientWidth"
    )
    assert wider <= 0, "the page scrolls sideways"
    covered = page.evaluate(
        """() => {
            const header = document.querySelector('[data-testid=stHeader]');
            const first = document.querySelector('[data-testid=stMain] a, [data-testid=stMain] h1');
            const below = header.getBoundingClientRect().bottom;
            const isClear = getComputedStyle(header).backgroundColor.endsWith(', 0)');
            return isClear ? false : first.getBoundingClientRect().top < below - 2;
        }"""
    )
    assert not covered, "the header covers the first line"


AXIS_LABELS = """() => [
    ...document.querySelectorAll('[data-testid=stVegaLiteChart] .role-axis-label')]
    .map(axis => [...axis.querySelectorAll('text')].map(label => {
        const box = label.getBoundingClientRect();
        const lines = [...label.querySelectorAll('tspan')].map(line => line.textContent);
        return [box.left + box.width / 2, lines.length ? lines : [label.textContent]];
    }))"""


def _columns_stand_under_their_ticks(page: Page) -> None:
    axes = [axis for axis in page.evaluate(AXIS_LABELS) if axis]
    times = next(axis for axis in axes if [lines for _, lines in axis[:2]] == [["0"], ["1"]])
    blocks = [axis for axis in axes if len(axis[0][1]) == 3]
    assert len(blocks) >= 2
    for block in blocks:
        assert [x for x, _ in block] == pytest.approx([x for x, _ in times], abs=1.5)
        totals = {sum(int(n) for n in lines) for _, lines in block}
        assert len(totals) == 1, "at risk, events and censored add to N in every column"


def test_every_page_fits(served, page: Page) -> None:
    server, snapshots = served
    for study in snapshots:
        open_view(page, f"{server.url}/survival?data={snapshots[study]}")
        _nothing_overflows(page)
        chart = page.locator("[data-testid=stVegaLiteChart]").first
        inside = chart.locator("svg, canvas").first
        inside.wait_for()
        box, frame = inside.bounding_box(), chart.bounding_box()
        assert box is not None and frame is not None
        assert box["width"] <= frame["width"] + 1
        assert box["height"] > 400, "the plot has collapsed"
        _columns_stand_under_their_ticks(page)
    for path in ("", "data", "survival?data=2020-01-01.000000000000"):
        page.goto(f"{server.url}/{path}")
        wait_until_done(page)
        _nothing_overflows(page)
