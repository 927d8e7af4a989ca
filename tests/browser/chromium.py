"""Find a Chromium for the browser tests, or get one; print its path.

In this order: one on PATH; playwright's own; Debian's package, when root. If none can be had the
error says what to do: a missing browser never skips a test.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def _on_path() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    install = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        done = subprocess.run(install, stdout=sys.stderr, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def _debians() -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        subprocess.run(command, stdout=sys.stderr, check=False)
    return _on_path()


def main() -> int:
    """Print the path of a Chromium; exit code 1 if there is none."""
    for find in (_on_path, _playwrights_own, _debians):
        if path := find():
            print(path)
            return 0
    print(
        "No Chromium for the browser tests. Install one (Debian: apt-get install chromium) so "
        "that it is on PATH, and run make test again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
