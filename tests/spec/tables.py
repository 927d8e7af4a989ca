"""Little tables as text, so that a clinician can read a test: one row a line."""


def rows(text: str) -> list[dict[str, str]]:
    """A text table with a header as dictionaries; columns are separated by '|' or by spaces."""
    lines = [line.strip() for line in text.strip().splitlines()]
    split = [[c.strip() for c in (x.split("|") if "|" in x else x.split())] for x in lines]
    header, *body = split
    assert all(len(row) == len(header) for row in body), "a row of the table does not fit"
    return [dict(zip(header, r, strict=True)) for r in body]
