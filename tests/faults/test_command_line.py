"""Bad input gets one clear message and exit code 2, and publishes nothing.

Most commands run in this process, by the function that `python -m` calls; real processes show
that it is called, and what they end with.
"""

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.__main__ import main as analysis_main
from etl.__main__ import main as etl_main
from tests.conftest import EXAMPLES, ROOT, Loaded

MAINS = {"etl": etl_main, "analysis": analysis_main}


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def _run(module: str, *arguments: str) -> Done:
    """A command, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = MAINS[module](list(arguments))
    return Done(code, out.getvalue(), err.getvalue())


def _process(module: str, *arguments: str) -> Done:
    """A command, run as a person runs it."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


def _load(path: Path, store: Path, mapping: str = "colon") -> Done:
    return _run("etl", "load", str(path), "--mapping", mapping, "--warehouse", str(store))


def _refused(done: Done, store: Path, *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in ("Nothing was published.", *words):
        assert word in done.stderr
    assert not list(store.glob("current/*"))


def _file(folder: Path, content: bytes, name: str = "colon.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


HEADER = EXAMPLES.joinpath("colon.csv").read_bytes().splitlines()[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"  \n\n", "the file is empty"),
        (HEADER + b"\n", "no row could be loaded"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "looks like a PNG image"),
        (b"PK\x03\x04\xff\xfe\xfa", "cannot be unpacked"),
        ("id,rx\n1,Obs\n".encode("utf-16"), "reads column 'etype'"),
        (b"id;rx\n1;Obs\n", "reads column 'etype'"),
        (b"id,id,rx\n1,2,Obs\n", "the header names twice: id"),
        (b"id,,rx\n1,2,Obs\n", "column 2 of the header has no name"),
        (b"id,rx\n1,Obs\n", "reads column 'etype'"),
        (HEADER + b'\n1,1,"Lev+5FU,1,43\n', "not readable as CSV"),
        (HEADER + b"\n1,1,Lev+6FU,1,43,0,0,0,5,1,2,3,0,1,1521,2\n", "no row could be loaded"),
        (HEADER + b"\n" + b"1" * 200_000 + b",1\n", "not readable as CSV"),
    ],
)
def test_a_file_that_is_no_export(tmp_path: Path, content: bytes, words: str) -> None:
    store = tmp_path / "store"
    _refused(_load(_file(tmp_path, content), store), store, "colon.csv", words)


