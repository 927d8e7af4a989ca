"""Command line: python -m analysis LINK --out DIR: everything behind a link, as files.

Exit codes: 0 written, 2 nothing written (a link that is not valid in every part).
"""

import argparse
import sys
from pathlib import Path

from analysis.disclosure import PolicyError
from analysis.export import write_answer
from analysis.link import LinkError, parse_link
from analysis.questions import open_link, whole_answer


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description="Everything behind a link, as files."
    )
    parser.add_argument("link", metavar="LINK", help="the address of a view, in quotes")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    options = parser.parse_args(arguments)
    try:
        page, params = parse_link(options.link)
        opened = open_link(page, params, options.warehouse)
        if opened.problems:
            raise LinkError("; ".join(opened.problems))
        written = write_answer(whole_answer(opened.snapshot, opened.view), options.out)
    except (LinkError, PolicyError, OSError) as error:
        print(f"Nothing was written. {error}", file=sys.stderr)
        return 2
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
