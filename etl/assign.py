"""Which table of an export feeds which source of the mapping; nothing is dropped on the way.

A table that several sources share is split by their `where`. Rows that none of them takes are a
part of their own, so that the counts of a table add up and somebody sees them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from glob import escape
from pathlib import PurePosixPath

import polars as pl

from etl.cells import matching, trimmed
from etl.errors import LoadError
from etl.findings import FILE, found
from etl.mapping import Mapping, SourceRule
from etl.sources.export import Export, ExportFile, read_file
from etl.sources.raw import ROW, RawTable
from etl.sources.supplement import SUPPLEMENT_RULES, with_supplement
from etl.staging import FACT_COLUMNS, FEED_COLUMNS, all_told, misfit_rows, reader_findings
from trial.document import nearest


@dataclass(frozen=True)
class Part:
    """The rows of one table that one source reads; `source` is None for rows that none reads.

    `shared` are the sources that share the table, if they do: any of them might have told what a
    row without a source, or one that fits no header, tells. `problems`: rows of a table of
    supplements that cannot be used, with their rule; None for any other table.
    """

    raw: RawTable
    source: SourceRule | None
    shared: tuple[SourceRule, ...] = ()
    problems: pl.DataFrame | None = None


def _fits(file: ExportFile, pattern: str) -> bool:
    """A pattern with a slash is about the whole name, one without about its last part.

    Capitals do not matter: Windows does not tell P.CSV from p.csv.
    """
    name = file.name if "/" in pattern else PurePosixPath(file.name).name
    return fnmatchcase(name.casefold(), pattern.casefold())


def _chosen(
    files: tuple[ExportFile, ...], source: SourceRule, mapping: Mapping
) -> list[ExportFile]:
    found = [file for file in files if _fits(file, source.file)]
    if not found:
        hint = nearest(source.file, [file.name for file in files])
        raise LoadError(
            f"no file '{source.file}' for source '{source.code}' of mapping '{mapping.code}' in "
            f"the export. Add it.{hint}"
        )
    return found


def _sheets(file: ExportFile, mapping: Mapping) -> list[str] | None:
    """The tables of a file that the mapping names one by one; None if it does not."""
    named = [s.table for s in mapping.sources if _fits(file, s.file)]
    if None in named or any(set(name or "") & set("*?[") for name in named):
        return None
    return [name for name in dict.fromkeys(named) if name]


def _tables(
    file: ExportFile, source: SourceRule, mapping: Mapping, read: dict[str, list[RawTable]]
) -> list[RawTable]:
    """The tables of a file that a source reads."""
    if file.name not in read:
        read[file.name] = read_file(file, _sheets(file, mapping))
    tables = read[file.name]
    if source.table is None and len(tables) == 1:
        return tables
    names = [table.name for table in tables]
    if source.table is None:
        raise LoadError(
            f"{file.name}: holds {len(tables)} tables, and source '{source.code}' does not say "
            f'which: table = "...".{nearest("", names)}'
        )
    found = [table for table in tables if fnmatchcase(table.name, source.table)]
    if not found:
        raise LoadError(
            f"{file.name}: no table '{source.table}' for source '{source.code}'."
            f"{nearest(source.table, names)}"
        )
    return found


def _supplemented(
    raw: RawTable, source: SourceRule, files: tuple[ExportFile, ...], mapping: Mapping
) -> tuple[RawTable, list[Part]]:
    """A table with the columns of its supplement, and the account of the supplement's rows."""
    if source.supplement is None:
        return raw, []
    found = _chosen(files, replace(source, file=source.supplement), mapping)
    tables = [table for file in found for table in read_file(file)]
    if len(tables) != 1:
        raise LoadError(f"'{source.supplement}' of source '{source.code}' is not one table.")
    joined, problems = with_supplement(raw, tables[0])
    return joined, [Part(tables[0], None, (source,), problems)]


def _takes(raw: RawTable, source: SourceRule) -> RawTable:
    """The rows of a table that are a source's."""
    if not source.where:
        return raw
    lacking = {c.column for c in source.where} - {
        *raw.columns,
        *(n.name for n in source.new_columns),
    }
    if lacking:
        column = sorted(lacking)[0]
        raise LoadError(
            f"{raw.title}: 'where' of source '{source.code}' names column '{column}', but the "
            f"file has no such column.{nearest(column, list(raw.columns))}"
        )
    columns = [c.column for c in source.where] + [c for n in source.new_columns for c in n.sources]
    met = trimmed(raw.rows, dict.fromkeys(columns), source).filter(matching(source.where))
    return replace(raw, rows=raw.rows.join(met.select(ROW), on=ROW, how="semi"))


