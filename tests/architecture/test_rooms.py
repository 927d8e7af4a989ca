"""Who may import whom, read from the code with `ast`; and one library, one room."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ROOMS = {
    "trial": {"trial"},
    "warehouse": {"trial", "warehouse"},
    "etl": {"trial", "warehouse", "etl"},
    "analysis/stats": {"trial", "analysis/stats"},
    "analysis/charts": {"trial", "analysis/stats", "analysis/charts"},
    "analysis": {"trial", "warehouse", "analysis", "analysis/stats", "analysis/charts"},
    "pages": {"trial", "analysis", "pages"},
    "app.py": {"trial", "analysis", "pages"},
}
OWNERS = {
    "dataframely": {"trial", "warehouse"},
    "duckdb": {"warehouse"},
    "scipy": {"analysis/stats"},
    "lifelines": {"analysis/stats"},
    "pandas": {"analysis/stats", "analysis/charts"},
    "altair": {"analysis/charts", "analysis"},
    "vl_convert": {"analysis"},
    "streamlit": {"pages", "app.py"},
    "lxml": {"etl"},
    "pyreadstat": {"etl"},
    "xlsxwriter": {"etl"},
}


def _room(path: str) -> str:
    """The innermost room of a path or of a dotted module with slashes."""
    return max((r for r in ROOMS if path == r or path.startswith(r + "/")), key=len, default="")


def _imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say the whole path"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@functools.cache
def _files() -> dict[str, ast.AST]:
    paths = [ROOT / "app.py"]
    for room in ("trial", "warehouse", "etl", "analysis", "pages"):
        paths += sorted((ROOT / room).rglob("*.py"))
    return {str(p.relative_to(ROOT)): ast.parse(p.read_text("utf-8")) for p in paths}


def test_every_room_imports_only_the_rooms_it_may() -> None:
    wrong = []
    for path, tree in _files().items():
        room = _room(path)
        for name in _imports(tree):
            other = _room(name.replace(".", "/"))
            if other and other not in ROOMS[room]:
                wrong.append(f"{path} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_every_library_stays_in_its_room() -> None:
    wrong = []
    for path, tree in _files().items():
        for name in _imports(tree):
            owners = OWNERS.get(name.split(".")[0])
            if owners is not None and _room(path) not in owners:
                wrong.append(f"{path} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_rule_can_fail() -> None:
    tree = ast.parse("from warehouse.query import query\nimport streamlit")
    assert _room("pages/survival.py") == "pages"
    assert _room("analysis/stats/cox.py") == "analysis/stats"
    assert {"warehouse.query.query", "streamlit"} == _imports(tree)
    assert "warehouse" not in ROOMS["pages"]


def test_sql_lives_in_the_warehouse() -> None:
    """No text outside the warehouse reads like a query."""
    wrong = []
    for path, tree in _files().items():
        if _room(path) == "warehouse":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.lower().split()
                if "select" in words and "from" in words:
                    wrong.append(f"{path} line {node.lineno}")
    assert not wrong, "\n".join(wrong)


def test_every_query_says_its_grain_and_is_used() -> None:
    code = "".join(
        p.read_text("utf-8")
        for room in ("warehouse", "analysis", "etl")
        for p in (ROOT / room).rglob("*.py")
    )
    for path in sorted((ROOT / "warehouse" / "queries").glob("*.sql")):
        text = path.read_text("utf-8")
        assert text.startswith(f"-- {path.stem}: "), path.name
        assert "-- grain: " in text and "-- params: " in text, path.name
        assert f'"{path.stem}"' in code, f"{path.name} is not used"


def test_nothing_in_python_names_a_study() -> None:
    """But the generator of the synthetic demo, which plays one."""
    studies = [p.stem for p in (ROOT / "trial" / "studies").glob("*.toml")]
    wrong = []
    for path, tree in _files().items():
        for node in ast.walk(tree) if not path.startswith("etl/demo/") else ():
            if isinstance(node, ast.Constant) and node.value in studies:
                wrong.append(f"{path} line {node.lineno}: {node.value}")
    assert not wrong, "\n".join(wrong)
