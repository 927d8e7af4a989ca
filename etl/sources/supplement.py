"""SDTM supplemental qualifiers (SUPP--): a row each, for a value that the domain has no column for.

A row says which record of the parent domain it belongs to (RDOMAIN, USUBJID, and IDVAR with
IDVARVAL, or the patient alone if IDVAR is blank), the name of the value (QNAM, QLABEL) and the
value (QVAL). Joined, each QNAM is one more column of the parent.

Convention: CDISC SDTM Implementation Guide, section 8.4. Keys are compared without outer spaces,
and numbers as numbers ('1', '1.0'); a number with leading zeros is a text ('01' is not '1').
"""

from dataclasses import dataclass, replace

import polars as pl

from etl.errors import LoadError
from etl.sources.raw import ROW, RawTable

# Why a row of a supplement is not joined.
SUPPLEMENT_RULES = {
    "supplement_without_parent": "No record of the domain has the key of this supplement row.",
    "supplement_conflict": "Another supplement row gives the same record another value.",
    "supplement_without_name": "The supplement row does not name its value (QNAM).",
}
NEEDED = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
MAX_NAMES = 1000
PARENT = "_parent_row"


def _as_key(column: str) -> pl.Expr:
    """The text of a key, one for all ways to write a number."""
    text = pl.col(column).str.strip_chars()
    is_decimal = text.str.contains(r"^-?(0|[1-9][0-9]*)\.[0-9]*$")
    plain = text.str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.when(is_decimal).then(plain).otherwise(text)


@dataclass(frozen=True)
class _Keys:
    """Which columns say the same in supplement and parent, beside the variable of IDVAR."""

    supplement: tuple[str, ...]
    parent: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The columns of the key in the frames of this module."""
        return [*(f"_{column}" for column in self.parent), "_value"]

    @property
    def fact(self) -> list[str]:
        """What names one value of one record: its key and its QNAM."""
        return ["IDVAR", *self.names, "QNAM"]

    def of(self, columns: tuple[str, ...], value: pl.Expr) -> list[pl.Expr]:
        """The columns of the key out of `columns` and the value of the variable."""
        keys = [*(_as_key(column) for column in columns), value]
        return [key.alias(name) for key, name in zip(keys, self.names, strict=True)]


def _keys(parent: RawTable, supplement: RawTable) -> _Keys:
    """USUBJID, and study and domain where both tables say them."""
    pairs = (("USUBJID", "USUBJID"), ("STUDYID", "STUDYID"), ("RDOMAIN", "DOMAIN"))
    both = [p for p in pairs if p[0] in supplement.columns and p[1] in parent.columns]
    return _Keys(tuple(pair[0] for pair in both), tuple(pair[1] for pair in both))


def _said(supplement: RawTable, keys: _Keys) -> pl.DataFrame:
    """One row per supplement row: its key, name and value."""
    return supplement.rows.select(
        ROW,
        *keys.of(keys.supplement, _as_key("IDVARVAL")),
        pl.col("IDVAR").str.strip_chars(),
        pl.col("QNAM").str.strip_chars(),
        "QVAL",
    )


def _records(parent: RawTable, keys: _Keys, id_variable: str) -> pl.DataFrame:
    """One row per parent row that has a key, by a variable or (if '') by the patient alone."""
    value = _as_key(id_variable) if id_variable else pl.lit("")
    records = parent.rows.select(pl.col(ROW).alias(PARENT), *keys.of(keys.parent, value))
    has_value = pl.col("_value") != "" if id_variable else True
    return records.filter(pl.col("_USUBJID") != "", has_value)


def _links(parent: RawTable, said: pl.DataFrame, keys: _Keys) -> pl.DataFrame:
    """One row per parent row, key and QNAM: the first and the last value said under the key.

    However many values are said under one key, the first and the last tell whether they differ,
    and the join stays as small as the parent.
    """
    values = (pl.col("QVAL").min().alias("low"), pl.col("QVAL").max().alias("high"))
    facts = said.group_by(keys.fact).agg(values)
    used = set(said["IDVAR"].unique())
    linked = [facts.clear().with_columns(pl.lit(None, pl.Int64).alias(PARENT))]
    for id_variable in ("", *parent.columns):
        if id_variable in used:
            by_variable = facts.filter(pl.col("IDVAR") == id_variable)
            records = _records(parent, keys, id_variable)
            linked.append(by_variable.join(records, on=keys.names))
    return pl.concat(linked)


def _conflicts(links: pl.DataFrame, keys: _Keys) -> pl.DataFrame:
    """The keys and names by which some parent row gets two different values."""
    spread = links.group_by(PARENT, "QNAM").agg(pl.col("low").min(), pl.col("high").max())
    torn = spread.filter(pl.col("low") != pl.col("high"))
    return links.join(torn, on=[PARENT, "QNAM"], how="semi").select(keys.fact).unique()


def _names(parent: RawTable, supplement: RawTable, said: pl.DataFrame) -> tuple[str, ...]:
    """The new columns, in the order they are first said; LoadError if they cannot be columns."""
    names = tuple(said["QNAM"].unique(maintain_order=True))
    taken = sorted(set(names) & {*parent.columns, ROW, PARENT})
    if taken:
        raise LoadError(
            f"{supplement.title}: {', '.join(taken[:5])} (QNAM) is a column of {parent.title} "
            "already. Rename it in the supplement."
        )
    if len(names) > MAX_NAMES:
        raise LoadError(
            f"{supplement.title}: {len(names)} different QNAM, at most {MAX_NAMES} can be joined. "
            "Check that QNAM holds names and not values."
        )
    return names


def _labels(supplement: RawTable, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The first label (QLABEL) said of each name."""
    if "QLABEL" not in supplement.columns:
        return ()
    said = supplement.rows.select(pl.col("QNAM").str.strip_chars(), "QLABEL")
    first = said.filter(pl.col("QLABEL") != "").unique("QNAM", keep="first")
    labels = dict(first.iter_rows())
    return tuple((name, labels[name]) for name in names if name in labels)


