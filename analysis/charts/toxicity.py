"""Toxicity: rates by term as rows of dots, and block by category as a heat map."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.axes import amount_difference_values, amount_values, day_values
from analysis.charts.cells import Cell, DifferenceCell
from analysis.charts.dots import BARS, DENSE, differences, dot_chart, layout, proportions
from analysis.charts.labels import LETTER, label_expr
from analysis.charts.layers import layered
from analysis.charts.response import percent_values, point_values
from analysis.charts.rows import Row

CELL_HEIGHT = 34
LABEL_HEIGHT = 18
BENEATH_HEIGHT = 20
ROW_GAP = 6
# A plot on a phone; the blocks share it. EDGE: of a block's share, left and right of a cell.
PHONE = 335
EDGE = 0.02
# Names of blocks too long for that are slanted; pixels they rise for one along their length.
SLANT, SLANT_RISE = -55, 0.82
# n/N is smaller where there are many blocks.
MANY_BLOCKS = 8
WORD_LINE = 11
# From the top of a cell to the middle of its percentage, and of n/N below that.
PERCENT_LINE, COUNTED_LINE = 11, 25
UNKNOWN = "!isValid(datum.estimate)"
# Lines over a cell without numbers: from and to, in the unit square.
HATCHES = ((0.0, 0.5, 0.5, 0.0), (0.0, 1.0, 1.0, 0.0), (0.5, 1.0, 1.0, 0.5))


def rates(rows: Sequence[Row], axis_title: str, *, is_rate: bool = False) -> alt.LayerChart:
    """Terms or categories as rows, in the order given: a dot with its interval a cohort.

    Pinned rows come first and are set off. Rows with `indent` stand under the row before; then
    those without are bold. Words in place of an estimate stand among the numbers if they are short
    (`dots.MOST_LETTERS`), else in place of the dot. With `is_rate` the rows hold amounts (events
    per course, days of grade) on an axis from 0 as far as any limit reaches; else shares of
    patients, on 0 to 100 %. Raises ValueError if no row has a proportion, for a pinned row after
    one that is not, and for an amount below 0.
    """
    values = amount_values(rows, axis_title) if is_rate else percent_values(axis_title)
    return dot_chart(rows, layout(rows, DENSE), proportions(rows), values)


def rate_differences(
    rows: Sequence[Row],
    axis_title: str,
    sides: tuple[str, str] | None = None,
    *,
    is_rate: bool = False,
) -> alt.LayerChart:
    """The differences of the same rows, with the row step of `rates`.

    `sides`: what lies left and right of zero. Raises ValueError if no row has a difference.
    """
    make = amount_difference_values if is_rate else point_values
    values = make(rows, axis_title, sides)
    return dot_chart(rows, layout(rows, DENSE), differences(rows), values)


def rates_height(rows: Sequence[Row]) -> int:
    """Pixels of either picture."""
    return layout(rows, DENSE).page_height


def spans(rows: Sequence[Row], axis_title: str, *, first_day: int = 0) -> alt.LayerChart:
    """Days by row (onset, duration): a bar from quartile to quartile a cohort, a dot at the median.

    Rows hold `Quartiles`. `first_day` is where the axis begins and its weeks are counted from: 1
    where day 1 is the first day of a course. Raises ValueError if no row has any, and for a day
    before the first.
    """
    values = day_values(rows, axis_title, first_day)
    return dot_chart(rows, layout(rows, BARS), proportions(rows), values)


def spans_height(rows: Sequence[Row]) -> int:
    """Pixels of that picture."""
    return layout(rows, BARS).page_height


@dataclass(frozen=True)
class HeatMap:
    """One cohort's blocks (columns) and categories (rows), both in the order they are drawn.

    A block and category without a cell stay empty: the block is not part of the protocol. Give all
    cohorts the same blocks and categories, and their panels match. `beneath`: a short text under
    the name of each block (its days at risk), introduced by `beneath_label`. Raises ValueError
    without a cell, for a cell of an unknown block or category, for two cells in one place, and
    unless each block has its text beneath or none has.
    """

    cohort: str
    role: int
    blocks: tuple[str, ...]
    categories: tuple[str, ...]
    cells: tuple[Cell, ...] | tuple[DifferenceCell, ...]
    beneath: tuple[str, ...] = ()
    beneath_label: str = ""

    def __post_init__(self) -> None:
        """Refuse what has no place of its own."""
        if not self.cells:
            raise ValueError("no cells")
        places = [(cell.block, cell.category) for cell in self.cells]
        for block, category in places:
            if block not in self.blocks or category not in self.categories:
                raise ValueError(f"no place for {block}, {category}")
        if len(set(places)) < len(places):
            raise ValueError("two cells in one place")
        if self.beneath and len(self.beneath) != len(self.blocks):
            raise ValueError(f"{len(self.beneath)} texts beneath {len(self.blocks)} blocks")

    @property
    def beneath_height(self) -> int:
        """Pixels of the texts under the blocks' names; empty ones too, so that panels match."""
        if not self.beneath:
            return 0
        return BENEATH_HEIGHT + (LABEL_HEIGHT if self.beneath_label else 0)