def test_a_process_says_the_same_and_ends_with_the_code(tmp_path: Path) -> None:
    store, png = tmp_path / "store", _file(tmp_path, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    load = ("etl", "load", str(png), "--mapping", "colon", "--warehouse", str(store))
    done = _process(*load)
    _refused(done, store, "colon.csv", "looks like a PNG image")
    assert done == _run(*load)
    link = ("analysis", "/survival", "--out", str(tmp_path / "out"), "--warehouse", str(store))
    done = _process(*link)
    assert done.returncode == 2 and done == _run(*link)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    store = tmp_path / "store"
    _refused(_load(tmp_path / "nowhere.csv", store), store, "nowhere.csv", "no such file")
    _refused(_load(Path("/dev/null"), store), store, "neither a file nor a folder")
    _refused(_load(EXAMPLES / "colon.csv", Path("/proc/x")), store)
    (tmp_path / "empty").mkdir()
    _refused(_load(tmp_path / "empty", store), store, "no file 'colon.csv'")


def test_a_mapping_that_is_not_there_or_wrong(tmp_path: Path) -> None:
    store = tmp_path / "store"
    path = EXAMPLES / "colon.csv"
    _refused(_load(path, store, "kolon"), store, "no mapping 'kolon'", "colon, myeloid")
    text = (ROOT / "etl" / "mappings" / "colon.toml").read_text()
    wrong = tmp_path / "mine.toml"
    wrong.write_text(text.replace('column = "rx"', 'column = "arm"'))
    _refused(_load(path, store, str(wrong)), store, "reads column 'arm' (the cohort)")
    wrong.write_text(text.replace('code = "death"', 'code = "deth"'))
    _refused(_load(path, store, str(wrong)), store, "mine.toml line", "Did you mean 'death'?")
    wrong.write_text(text.replace('study = "colon"', 'study = "kolon"'))
    _refused(_load(path, store, str(wrong)), store, "no study definition 'kolon'")
    wrong.write_text(text.replace("]]", "]", 1))
    _refused(_load(path, store, str(wrong)), store, "mine.toml", "not valid TOML")


def test_exit_codes_and_accounts(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = _process(
        "etl", "load", str(EXAMPLES), "--mapping", "colon", "--warehouse", str(store), "--json"
    )
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    assert report["is_new"] and report["enrollments"] == 929
    assert report["files"][0]["rows_in"] == 1858 == report["files"][0]["rows_loaded"]
    assert set(report["unread_files"]) == {"README.md", "myeloid.csv"}
    again = _load(EXAMPLES / "colon.csv", store)
    assert again.returncode == 0
    assert f"snapshot {report['snapshot_id']} already there, nothing changed" in again.stdout
    assert [p.name for p in (store / "snapshots").iterdir()] == [report["snapshot_id"]]
    lines = (EXAMPLES / "colon.csv").read_text().replace("\n2,1,", "\n2,1,x", 1)
    worse = _process(
        "etl", "load", str(_file(tmp_path, lines.encode())),
        "--mapping", "colon", "--warehouse", str(store),
    )  # fmt: skip
    assert worse.returncode == 1
    assert "1858 rows in = 1857 loaded + 1 quarantined" in worse.stdout
    assert "error: unknown_code in column 'rx', 1 findings" in worse.stdout


def test_a_link_that_is_wrong_in_any_part_writes_nothing(tmp_path: Path, loaded: Loaded) -> None:
    out, snapshot = tmp_path / "out", loaded.snapshots["myeloid"].snapshot_id
    options = ("--out", str(out), "--warehouse", str(loaded.store))

    for link, word in (
        (f"/survival?data={snapshot}&f.sex=cat", "filter not applied"),
        (f"/survival?data={snapshot}&endpoint=cure", "'cure' is not valid for endpoint"),
        ("/survival?data=2020-01-01.000000000000", "There is no snapshot"),
        ("/survival?data=../../../../etc", "is not the id of a snapshot"),
        (f"/survival?v=9&data={snapshot}", "version 9"),
        (f"/cure?data={snapshot}", "not a page"),
        ("http://[::1/survival", "not an address"),
    ):
        done = _run("analysis", link, *options)
        assert done.returncode == 2, link
        assert done.stderr.startswith("Nothing was written.") and word in done.stderr
        assert "Traceback" not in done.stderr and not out.exists()
    good = f"http://127.0.0.1:8501/survival?data={snapshot}"
    assert _process("analysis", good, *options).returncode == 0
    assert (out / "figure_curve.svg").is_file() and (out / "figure_curve.png").is_file()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("RELAPSE_BOARD_DISCLOSURE", "blur", "nothing is shown"),
        ("RELAPSE_BOARD_DISCLOSURE", "k1", "nothing is shown"),
        ("RELAPSE_BOARD_DISCLOSURE", "", "nothing is shown"),
    ],
)
def test_a_policy_that_is_not_known_shows_nothing(
    tmp_path: Path,
    loaded: Loaded,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv(variable, value)
    options = ("--out", str(tmp_path / "o"), "--warehouse", str(loaded.store))
    done = _run("analysis", "/survival", *options)
    assert done.returncode == 2 and told in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_key_file_that_others_can_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "identity.key"
    key.write_bytes(b"x" * 32)
    key.chmod(0o644)
    monkeypatch.setenv("RELAPSE_BOARD_KEY_FILE", str(key))
    store = tmp_path / "store"
    _refused(_load(EXAMPLES / "colon.csv", store), store, "chmod 600")
    key.chmod(0o600)
    assert _load(EXAMPLES / "colon.csv", store).returncode == 0
    assert key.read_bytes() == b"x" * 32


def test_formulas_of_a_file_do_not_run_in_a_spreadsheet() -> None:
    from analysis.export import _cell

    assert _cell("=cmd()") == "'=cmd()"
    assert _cell(-1.5) == "-1.5"
    assert (_cell(None), _cell(True), _cell(0.1)) == ("", "true", "0.1")
