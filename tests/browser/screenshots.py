"""make shots: every page on a wide screen and on a phone, light and dark, as PNG to look at.

With names of views (python -m tests.browser.screenshots cir states) only those.

The README's picture (pages/survival.png) comes from here too.
"""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from analysis.link_survival import SURVIVAL_PARTS
from tests.browser.conftest import CHROMIUM_ARGUMENTS, Server, load_examples
from tests.browser.screen import wait_until_done
from tests.conftest import ROOT

SHOTS = ROOT / "tests" / "browser" / "shots"
SCREENS = {"wide": (1440, 900), "phone": (390, 844)}
README = "cohorts=obs,lev5fu&time=5&tau=5"


def _whole(page: Page, width: int) -> None:
    """Make the window as high as the page, so that one picture shows all of it."""
    for _ in range(2):
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size(ViewportSize(width=width, height=int(height) + 10))
        page.wait_for_timeout(700)


def views(snapshots: dict[str, str]) -> dict[str, str]:
    """The views to look at: path and query by name."""
    colon, myeloid, demo = (snapshots[name] for name in ("colon", "myeloid", "allrez"))
    pages = {}
    for name in ("overview", "response", "toxicity", "survival", "data"):
        pages[name] = f"{name}?data={demo}"
        pages[f"{name}_nobody"] = f"{name}?data={demo}&cohorts=allrez2016&f.strategic_group=s1"
        pages[f"{name}_one"] = f"{name}?data={demo}&cohorts=allrez2014&f.risk_group=high"
    for part in ("lens", "courses", "flow", "subgroups", "patients"):
        pages[f"response_{part}"] = f"response?data={demo}&part={part}"
    for part in ("blocks", "compare", "time", "burden", "infections", "deaths", "list"):
        pages[f"toxicity_{part}"] = f"toxicity?data={demo}&more={part}"
    for part in SURVIVAL_PARTS:
        pages[f"survival_{part}"] = f"survival?data={demo}&look={part}"
    return {
        **pages,
        "survival_in_time": f"survival?data={myeloid}&endpoint=os&look=later&by=time_dependent",
        "response_myeloid": f"response?data={myeloid}&part=flow",
        "toxicity_terms": f"toxicity?data={demo}&open=all&extra=yes&order=difference",
        "toxicity_events": f"toxicity?data={demo}&unit=events&open=infection",
        "toxicity_blina": f"toxicity?data={demo}&block=blina&grade=1&more=time&item=term/crs",
        "marrow": f"survival?data={demo}&f.timing=early&f.site=marrow",
        "cir": f"survival?data={demo}&endpoint=cir",
        "states": f"survival?data={demo}&endpoint=states",
        "lines": f"survival?data={demo}&lines=first_relapse,refractory&endpoint=os",
        "home": "",
        "survival_three": f"survival?data={colon}",
        "survival_two": f"survival?data={colon}&{README}",
        "survival_small": f"survival?data={colon}&f.extent=submucosa",
        "survival_one": f"survival?data={myeloid}&cohorts=b&endpoint=rfs",
        "survival_nobody": f"survival?data={myeloid}&f.sex=missing",
        "survival_invalid": f"survival?data={myeloid}&endpoint=cure&zoom=9",
        "no_data": "survival?data=2020-01-01.000000000000",
        "data_colon": f"data?data={colon}",
    }


def main() -> int:
    """Take the pictures."""
    SHOTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RELAPSE_BOARD_KEY_FILE"] = f"{folder}/identity.key"
        store = Path(folder) / "store"
        snapshots = load_examples(store)
        server = Server(store)
        try:
            _take(server, snapshots, sys.argv[1:])
        finally:
            server.kill()
    return 0


def _take(server: Server, snapshots: dict[str, str], wanted: list[str]) -> None:
    path = (ROOT / ".venv" / "chromium").read_text().strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        for name, view in views(snapshots).items():
            if wanted and name not in wanted:
                continue
            for screen, (width, height) in SCREENS.items():
                for scheme in ("light", "dark"):
                    size = ViewportSize(width=width, height=height)
                    with browser.new_context(viewport=size, color_scheme=scheme) as context:
                        page = context.new_page()
                        page.goto(f"{server.url}/{view}")
                        wait_until_done(page)
                        page.wait_for_timeout(800)
                        page.screenshot(path=SHOTS / f"{name}_{screen}_{scheme}.png")
                        if (name, screen, scheme) == ("marrow", "wide", "light"):
                            page.screenshot(path=ROOT / "pages" / "survival.png")
                        _whole(page, width)
                        page.screenshot(path=SHOTS / f"{name}_{screen}_{scheme}_whole.png")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
