"""Command line: python -m etl inspect | load | issues | demo | first.

Exit codes of load: 0 loaded, 1 loaded with quarantined rows, 2 nothing published. `python -m etl
demo OUT` writes a synthetic export; `python -m etl first` loads one, and the example exports, if
the store holds no data at all.
"""

import argparse
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from etl.demo import FLAWS, MAPPING, SHAPES, DemoError, write_demo
from etl.errors import LoadError, printable
from etl.inspect import inspect
from etl.issues import findings, in_words, write_csv
from etl.load import LoadReport, load
from etl.mapping_file import MAPPINGS, read_mapping
from trial.document import DocumentError
from warehouse.query import SnapshotError
from warehouse.store import current_ids, store_folder

EXAMPLES = Path(__file__).parent / "examples"
DEMO_SEED = 20140


def _parser() -> argparse.ArgumentParser:
    known = ", ".join(sorted(p.stem for p in MAPPINGS.glob("*.toml")))
    parser = argparse.ArgumentParser(prog="python -m etl", description="Load trial exports.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser(
        "load",
        help="load an export and publish it as a snapshot",
        epilog="Exit codes: 0 loaded, 1 loaded with quarantined rows, 2 nothing published.",
    )
    one.add_argument("path", type=Path, metavar="PATH", help="a file, a folder or a zip archive")
    one.add_argument("--mapping", required=True, help=f"one of: {known}; or a path to a .toml file")
    one.add_argument("--studies", type=Path, help="folder of study definitions of your own")
    one.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    one.add_argument("--cutoff", help="data cut-off, as 2026-05-03; nothing after it counts")
    one.add_argument("--json", action="store_true", help="print the report as JSON")
    _add_inspect(commands)
    _add_issues(commands)
    commands.add_parser("first", help="load the demo and the examples if there are no data yet")
    demo = commands.add_parser(
        "demo",
        help="write a SYNTHETIC export of ALL-REZ 2014 and 2016",
        epilog="Flaws: " + "; ".join(f"{name}: {told}" for name, told in FLAWS.items()),
    )
    demo.add_argument("out", type=Path, metavar="OUT", help="folder to write, new or empty")
    demo.add_argument("--patients", type=int, default=300, help="children of both protocols")
    demo.add_argument("--seed", type=int, default=DEMO_SEED, help="same seed, same files")
    demo.add_argument("--flaw", choices=sorted(FLAWS), help="plant one flaw of the data")
    demo.add_argument("--defects", action="store_true", help="plant defects, one a row")
    demo.add_argument("--shape", choices=sorted(SHAPES), default="csv", help="format of the export")
    return parser


def _add_inspect(commands: Any) -> None:
    look = commands.add_parser("inspect", help="print what is in an export; load nothing")
    look.add_argument("path", type=Path, metavar="PATH", help="a file, a folder or a zip archive")
    look.add_argument("--draft", type=Path, metavar="FOLDER", help="write a draft mapping there")
    look.add_argument("--study", help="the study of the draft; left out: a draft study too")


def _add_issues(commands: Any) -> None:
    issues = commands.add_parser("issues", help="list the findings of a load, with raw texts")
    issues.add_argument("--study", help="code of the study, if there are several")
    issues.add_argument("--snapshot", help="id of a snapshot; left out: the study's current one")
    issues.add_argument("--csv", type=Path, metavar="FILE", help="write them as a table")
    issues.add_argument("--warehouse", type=Path, help="folder of the warehouse")


def _first() -> int:
    """Load the examples into an empty store; never beside data that are there."""
    store = store_folder()
    if current_ids(store):
        return 0
    print(f"No data in {store} yet: making and loading the synthetic demo, then the examples.")
    with tempfile.TemporaryDirectory() as folder:
        write_demo(Path(folder) / "demo", seed=DEMO_SEED)
        print(_in_words(load(Path(folder) / "demo", read_mapping(MAPPING), store)))
    for path in sorted(EXAMPLES.glob("*.csv")):
        print(_in_words(load(path, read_mapping(path.stem), store)))
    return 0


def _demo(options: argparse.Namespace) -> int:
    """Write the synthetic export and say what is in it."""
    report = write_demo(
        options.out, options.patients, options.seed, options.flaw, options.defects, options.shape
    )
    print(f"SYNTHETIC export in {report.folder}: no patient is behind any row.")
    for name, rows in report.files:
        print(f"{name}: {rows} rows")
    if options.defects:
        print(f"{report.n_defects} defects planted; see {report.folder / 'about' / 'planted.csv'}")
    print(f"Load it:  python -m etl load {report.folder} --mapping {SHAPES[options.shape].mapping}")
    return 0


def _in_words(report: LoadReport) -> str:
    lines = []
    for f in report.files:
        lines.append(
            f"{f.file_name}: {f.rows_in} rows in = {f.rows_loaded} loaded "
            f"+ {f.rows_quarantined} quarantined"
            + (f" + {f.rows_excluded} left out by rule" if f.rows_excluded else "")
        )
    lines += [f"{name}: not read; the mapping has no source for it" for name in report.unread_files]
    for issue in report.issues:
        place = f" in column '{issue['column_name']}'" if issue["column_name"] else ""
        lines.append(
            f"  {issue['severity']}: {issue['rule']}{place}, {issue['n_findings']} findings "
            f"(file {issue['file_number']})"
        )
    state = "published" if report.is_new else "already there, nothing changed"
    cutoff = report.data_cutoff or "not stated in the export"
    lines.append(f"{report.enrollments} enrollments; data cut-off {cutoff}")
    lines.append(f"snapshot {report.snapshot_id} {state}")
    return "\n".join(lines)


def _say(text: str) -> None:
    """Print what may hold text of files: a terminal must not obey it."""
    print(printable(text))


def _issues(options: argparse.Namespace) -> int:
    found = findings(options.warehouse or store_folder(), options.study, options.snapshot)
    _say(in_words(found))
    if options.csv:
        write_csv(found, options.csv)
        print(f"Written: {options.csv}")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    _say(inspect(options.path, options.draft, options.study))
    return 0


def _load(options: argparse.Namespace) -> int:
    mapping = read_mapping(options.mapping, studies=options.studies)
    if mapping.is_draft:
        raise LoadError(
            f"{options.mapping}: a draft. Go through its lines marked 'guess' and 'fill in' (and "
            "those of the study), then delete the line 'draft = true'."
        )
    report = load(options.path, mapping, options.warehouse or store_folder(), options.cutoff)
    _say(report.as_json() if options.json else _in_words(report))
    return 1 if report.rows_quarantined else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    run = {"first": lambda _: _first(), "demo": _demo, "load": _load}
    run |= {"issues": _issues, "inspect": _inspect}
    # Reading does not publish in any case.
    nothing = "" if options.command in ("issues", "inspect") else "Nothing was published. "
    try:
        return run[options.command](options)
    except (LoadError, DemoError, DocumentError, SnapshotError, OSError) as error:
        print(f"{nothing}{printable(str(error))}", file=sys.stderr)
        return 2
    except Exception:
        # A defect must not end with Python's own code 1, which means "loaded" here.
        traceback.print_exc()
        print(f"{nothing}This is a defect of the program.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
