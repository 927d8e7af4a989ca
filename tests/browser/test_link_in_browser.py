"""The link, in a real browser: the address is the view, and leads back to the same numbers."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from analysis.link import RESPONSE_OPTIONS, TOXICITY_OPTIONS
from analysis.link_survival import SURVIVAL_OPTIONS
from etl.load import load
from etl.mapping_file import read_mapping
from tests.browser.conftest import Server
from tests.browser.screen import (
    Shown,
    box,
    choose,
    open_view,
    parameters,
    pictures,
    shown,
    wait_for_parameter,
    wait_until_done,
)
from tests.conftest import EXAMPLES
from trial.words import say

# Wide enough for the sidebar.
WIDE = ViewportSize(width=1440, height=900)


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile that keeps the program's own files, as that of a daily reader does."""
    with browser.new_context(viewport=WIDE) as context:
        yield context


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A new page."""
    page = profile.new_page()
    yield page
    page.close()


def _fresh(browser: Browser, url: str) -> Shown:
    """What an address shows in a browser that has never been here."""
    with browser.new_context(viewport=WIDE) as context:
        return open_view(context.new_page(), url)


def test_a_chart_changed_in_place_is_the_chart_of_its_link(served, page, browser) -> None:
    """A browser keeps the picture and changes its data: it must be the one that a link draws."""
    server, snapshots = served
    open_view(page, f"{server.url}/survival?data={snapshots['colon']}&look=subgroups")
    before = pictures(page)
    box(page, "male", "Sex").click()
    wait_for_parameter(page, "f.sex", "male")
    changed = pictures(page)
    assert len(changed) == len(before) > 1 and all(
        a != b for a, b in zip(before, changed, strict=True)
    )
    with browser.new_context(viewport=WIDE) as context:
        fresh = context.new_page()
        open_view(fresh, page.url)
        assert pictures(fresh) == changed


def _set_everything(page: Page) -> None:
    """Filters on two characteristics, one cohort less, and every option changed."""
    box(page, "Levamisole", "Cohorts").click()
    wait_for_parameter(page, "cohorts", "obs,lev5fu")
    box(page, "male", "Sex").click()
    wait_for_parameter(page, "f.sex", "male")
    box(page, "poor", "Differentiation").click()
    wait_for_parameter(page, "f.differ", "poor")
    box(page, "not recorded", "Differentiation").click()
    wait_for_parameter(page, "f.differ", "poor,missing")
    choose(page, "Endpoint", "Recurrence-free survival")
    wait_for_parameter(page, "endpoint", "rfs")
    choose(page, "Compared at", "3 years")
    wait_for_parameter(page, "time", "3")
    choose(page, "Mean within (RMST)", "2 years")
    wait_for_parameter(page, "tau", "2")
    page.get_by_text("95 % bands").click()
    wait_for_parameter(page, "bands", "no")
    page.get_by_text("Censoring marks").click()
    wait_for_parameter(page, "marks", "no")


def test_the_same_numbers_by_every_way(served, page: Page, browser: Browser) -> None:
    server, snapshots = served
    start = open_view(page, f"{server.url}/survival?data={snapshots['colon']}")
    assert "Observation 52.6 % (46.9 to 57.9; 149 events in 315)" in start.headline
    _set_everything(page)
    chosen, link = shown(page), page.url
    assert chosen != start
    assert "Sex: male; Differentiation: poor or not recorded" in chosen.strip
    assert _fresh(browser, link) == chosen, "the link in a fresh browser"
    page.reload()
    assert shown(page) == chosen, "reload"

    page.get_by_role("link", name="Data").click()
    page.wait_for_url("**/data?*")
    assert "1858 rows in = 1858 loaded + 0 quarantined" in shown(page).headline
    assert parameters(page) == dict(p.split("=") for p in _decoded(link).split("&"))
    page.get_by_role("link", name="Survival").click()
    page.wait_for_url("**/survival?*")
    assert (shown(page), page.url) == (chosen, link), "to another page and back"

    page.go_back()
    page.wait_for_url("**/data?*")
    wait_until_done(page)
    page.go_back()
    page.wait_for_url("**/survival?*")
    assert (shown(page), page.url) == (chosen, link), "back across pages"
    for _ in range(2):
        page.go_back()
    wait_for_parameter(page, "bands", "yes")
    assert parameters(page)["marks"] == "yes"
    with_bands = shown(page)
    assert with_bands == chosen, "the band is no number"
    page.go_back()
    wait_for_parameter(page, "tau", "5")
    page.go_back()
    wait_for_parameter(page, "time", "5")
    assert shown(page).headline != chosen.headline
    for _ in range(4):
        page.go_forward()
    wait_for_parameter(page, "marks", "no")
    assert (shown(page), page.url) == (chosen, link), "back and forward"


def _decoded(link: str) -> str:
    return urlsplit(link).query.replace("%2C", ",")


def test_the_command_line_gives_the_numbers_of_the_page(
    served, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.__main__ import main

    server, snapshots = served
    link = f"{server.url}/survival?data={snapshots['myeloid']}&endpoint=efs&time=2&f.sex=female"
    on_page = open_view(page, link)
    assert main([page.url, "--out", str(tmp_path), "--warehouse", str(server.store)]) == 0
    summary = (tmp_path / "summary.md").read_text()
    assert on_page.headline == summary.splitlines()[0]
    page.get_by_role("button", name="Link and export").click()
    told = page.locator("[data-testid=stPopoverBody] code").first.inner_text()
    assert told == page.url.replace("%2C", ",")


def test_fast_clicks_are_all_kept(served, page: Page) -> None:
    """Clicks faster than the server: none of them is taken for 'back'."""
    server, snapshots = served
    open_view(page, f"{server.url}/survival?data={snapshots['colon']}")
    for label, group in (
        ("male", "Sex"),
        ("under 50", "Age"),
        ("50 to 59", "Age"),
        ("well", "Diff"),
    ):
        box(page, label, "Differentiation" if group == "Diff" else group).click(no_wait_after=True)
    wait_for_parameter(page, "f.differ", "well")
    wait_until_done(page)
    found = parameters(page)
    assert (found["f.sex"], found["f.age"], found["f.differ"]) == (
        "male",
        "under_50,from_50",
        "well",
    )


def test_a_killed_server_answers_deep_links_first(
    served, browser: Browser, page: Page, tmp_path: Path
) -> None:
    running, snapshots = served
    server = Server(shutil.copytree(running.store, tmp_path / "store"))
    try:
        query = f"v=1&data={snapshots['myeloid']}&cohorts=a,b&endpoint=efs&time=3&tau=2&f.sex=male"
        before = open_view(page, f"{running.url}/data?{query}")
        assert _fresh(browser, f"{server.url}/data?{query}") == before, "/data as the first request"
        before = open_view(page, f"{server.url}/survival?{query}")
        server.kill()
        server.start()
        with browser.new_context(viewport=WIDE) as one, browser.new_context(viewport=WIDE) as two:
            pages = [one.new_page(), two.new_page()]
            for first in pages:
                first.goto(f"{server.url}/survival?{query}", wait_until="commit")
            found = [shown(first) for first in pages]
        assert found == [before, before], "two first visitors at once"
    finally:
        server.kill()


def test_newer_data_leave_the_old_link_alone(
    served, tmp_path: Path, browser: Browser, page: Page
) -> None:
    running, snapshots = served
    store = shutil.copytree(running.store, tmp_path / "store")
    server = Server(store)
    try:
        old = open_view(page, f"{server.url}/survival?data={snapshots['colon']}")
        link = page.url
        lines = (EXAMPLES / "colon.csv").read_text().splitlines()
        newer_export = store.parent / "newer.csv"
        newer_export.write_text("\n".join(lines[:-40]) + "\n")
        newer = load(newer_export, read_mapping("colon"), store).snapshot_id
        again = _fresh(browser, link)
        assert (again.headline, again.tables) == (old.headline, old.tables)
        page.goto(link)
        wait_until_done(page)
        warning = page.locator("[data-testid=stAlert]").inner_text()
        assert snapshots["colon"] in warning and newer in warning
        page.get_by_role("button", name="Show this view on the newer data").click()
        wait_for_parameter(page, "data", newer)
        assert shown(page).headline != old.headline
        page.go_back()
        wait_for_parameter(page, "data", snapshots["colon"])
        assert shown(page).headline == old.headline
    finally:
        server.kill()


INVALID = {
    "endpoint=cure": "'cure' is not valid for endpoint; valid are: os, efs, rfs",
    "f.sex=cat": "filter not applied: 'cat' is not valid for f.sex",
    "zoom=<img src=x onerror=alert(1)>": "'zoom' is not a parameter of this program",
    "time=**bold** [x](http://evil.example)": "'**bold** [x](http://evil.example)'",
}


def test_an_invalid_parameter_is_explained_above_the_result(served, page: Page) -> None:
    """All of them in one address: each has its own line."""
    server, snapshots = served
    alert = page.locator("[data-testid=stAlert]")
    link = f"{server.url}/survival?data={snapshots['myeloid']}"
    found = open_view(page, "&".join([link, *INVALID]))
    for way in ("by the link", "after a reload"):
        explained = alert.first.inner_text()
        assert [words for words in INVALID.values() if words not in explained] == [], way
        assert alert.first.locator("li").count() == len(INVALID), way
        assert alert.locator("img, a").count() == 0, way
        if way == "by the link":
            page.reload()
            wait_until_done(page)
    assert "Arm A 41.9 %" in found.headline
    box(page, "female", "Sex").click()
    wait_for_parameter(page, "f.sex", "female")
    wait_until_done(page)
    gone = alert.filter(has_text=say("frame.invalid"))
    assert gone.count() == 0, "gone once the view is changed"


def test_unknown_data_show_no_numbers_only_what_exists(served, page: Page) -> None:
    server, snapshots = served
    for data in ("2020-01-01.000000000000", "../../etc/passwd", "x' or 1=1"):
        page.goto(f"{server.url}/survival?data={data}")
        wait_until_done(page)
        text = page.locator("[data-testid=stMain]").inner_text()
        assert "No numbers are shown." in text and "%" not in text, data
        assert data in text and snapshots["colon"] in text and snapshots["myeloid"] in text
    page.get_by_role("link", name=snapshots["myeloid"]).click()
    wait_for_parameter(page, "data", snapshots["myeloid"])
    assert "Arm A 41.9 %" in shown(page).headline


def test_every_request_goes_to_the_own_origin(served, browser: Browser) -> None:
    """In a profile of its own: nothing is there that was fetched before."""
    with browser.new_context(viewport=WIDE) as context:
        _asks_nobody_else(served, context.new_page())


def _asks_nobody_else(served, page: Page) -> None:
    server, snapshots = served
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url.replace("ws:", "http:")))
    for path in ("", f"survival?data={snapshots['colon']}", f"data?data={snapshots['colon']}"):
        page.goto(f"{server.url}/{path}")
        wait_until_done(page)
    page.goto(f"{server.url}/survival?data={snapshots['myeloid']}")
    wait_until_done(page)
    page.wait_for_selector(
        "[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas"
    )
    others = {url for url in asked if not url.startswith((server.url, "data:", "blob:"))}
    assert others == set()
    assert len(asked) > 10


def test_the_front_door_leads_to_every_page(served, page: Page) -> None:
    server, _ = served
    page.goto(server.url)
    wait_until_done(page)
    for name in ("Overview", "Response", "Toxicity", "Survival", "Data"):
        assert page.get_by_role("link", name=name).count() == 3, "one a study"
    page.get_by_role("link", name="Survival").first.click()
    page.wait_for_url("**/survival?*")
    assert "Event-free survival at 3 years" in shown(page).headline
    assert set(parameters(page)) == {
        "v", "data", "cohorts", "lines", "endpoint", "time", "tau", "bands", "marks",
        "block", "grade", "extra", "f.risk_group", *RESPONSE_OPTIONS, *TOXICITY_OPTIONS,
        *SURVIVAL_OPTIONS,
    } - {"find"}  # fmt: skip


def test_data_files_can_be_saved_from_the_page(served, page: Page) -> None:
    server, snapshots = served
    open_view(page, f"{server.url}/survival?data={snapshots['myeloid']}")
    for name, start in (("Numbers (CSV)", b"snapshot,"), ("Figure (SVG)", b"<svg")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=name).first.click()
        path = saved.value.path()
        assert Path(path).read_bytes().startswith(start)