@dataclass(frozen=True)
class _Shades:
    """What the estimates are coloured by, and where the text on them is white."""

    scale: alt.Scale
    is_dark: str
    has_two_lines: bool


def _top(shown: HeatMap, position: int) -> float:
    """The first pixel of a category: its label, then its cells."""
    return float(shown.beneath_height + position * (LABEL_HEIGHT + CELL_HEIGHT + ROW_GAP))


def _plot_height(shown: HeatMap) -> int:
    return int(_top(shown, len(shown.categories)))


def _column(shown: HeatMap) -> float:
    """Pixels that a phone gives a block."""
    return PHONE / len(shown.blocks)


def _is_slanted(shown: HeatMap) -> bool:
    return max(len(block) for block in shown.blocks) * LETTER > _column(shown)


def heat_map_height(shown: HeatMap) -> int:
    """Pixels of the whole picture: the cohort's name, the blocks' names, the rows."""
    longest = max(len(block) for block in shown.blocks) * LETTER
    return _plot_height(shown) + 42 + (round(longest * SLANT_RISE) if _is_slanted(shown) else 16)


def _block_axis(shown: HeatMap) -> alt.Axis:
    names = {k + 0.5: [block] for k, block in enumerate(shown.blocks)}
    slanted = _is_slanted(shown)
    return alt.Axis(
        orient="top",
        values=list(names),
        labelExpr=label_expr(names, 1),
        labelAngle=SLANT if slanted else 0,
        labelAlign="left" if slanted else "center",
        labelFontSize=12,
        labelLimit=0,
        labelOverlap=False,
        labelPadding=4,
        labelFlush=False,
        domain=False,
        ticks=False,
        grid=False,
        title=shown.cohort,
        titleColor=palette.colour(shown.role),
        titleFontSize=12,
        titleFontWeight="bold",
        titleAnchor="start",
        titleAlign="left",
        titlePadding=6,
    )


def _category_axis(shown: HeatMap) -> alt.Axis:
    names = {_top(shown, k): [category] for k, category in enumerate(shown.categories)}
    names |= {0.0: [shown.beneath_label]} if shown.beneath_height and shown.beneath_label else {}
    return alt.Axis(
        values=list(names),
        labelExpr=label_expr(names, 1),
        labelAlign="left",
        labelBaseline="top",
        labelFontSize=12,
        labelLimit=PHONE,
        labelOverlap=False,
        labelPadding=0,
        labelFlush=False,
        labelOffset=2,
        domain=False,
        ticks=False,
        grid=False,
        minExtent=0,
        title=None,
        zindex=1,
    )


