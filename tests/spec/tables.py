"""Little tables as text, so that a clinician can read a test: one row a line, '-' for nothing."""

import polars as pl


def rows(text: str) -> list[dict[str, str | None]]:
    """A text table with a header as dictionaries; columns are separated by '|' or by spaces."""
    lines = [line.strip() for line in text.strip().splitlines()]
    split = [[c.strip() for c in (x.split("|") if "|" in x else x.split())] for x in lines]
    header, *body = split
    assert all(len(row) == len(header) for row in body), "a row of the table does not fit"
    return [dict(zip(header, (None if c == "-" else c for c in r), strict=True)) for r in body]


def frame(text: str, **types: type[pl.DataType]) -> pl.DataFrame:
    """A text table as a frame; columns are text unless a type is given."""
    found = pl.DataFrame(rows(text), infer_schema_length=None)
    return found.cast({name: kind() for name, kind in types.items()})
