"""The table under a time axis: at risk, events, censored, one block a cohort.

It is not a second chart beside the first: each block's rows are the labels of one more x axis of
the same view. So its columns stand under their ticks at any width, on a phone too, and the layout
reserves their room by itself.
"""

from dataclasses import dataclass

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.labels import label_expr

ROW_HEIGHT = 16
FIRST_ROW = 52
BLOCK_GAP = 6


@dataclass(frozen=True)
class AtRiskColumn:
    """What stands under the tick of one time, in the order of the block's names."""

    time_days: float
    counts: tuple[str, ...]


@dataclass(frozen=True)
class AtRiskBlock:
    """One cohort's lines of the table.

    `names` are the words left of the lines: short, for they take their width from the plot on a
    phone (ten letters are good). `role` picks the colour. A count is a text, so that a withheld
    one can say so.
    """

    label: str
    role: int
    names: tuple[str, ...]
    columns: tuple[AtRiskColumn, ...]

    def __post_init__(self) -> None:
        """Refuse a column that does not have one count a name."""
        if any(len(column.counts) != len(self.names) for column in self.columns):
            raise ValueError(f"{self.label}: a column needs {len(self.names)} counts")

    @property
    def height(self) -> int:
        """Pixels: the cohort's name, its lines, a gap."""
        return (1 + len(self.names)) * ROW_HEIGHT + BLOCK_GAP


def table_height(blocks: tuple[AtRiskBlock, ...]) -> int:
    """Pixels under the plot: its own axis with the title, then the blocks."""
    return FIRST_ROW + sum(block.height for block in blocks) + 14


def _offsets(blocks: tuple[AtRiskBlock, ...]) -> list[int]:
    return [FIRST_ROW + sum(b.height for b in blocks[:k]) for k in range(len(blocks))]


def _counts_axis(block: AtRiskBlock, offset: int, unit_days: float) -> alt.Axis:
    """A block's lines of labels under each tick, its names left of them."""
    colour = palette.colour(block.role)
    times = {column.time_days / unit_days: column.counts for column in block.columns}
    return alt.Axis(
        orient="bottom",
        offset=offset + ROW_HEIGHT,
        values=list(times),
        labelExpr=label_expr(times, 4),
        labelColor=colour,
        labelFontSize=12,
        labelLineHeight=ROW_HEIGHT,
        labelOverlap=False,
        labelFlush=False,
        labelPadding=0,
        labelLimit=0,
        domain=False,
        ticks=False,
        grid=False,
        title=list(block.names),
        titleColor=colour,
        titleFontSize=12,
        titleFontWeight="normal",
        titleLineHeight=ROW_HEIGHT,
        titleAlign="right",
        titleAnchor="start",
        titleBaseline="top",
        titleX=-18,
        titleY=0,
    )


def _name_axis(block: AtRiskBlock, offset: int) -> alt.Axis:
    """The cohort's name above its block, as the title of an axis without labels."""
    return alt.Axis(
        orient="bottom",
        offset=offset,
        labels=False,
        domain=False,
        ticks=False,
        grid=False,
        title=block.label,
        titleColor=palette.colour(block.role),
        titleFontSize=12,
        titleFontWeight="bold",
        titleAlign="left",
        titleAnchor="start",
        titleBaseline="top",
        titleX=0,
        titleY=0,
    )


def table_layers(
    blocks: tuple[AtRiskBlock, ...], unit_days: float, scale: alt.Scale
) -> list[alt.Chart]:
    """Invisible marks that carry the axes of the table; `scale` is that of the time axis."""
    nothing = pl.DataFrame({"time": [0.0]})
    layers = []
    for block, offset in zip(blocks, _offsets(blocks), strict=True):
        for axis in (_name_axis(block, offset), _counts_axis(block, offset, unit_days)):
            mark = alt.Chart(nothing).mark_point(opacity=0, size=0)
            layers.append(mark.encode(x=alt.X("time:Q", scale=scale, axis=axis)))
    return layers