def _cell_frame(shown: HeatMap, shades: "_Shades") -> pl.DataFrame:
    """One row a cell: its edges and middle, what stands in it and where, what it says.

    With an estimate it says percent over n/N (`below`), else n/N or words in its middle.
    """
    rows = []
    for cell in shown.cells:
        x, y = shown.blocks.index(cell.block), _top(shown, shown.categories.index(cell.category))
        y, is_known = y + LABEL_HEIGHT, cell.estimate is not None
        words = [cell.counted] if is_known else cell.words
        middle = y + CELL_HEIGHT / 2 - (len(words) - 1) * WORD_LINE / 2
        rows.append(
            {
                "x": x + EDGE,
                "x2": x + 1 - EDGE,
                "middle": x + 0.5,
                "y": y,
                "y2": y + CELL_HEIGHT,
                "percent_y": y + (PERCENT_LINE if shades.has_two_lines else CELL_HEIGHT / 2),
                "below_y": y + COUNTED_LINE if is_known else middle,
                "percent": cell.value if is_known else "",
                "below": "\n".join(words),
                "told": cell.told,
                "place": f"{cell.category}, {cell.block}",
                "estimate": cell.estimate,
                "is_hatched": cell.is_hatched and not is_known,
            }
        )
    numbers = ("x", "x2", "middle", "y", "y2", "percent_y", "below_y", "estimate")
    texts = ("percent", "below", "told", "place")
    schema = {name: pl.Float64() for name in numbers} | {name: pl.String() for name in texts}
    return pl.DataFrame(rows, schema=schema | {"is_hatched": pl.Boolean()})


@dataclass(frozen=True)
class _Axes:
    """What the layers share; the last three are x and y once more, for texts.

    The first layer alone writes the axis of the rows. That of the blocks stands in every layer, or
    Vega-Lite would leave names out where they are close.
    """

    x: alt.X
    y: alt.Y
    middle: alt.X
    percent_y: alt.Y
    below_y: alt.Y


def _axes(shown: HeatMap, has_axis: bool = False) -> _Axes:
    down = alt.Scale(domain=[0, _plot_height(shown)], reverse=True, nice=False, zero=False)
    across = alt.Scale(domain=[0, len(shown.blocks)], nice=False, zero=False)
    blocks, rows = _block_axis(shown), _category_axis(shown) if has_axis else alt.Undefined
    return _Axes(
        x=alt.X("x:Q", scale=across, axis=blocks),
        y=alt.Y("y:Q", scale=down, axis=rows),
        middle=alt.X("middle:Q", scale=across, axis=blocks),
        percent_y=alt.Y("percent_y:Q", scale=down),
        below_y=alt.Y("below_y:Q", scale=down),
    )


def heat_map(shown: HeatMap, *, highest: float = 1.0) -> alt.LayerChart:
    """One cohort's panel: the darker, the more frequent; every cell says percent and n/N.

    `highest` is the proportion of the darkest colour, above 0; give all panels the same.
    """
    _refuse_others(shown, Cell)
    if not 0 < highest <= 1:
        raise ValueError(f"the highest proportion is above 0 and at most 1, not {highest}")
    scale = alt.Scale(domain=[0, highest], range=list(palette.HEAT), clamp=True)
    is_dark = f"datum.estimate >= {palette.HEAT_WHITE_ABOVE * highest!r}"
    return _panel(shown, _Shades(scale, is_dark, has_two_lines=True))


def difference_map(shown: HeatMap, *, furthest: float = 0.5) -> alt.LayerChart:
    """One cohort less another, in points: blue where it has fewer, brown where it has more.

    Its cells are `DifferenceCell`s. `furthest` is the difference of the darkest colours on both
    sides, above 0 and at most 1; what lies beyond has them too.
    """
    _refuse_others(shown, DifferenceCell)
    if not 0 < furthest <= 1:
        raise ValueError(f"the furthest difference is above 0 and at most 1, not {furthest}")
    scale = alt.Scale(
        domain=[-furthest, 0, furthest],
        range=list(palette.DIVERGING),
        clamp=True,
        interpolate="rgb",
    )
    is_dark = f"abs(datum.estimate) >= {palette.DIVERGING_WHITE_ABOVE * furthest!r}"
    return _panel(shown, _Shades(scale, is_dark, has_two_lines=False))


def _refuse_others(shown: HeatMap, kind: type) -> None:
    """Raise ValueError for a cell that the panel's colours do not mean."""
    if any(not isinstance(cell, kind) for cell in shown.cells):
        raise ValueError(f"{shown.cohort}: cells that are no {kind.__name__}")


def _panel(shown: HeatMap, shades: _Shades) -> alt.LayerChart:
    axes, frame = _axes(shown), _cell_frame(shown, shades)
    layers = [
        _cells(shown, frame, _axes(shown, has_axis=True), shades),
        *_hatches(shown, frame, axes),
    ]
    layers += [*_cell_texts(shown, frame, axes, shades), *_beneath(shown, axes)]
    return layered(layers, _plot_height(shown))