def _split(raw: RawTable, sources: list[SourceRule]) -> list[Part]:
    """One part a source, and one for the rows that none of them takes."""
    if len(sources) == 1 and not sources[0].where:
        return [Part(raw, sources[0])]
    shared = tuple(sources)
    # A row that fits no header, or is no data, belongs to the table: it is counted once.
    bare = replace(raw, misfits=(), aside=(), repairs=raw.repairs.clear())
    parts = [Part(_takes(bare, source), source, shared) for source in sources]
    taken = pl.concat([part.raw.rows.select(ROW) for part in parts])
    twice = taken.filter(taken[ROW].is_duplicated())
    if twice.height:
        names = ", ".join(f"'{source.code}'" for source in sources)
        raise LoadError(
            f"{raw.title} row {twice[ROW].min()}: more than one of the sources {names} takes it, "
            f"and {twice[ROW].n_unique() - 1} rows more. A row is one source's: change a 'where'."
        )
    rest = replace(raw, rows=raw.rows.join(taken, on=ROW, how="anti"))
    is_empty = not (rest.rows.height or rest.misfits or rest.aside or rest.repairs.height)
    return parts if is_empty else [*parts, Part(rest, None, shared)]


def _for_one_file(export: Export, mapping: Mapping) -> Mapping:
    """A mapping of one file reads the one file that was named by hand, whatever its name."""
    patterns = list(dict.fromkeys(source.file for source in mapping.sources))
    if len(export.files) != 1 or _fits(export.files[0], patterns[0]):
        return mapping
    name = export.files[0].name
    if len(patterns) > 1:
        raise LoadError(
            f"{name}: mapping '{mapping.code}' reads {', '.join(patterns)}. Give the folder that "
            "holds them."
        )
    sources = tuple(replace(source, file=escape(name)) for source in mapping.sources)
    return replace(mapping, sources=sources)


def assigned(
    export: Export, mapping: Mapping, is_one_file: bool = False
) -> tuple[list[Part], list[str]]:
    """The parts of an export by the sources of the mapping, and the names of what none reads.

    `is_one_file`: the export is one file, named by hand: its name does not matter then. Raises
    LoadError for a source without a file or table, or a file that cannot be read.
    """
    mapping = _for_one_file(export, mapping) if is_one_file else mapping
    read: dict[str, list[RawTable]] = {}
    by_table: dict[tuple[str, str, str | None], tuple[RawTable, list[SourceRule]]] = {}
    for source in mapping.sources:
        for file in _chosen(export.files, source, mapping):
            for raw in _tables(file, source, mapping, read):
                key = (raw.file, raw.name, source.supplement)
                by_table.setdefault(key, (raw, []))[1].append(source)
    parts = list(_parts(by_table, export, mapping))
    names = {part.raw.file for part in parts}
    unread = [file.name for file in export.files if file.name not in names]
    tables = {part.raw.title for part in parts}
    unread += [t.title for found in read.values() for t in found if t.title not in tables]
    return parts, [*unread, *(f"{r.name} ({r.reason})" for r in export.refused)]


def _parts(by_table: dict, export: Export, mapping: Mapping) -> Iterator[Part]:
    for raw, sources in by_table.values():
        whole = [source for source in sources if not source.where]
        if len(whole) > 1 or (whole and len(sources) > 1):
            names = ", ".join(f"'{source.code}'" for source in sources)
            raise LoadError(
                f"{raw.title}: read by sources {names}. Say which rows are whose: where."
            )
        joined, accounts = _supplemented(raw, sources[0], export.files, mapping)
        yield from _split(joined, sources)
        yield from accounts


@dataclass(frozen=True)
class Beside:
    """What is to be said of rows that no source reads: findings, and what they might have told."""

    findings: pl.DataFrame
    feeds: pl.DataFrame


def beside(part: Part, number: int) -> Beside:
    """The account of a part without a source: rows that none takes, or a table of supplements."""
    findings = reader_findings(part.raw, number)
    if part.problems is None:
        rows = part.raw.rows.with_columns(pl.lit(number, pl.Int32).alias(FILE))
        message = "No source of the mapping is for such a row. Add one, or exclude it there."
        findings.append(found(rows, "row_matches_no_source", "error", message))
    else:
        for rule, message in SUPPLEMENT_RULES.items():
            rows = part.problems.filter(pl.col("rule") == rule)
            rows = rows.with_columns(pl.lit(number, pl.Int32).alias(FILE))
            findings.append(found(rows, rule, "error", message + " Correct the export."))
    told = [all_told(_named_rows(part.raw, source, number), source) for source in part.shared]
    feeds = [pl.DataFrame(schema=FEED_COLUMNS), *told]
    return Beside(pl.concat(findings), pl.concat(feeds).unique(maintain_order=True))


def _named_rows(raw: RawTable, source: SourceRule, number: int) -> pl.DataFrame:
    """The rows that name an enrollment: file, row, enrollment_id."""
    if source.enrollment_id not in raw.columns:
        return pl.DataFrame(schema=FACT_COLUMNS)
    rows = raw.rows.select(
        pl.lit(number, pl.Int32).alias(FILE),
        ROW,
        pl.col(source.enrollment_id).str.strip_chars().alias("enrollment_id"),
    )
    named = pl.concat([rows, misfit_rows(raw, number, source)])
    return named.filter(pl.col("enrollment_id") != "")
