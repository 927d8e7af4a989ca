"""Reading the page as a person does: wait until it is done, read its numbers, use its controls."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Locator, Page

TIMEOUT = 30_000
SETTLED = 400


@dataclass(frozen=True)
class Shown:
    """What a page shows: its headline, its strip and every cell of its tables."""

    headline: str
    strip: str
    tables: tuple[str, ...]


def wait_until_done(page: Page) -> None:
    """Until the script of the page has run to its end and everything stale is gone."""
    page.wait_for_selector("[data-testid=stApp]", timeout=TIMEOUT)
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid=stApp]');
            return app.getAttribute('data-test-script-state') === 'notRunning'
                && document.querySelectorAll('[data-stale=true]').length === 0
                && document.querySelectorAll('[data-testid=stSkeleton]').length === 0
                && document.querySelector('[data-testid=stMain] h5, [data-testid=stAlert], h1');
        }""",
        timeout=TIMEOUT,
    )
    # The address bar runs ahead of the page, after "back" above all: what is shown must be its.
    page.wait_for_function(
        """() => {
            const mark = document.querySelector('[data-shows]');
            // A page without numbers (front door, no data) has a title instead.
            if (!mark) return document.querySelector('[data-testid=stMain] h1') !== null;
            const pairs = text => [...new URLSearchParams(text)].map(String).sort().join('&');
            return pairs(mark.dataset.shows) === pairs(location.search);
        }""",
        timeout=TIMEOUT,
    )
    # A run may follow at once (a click that was under way): let it begin, then wait again.
    page.wait_for_timeout(150)
    page.wait_for_function(
        """() => document.querySelectorAll('[data-testid=stSkeleton]').length === 0
            && document.querySelector('[data-testid=stApp]')
                .getAttribute('data-test-script-state') === 'notRunning'""",
        timeout=TIMEOUT,
    )


def shown(page: Page) -> Shown:
    """What the page shows when it is done."""
    wait_until_done(page)
    return Shown(
        headline=page.locator("[data-testid=stMain] h5").first.inner_text(),
        strip=page.locator("[data-testid=stMain] [data-testid=stMarkdown]").first.inner_text(),
        tables=tuple(t.inner_text() for t in page.locator("[data-testid=stTable]").all()),
    )


def pictures(page: Page) -> list[str]:
    """Every chart as it is drawn, down to each mark, once none changes any more."""
    wait_until_done(page)
    drawn: list[str] = []
    for _ in range(TIMEOUT // SETTLED):
        before, drawn = (
            drawn,
            page.evaluate(
                """() => [...document.querySelectorAll('[data-testid=stVegaLiteChart] svg.marks')]
                .map(chart => chart.outerHTML)"""
            ),
        )
        if drawn and drawn == before:
            return drawn
        page.wait_for_timeout(SETTLED)
    raise AssertionError("the charts never settle")


def open_view(page: Page, url: str) -> Shown:
    """Open an address; what it shows."""
    page.goto(url, timeout=TIMEOUT)
    return shown(page)


def parameters(page: Page) -> dict[str, str]:
    """The view in the address bar."""
    return dict(parse_qsl(urlsplit(page.url).query))


def wait_for_parameter(page: Page, name: str, value: str | None) -> None:
    """Until the address bar says it (None: until it no longer names it)."""
    page.wait_for_function(
        "([n, v]) => new URL(location.href).searchParams.get(n) === v",
        arg=[name, value],
        timeout=TIMEOUT,
    )


def box(page: Page, label: str, group: str) -> Locator:
    """A checkbox of the sidebar: the first whose label starts so after its group's heading."""
    heading = page.locator(
        "[data-testid=stSidebar] p", has_text=re.compile(rf"^{re.escape(group)}$")
    )
    return heading.locator(
        f"xpath=following::*[@data-testid='stCheckbox'][.//p[starts-with(., '{label}')]]"
    ).first


def _select_box(page: Page, label: str) -> Locator:
    """The select box of exactly this label."""
    labels = page.locator("[data-testid=stWidgetLabel]", has=page.get_by_text(label, exact=True))
    return page.locator("[data-testid=stSelectbox]", has=labels)


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box."""
    wait_until_done(page)
    _select_box(page, label).locator("input").click()
    page.get_by_role("option", name=option, exact=True).click()


def select_labels(page: Page) -> list[str]:
    """The labels of the select boxes in the page itself, in order; not those of the sidebar."""
    boxes = page.locator("[data-testid=stMain] [data-testid=stSelectbox]")
    return [label.strip() for label in boxes.locator("label").all_inner_texts()]


def options(page: Page, label: str) -> list[Locator]:
    """The options of the select box of exactly this label, its list opened."""
    # A list closes when the page scrolls: bring it into view first.
    _select_box(page, label).scroll_into_view_if_needed()
    _select_box(page, label).get_by_role("button", name="Open").click()
    page.get_by_role("option").first.wait_for(timeout=TIMEOUT)
    return page.get_by_role("option").all()