def _joined(parent: RawTable, values: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """The parent's rows with a column more for each name; '' where nothing is said."""
    rows = parent.rows
    for name in names:
        one = values.filter(pl.col("QNAM") == name).select(pl.col(PARENT), name=pl.col("low"))
        one = one.unique(PARENT).rename({PARENT: ROW, "name": name})
        rows = rows.join(one, on=ROW, how="left", maintain_order="left")
    filled = [pl.col(name).fill_null("") for name in names]
    return rows.with_columns(filled).select(*parent.columns, *names, ROW)


def _left_out(rows: pl.DataFrame, rule: str) -> pl.DataFrame:
    return rows.select(ROW, pl.lit(rule).alias("rule"))


def with_supplement(parent: RawTable, supplement: RawTable) -> tuple[RawTable, pl.DataFrame]:
    """The parent with a column for each QNAM, and the rows of the supplement left out of it.

    The second is one row per row left out: its number in the supplement and the rule, of
    `SUPPLEMENT_RULES`. All rows that give one record different values are left out, and so is the
    whole of a row that does so for one of its records. The same value twice is one value. A record
    of which nothing is said has ''. What the reader put beside the rows of the supplement (misfits,
    rows set aside, repairs) stays in the supplement. Raises LoadError if a column of the key is
    missing, or a QNAM is a column of the parent already.
    """
    for table, needed in ((parent, ("USUBJID",)), (supplement, NEEDED)):
        missing = [column for column in needed if column not in table.columns]
        if missing:
            raise LoadError(
                f"{table.title}: no column {', '.join(missing)}, which a supplement is joined by. "
                "Export it again."
            )
    keys = _keys(parent, supplement)
    said = _said(supplement, keys)
    named = said.filter(pl.col("QNAM") != "")
    names = _names(parent, supplement, named)
    links = _links(parent, named, keys)
    torn = _conflicts(links, keys)
    left_out = pl.concat(
        [
            _left_out(said.filter(pl.col("QNAM") == ""), "supplement_without_name"),
            _left_out(named.join(links, on=keys.fact, how="anti"), "supplement_without_parent"),
            _left_out(named.join(torn, on=keys.fact, how="semi"), "supplement_conflict"),
        ]
    )
    rows = _joined(parent, links.join(torn, on=keys.fact, how="anti"), names)
    whole = replace(
        parent,
        columns=(*parent.columns, *names),
        rows=rows,
        labels=(*parent.labels, *_labels(supplement, names)),
        form=f"{parent.form}, with {supplement.title}",
    )
    return whole, left_out.sort(ROW)