def _told(shown: HeatMap) -> list[alt.Tooltip]:
    # The tooltip puts what is called `title` above all else.
    return [alt.Tooltip("place:N", title="title"), alt.Tooltip("told:N", title=shown.cohort)]


def _cells(shown: HeatMap, frame: pl.DataFrame, axes: _Axes, shades: _Shades) -> alt.Chart:
    """Coloured by the estimate; without one pale grey."""
    unknown = {"test": UNKNOWN, "value": palette.NEUTRAL}
    pale = alt.OpacityValue(1, condition={"test": UNKNOWN, "value": 0.12})
    colour = alt.Color("estimate:Q", scale=shades.scale, legend=None, condition=unknown)
    told = _told(shown)
    return (
        alt.Chart(frame)
        .mark_rect(invalid="show")
        .encode(
            x=axes.x,
            x2=alt.X2("x2:Q"),
            y=axes.y,
            y2=alt.Y2("y2:Q"),
            color=colour,
            opacity=pale,
            tooltip=told,
        )
    )


def _hatches(shown: HeatMap, frame: pl.DataFrame, axes: _Axes) -> list[alt.Chart]:
    """Lines over cells that have no number, or no comparison, at all."""
    bare = frame.filter(pl.col("is_hatched"))
    lines = [
        {
            "x": x + (x2 - x) * from_x,
            "x2": x + (x2 - x) * to_x,
            "y": y + CELL_HEIGHT * from_y,
            "y2": y + CELL_HEIGHT * to_y,
            "place": place,
            "told": told,
        }
        for x, x2, y, place, told in bare.select("x", "x2", "y", "place", "told").iter_rows()
        for from_x, from_y, to_x, to_y in HATCHES
    ]
    if not lines:
        return []
    schema = {name: pl.Float64() for name in ("x", "x2", "y", "y2")}
    schema |= {name: pl.String() for name in ("place", "told")}
    hatch = alt.Chart(pl.DataFrame(lines, schema=schema))
    hatch = hatch.mark_rule(color=palette.NEUTRAL, opacity=0.4, strokeWidth=1)
    return [
        hatch.encode(x=axes.x, x2=alt.X2("x2:Q"), y=axes.y, y2=alt.Y2("y2:Q"), tooltip=_told(shown))
    ]


def _cell_texts(
    shown: HeatMap, frame: pl.DataFrame, axes: _Axes, shades: _Shades
) -> list[alt.Chart]:
    """Percent over n/N, dark on light and white on dark; of an unknown cell n/N or its words."""
    dark, white = palette.HEAT_TEXT
    grey = {"test": UNKNOWN, "value": palette.NEUTRAL}
    colour = alt.ColorValue(dark, condition=[grey, {"test": shades.is_dark, "value": white}])
    texts = alt.Chart(frame).encode(x=axes.middle, color=colour, tooltip=_told(shown))
    percent = texts.mark_text(fontSize=12, fontWeight="bold", baseline="middle")
    below = texts.mark_text(
        fontSize=9 if len(shown.blocks) > MANY_BLOCKS else 10,
        baseline="middle",
        lineBreak="\n",
        lineHeight=WORD_LINE,
        # A word too long for its cell is cut, not written over the neighbour's numbers.
        limit={"expr": f"width / {len(shown.blocks)} - 2"},
    )
    return [
        percent.encode(y=axes.percent_y, text=alt.Text("percent:N")),
        below.encode(y=axes.below_y, text=alt.Text("below:N")),
    ]


def _beneath(shown: HeatMap, axes: _Axes) -> list[alt.Chart]:
    """The texts under the blocks' names, if there are any."""
    if not shown.beneath_height:
        return []
    frame = pl.DataFrame(
        {
            "middle": [k + 0.5 for k in range(len(shown.blocks))],
            "y": [float(shown.beneath_height - BENEATH_HEIGHT)] * len(shown.blocks),
            "text": list(shown.beneath),
        }
    )
    texts = alt.Chart(frame).mark_text(
        fontSize=11, baseline="top", dy=2, color=palette.NEUTRAL, fontWeight="bold"
    )
    return [
        texts.encode(
            x=axes.middle, y=axes.y, text=alt.Text("text:N"), tooltip=alt.TooltipValue(None)
        )
    ]
