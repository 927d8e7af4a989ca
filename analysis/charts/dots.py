"""Rows of dots: a label and its numbers in one line, the cohorts' dots and intervals beneath.

So labels take nothing from the width of the plot, and a phone shows the same picture as a wide
screen. All places on the y axis are pixels from the top, worked out here once: the picture of the
proportions and that of their differences have the same row step and can stand side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.labels import label_expr, wrapped
from analysis.charts.layers import layered
from analysis.charts.row_extras import Place, open_layer, section_layer, small_layer
from analysis.charts.rows import SPACE, Compared, Item, Row

LINE = 15
HEADER_LINE = 18
HEADER_GAP = 8
# The plot on a phone and from where on it is a wide one: labels are wrapped for either, numbers
# take their part of it. The rows have the height that a phone needs.
PHONE = 322
WIDE = 520
NUMBER_LETTER = 6.2
BETWEEN_NUMBERS = 12
# Longer words beside a number would take the room of the labels: they stand in the lane.
MOST_LETTERS = 14
INDENT = 12
# Between the pinned rows and the others, with a thin line in the middle.
SECTION_GAP = 18
# What stands small beside a label: its letters, what parts it from the label, its own line.
SMALL_LETTER = 5.4
BOLD_LETTER = 7.0
BEFORE_SMALL = 6
SMALL_LINE = 12
# Under the plot: ticks and title.
AXIS_HEIGHT = 52
# With more rows the ticks are said once more on top.
MANY_ROWS = 8


@dataclass(frozen=True)
class Style:
    """Pixels from lane to lane and between rows; area of a dot; width of an interval's line.

    `words_in_lane`: the reason why there is no dot stands in the dot's place; else it stands among
    the numbers as far as it is short. Without `has_numbers` they are in the tooltip alone.
    `is_bar`: from end to end is where the values lie, no interval of an estimate.
    """

    lane: float
    gap: float
    dot: float
    stroke: float
    words_in_lane: bool
    has_numbers: bool = True
    is_bar: bool = False


ROOMY = Style(lane=15, gap=16, dot=95, stroke=2, words_in_lane=True)
DENSE = Style(lane=9, gap=10, dot=50, stroke=1.6, words_in_lane=False)
# Many lanes a row: there is no room for a number each.
STRIP = Style(lane=11, gap=10, dot=60, stroke=1.6, words_in_lane=True, has_numbers=False)
BARS = Style(lane=12, gap=10, dot=50, stroke=8, words_in_lane=False, is_bar=True)


@dataclass(frozen=True)
class Values:
    """The x axis: its domain, its ticks and how they are written, its title.

    Of differences `zero_line`, and what lies on either side of it. `overall`: where a dashed line
    stands for everybody together.
    """

    domain: tuple[float, float]
    ticks: tuple[tuple[float, str], ...]
    title: str
    zero_line: bool = False
    sides: str = ""
    overall: float | None = None


@dataclass(frozen=True)
class _Slot:
    """A row's label in lines for a phone and for a wide plot, and its places in pixels.

    From `top` of the label on; `last_line` of it; the lanes from `above` to `below`. `left` of the
    label in pixels; its small text behind the last line or `is_beneath` it.
    """

    narrow: tuple[str, ...]
    wide: tuple[str, ...]
    top: float
    last_line: float
    above: float
    below: float
    left: float = 0.0
    is_beneath: bool = False

    @property
    def drop(self) -> float:
        """On a wide plot the label has fewer lines and moves down to its dots."""
        return (len(self.narrow) - len(self.wide)) * LINE


@dataclass(frozen=True)
class Layout:
    """Where the rows stand: the same for the proportions and for their differences."""

    style: Style
    header: float
    slots: tuple[_Slot, ...]

    @property
    def height(self) -> int:
        """Pixels of the plot."""
        return round(self.slots[-1].below + self.style.gap / 2)

    @property
    def page_height(self) -> int:
        """Pixels of the whole picture."""
        return self.height + AXIS_HEIGHT


Items = Sequence[tuple[int, Item]] | Sequence[tuple[int, Compared]]


def proportions(rows: Sequence[Row]) -> list[tuple[int, Item]]:
    """Every proportion with the position of its row."""
    return [(k, item) for k, row in enumerate(rows) for item in row.proportions]


def differences(rows: Sequence[Row]) -> list[tuple[int, Compared]]:
    """Every difference with the position of its row."""
    return [(k, item) for k, row in enumerate(rows) for item in row.differences]


def _roles(items: Items) -> dict[str, int]:
    """Cohort labels to roles, in order of first appearance."""
    return {item.cohort: item.role for _, item in items}


def _is_in_lane(item: Item | Compared, style: Style) -> bool:
    """Whether there is no dot and the reason stands in its place."""
    if item.estimate is not None or not item.instead:
        return False
    return style.words_in_lane or len(_joined(item.number, item.instead)) > MOST_LETTERS


def _joined(*parts: str) -> str:
    return SPACE.join(part for part in parts if part)


def _number(item: Item | Compared, style: Style) -> str:
    if not style.has_numbers:
        return ""
    is_here = item.estimate is None and not _is_in_lane(item, style)
    words = item.instead if is_here else ""
    return _joined(item.number, words)


def _number_width(items: Items, style: Style) -> float:
    letters = max((len(_number(item, style)) for _, item in items), default=0)
    return letters * NUMBER_LETTER + BETWEEN_NUMBERS


def layout(rows: Sequence[Row], style: Style) -> Layout:
    """Places for the rows.

    Raises ValueError if no row has a proportion or a difference, and for a pinned row after one
    that is not.
    """
    both = (proportions(rows), differences(rows))
    if not both[0] and not both[1]:
        raise ValueError("no row has a proportion or a difference")
    taken = max(_number_width(items, style) * len(_roles(items)) for items in both)
    header = _header_lines(rows) * HEADER_LINE + HEADER_GAP
    header += LINE + 4 if len(rows) > MANY_ROWS else 0
    lanes = max(len(_roles(items)) for items in both) * style.lane
    has_terms, opens = any(row.indent for row in rows), has_opening(rows)
    first = _first_unpinned(rows)
    slots, y = [], float(header)
    for k, row in enumerate(rows):
        y += style.gap / 2 if has_terms and slots and not row.indent else 0.0
        y += SECTION_GAP if k == first else 0.0
        left = INDENT * (row.indent + (opens and not row.is_pinned))
        slots.append(_slot(row, y, taken, 0.0 if row.is_heading else lanes, left))
        y = slots[-1].below + style.gap
    return Layout(style, header, tuple(slots))


def has_opening(rows: Sequence[Row]) -> bool:
    """Whether a category opens: then all leave room for the mark that says so."""
    return any(row.is_open is not None for row in rows)


def _first_unpinned(rows: Sequence[Row]) -> int | None:
    """The position after the pinned rows; None if there are none, or only such."""
    n_pinned = sum(row.is_pinned for row in rows)
    if any(row.is_pinned for row in rows[n_pinned:]):
        raise ValueError("a pinned row after one that is not")
    return n_pinned if 0 < n_pinned < len(rows) else None


def _header_lines(rows: Sequence[Row]) -> int:
    """One a cohort; for the differences one more, that says which side is which."""
    n_differences = len(_roles(differences(rows)))
    return max(len(_roles(proportions(rows))), n_differences + 1 if n_differences else 0)


def _slot(row: Row, top: float, taken: float, lanes: float, left: float) -> _Slot:
    narrow, wide = (tuple(wrapped(row.label, width - taken - left)) for width in (PHONE, WIDE))
    last_line = top + (len(narrow) - 1) * LINE
    fits = all(
        _small_at(lines[-1], left) + len(row.small) * SMALL_LETTER <= width - taken
        for lines, width in ((narrow, PHONE), (wide, WIDE))
    )
    is_beneath = bool(row.small) and not fits
    above = last_line + LINE + 3 + (SMALL_LINE if is_beneath else 0)
    return _Slot(narrow, wide, top, last_line, above, above + lanes, left, is_beneath)


def _small_at(last_line: str, left: float) -> float:
    """The first pixel of a small text behind a label, which may be bold."""
    return left + len(last_line) * BOLD_LETTER + BEFORE_SMALL


def _lefts(tops: Sequence[float], slots: Sequence[_Slot]) -> Any:
    """The first pixel of every label, as the axis takes it."""
    conditions = []
    for left in sorted({slot.left for slot in slots} - {0.0}):
        at = [top for top, slot in zip(tops, slots, strict=True) if slot.left == left]
        conditions.append({"test": f"indexof({at}, datum.value) >= 0", "value": -left})
    if not conditions:
        return 0
    return {"condition": conditions if len(conditions) > 1 else conditions[0], "value": 0}


def _weights(tops: Sequence[float], rows: Sequence[Row]) -> Any:
    """Categories are bold where there are terms beside them, or rows that open."""
    if not any(row.indent for row in rows) and not has_opening(rows):
        return "normal"
    plain = [
        top
        for top, row in zip(tops, rows, strict=True)
        if row.indent or (row.is_pinned and not row.is_heading)
    ]
    test = f"indexof({plain}, datum.value) >= 0"
    return {"condition": {"test": test, "value": "normal"}, "value": "bold"}


def _row_axis(rows: Sequence[Row], places: Layout) -> alt.Axis:
    """The labels of the rows, inside the plot, from its left edge on."""
    tops = [slot.top for slot in places.slots]
    narrow = label_expr({slot.top: slot.narrow for slot in places.slots}, 1)
    wide = label_expr({slot.top: slot.wide for slot in places.slots}, 1)
    drops = [slot.drop for slot in places.slots]
    return alt.Axis(
        values=tops,
        labelExpr=f"width < {WIDE} ? {narrow} : {wide}",
        labelOffset={"expr": f"width < {WIDE} ? 0 : {drops}[indexof({tops}, datum.value)]"},
        labelAlign="left",
        labelBaseline="top",
        labelFontSize=12,
        labelFontWeight=_weights(tops, rows),
        labelLineHeight=LINE,
        labelLimit=0,
        labelOverlap=False,
        labelPadding=_lefts(tops, places.slots),
        labelFlush=False,
        domain=False,
        ticks=False,
        grid=False,
        minExtent=0,
        title=None,
        zindex=1,
    )


@dataclass(frozen=True)
class _Shared:
    """What the layers share: scales, which the first layer gives their axes, places, cohorts."""

    across: alt.Scale
    down: alt.Scale
    colour: alt.Color
    shape: alt.Shape
    places: Layout
    roles: dict[str, int]

    @cached_property
    def x(self) -> alt.X:
        """Across, without the axis: written in every layer it would be half of the chart."""
        return alt.X("x:Q", scale=self.across)

    @cached_property
    def y(self) -> alt.Y:
        """Down, without the axis."""
        return alt.Y("y:Q", scale=self.down)


def _value_axis(values: Values) -> alt.Axis:
    ticks = {x: [text] for x, text in values.ticks}
    return alt.Axis(
        values=list(ticks),
        labelExpr=label_expr(ticks, 3, start=values.domain[0]),
        labelFontSize=12,
        labelPadding=4,
        labelFlush=False,
        labelOverlap=False,
        grid=False,
        ticks=False,
        domain=False,
        title=values.title,
        titleFontSize=12,
        titleFontWeight="normal",
        titlePadding=6,
    )


def _shared(places: Layout, roles: dict[str, int], values: Values) -> _Shared:
    across = alt.Scale(domain=list(values.domain), nice=False, zero=False)
    down = alt.Scale(domain=[0, places.height], reverse=True, nice=False, zero=False)
    labels = list(roles)
    colours = alt.Scale(domain=labels, range=[palette.colour(role) for role in roles.values()])
    shapes = alt.Scale(domain=labels, range=[palette.shape(role) for role in roles.values()])
    return _Shared(
        across=across,
        down=down,
        colour=alt.Color("cohort:N", scale=colours, legend=None),
        shape=alt.Shape("cohort:N", scale=shapes, legend=None),
        places=places,
        roles=roles,
    )


def dot_chart(rows: Sequence[Row], places: Layout, items: Items, values: Values) -> alt.LayerChart:
    """The picture of the items of the rows. Raises ValueError without an item."""
    if not items:
        raise ValueError("nothing to draw")
    shared = _shared(places, _roles(items), values)
    layers = [_grid(shared, rows, values), _guides(shared, values), *_legend(shared)]
    layers += [_overall(shared, values.overall)] if values.overall is not None else []
    layers += [_intervals(shared, items), _dots(shared, items), *_words(shared, items)]
    layers += [*_numbers(shared, items), *_extras(shared, rows)]
    # The page's theme would give every mark a tooltip of its bare coordinates.
    layers = [layer.encode(tooltip=alt.TooltipValue(None)) for layer in layers]
    layers.append(_hover(shared, rows, items))
    resolve = alt.Resolve(scale={"color": "shared", "shape": "shared"})
    return layered(layers, places.height, resolve=resolve)


def _grid(shared: _Shared, rows: Sequence[Row], values: Values) -> alt.Chart:
    """Own lines, behind the dots alone: none crosses a text. The zero line is stronger.

    The axes of all layers are written here.
    """
    edge = shared.places.style.gap / 3
    frame = pl.DataFrame(
        [
            {"x": x, "y": slot.above - 2, "y2": slot.below + edge, "is_zero": x == 0}
            for slot in shared.places.slots
            if slot.below > slot.above
            for x, _ in values.ticks
        ]
    )
    test = "datum.is_zero" if values.zero_line else "false"
    strength = alt.OpacityValue(palette.GRID_OPACITY, condition={"test": test, "value": 1})
    rules = alt.Chart(frame).mark_rule(color=palette.NEUTRAL, strokeWidth=1)
    x = alt.X("x:Q", scale=shared.across, axis=_value_axis(values))
    y = alt.Y("y:Q", scale=shared.down, axis=_row_axis(rows, shared.places))
    return rules.encode(x=x, y=y, y2=alt.Y2("y2:Q"), opacity=strength)


def _overall(shared: _Shared, at: float) -> alt.Chart:
    """The dashed line of everybody together, from the first dot to the last."""
    slots = [slot for slot in shared.places.slots if slot.below > slot.above]
    frame = pl.DataFrame([{"x": at, "y": slots[0].above, "y2": slots[-1].below}])
    rule = alt.Chart(frame).mark_rule(color=palette.NEUTRAL, strokeWidth=1.2, strokeDash=[4, 3])
    return rule.encode(x=shared.x, y=shared.y, y2=alt.Y2("y2:Q"))


def _legend(shared: _Shared) -> list[alt.Chart]:
    """Each cohort's dot and name in its colour."""
    frame = pl.DataFrame(
        {
            "cohort": list(shared.roles),
            "y": [(k + 0.5) * HEADER_LINE for k in range(len(shared.roles))],
        }
    )
    names = alt.Chart(frame).encode(y=shared.y, color=shared.colour)
    dots = names.mark_point(filled=True, opacity=1, size=ROOMY.dot)
    text = names.mark_text(align="left", baseline="middle", fontSize=12, fontWeight="bold")
    return [
        dots.encode(x=alt.XValue(6), shape=shared.shape),
        text.encode(x=alt.XValue(17), text=alt.Text("cohort:N")),
    ]


def _extras(shared: _Shared, rows: Sequence[Row]) -> list[alt.Chart]:
    """What few pictures have: the line under the pinned rows, marks of opening, small texts."""
    slots, layers = shared.places.slots, []
    if (first := _first_unpinned(rows)) is not None:
        middle = (slots[first - 1].below + slots[first].top) / 2
        layers.append(section_layer(middle, shared.y))
    pairs = list(zip(rows, slots, strict=True))
    marks = [
        (place, row.is_open)
        for row, slot in pairs
        if row.is_open is not None
        for place in _mark_places(slot)
    ]
    texts = [(p, row.small) for row, slot in pairs if row.small for p in _small_places(slot)]
    layers += [open_layer(marks, shared.y, WIDE)] if marks else []
    layers += [small_layer(texts, shared.y, WIDE)] if texts else []
    return layers


def _mark_places(slot: _Slot) -> tuple[Place, Place]:
    """In the room before the label, at its first line."""
    x, middle = slot.left - INDENT / 2 - 1, slot.top + LINE / 2 - 1
    return Place(True, x, middle), Place(False, x, middle + slot.drop)


def _small_places(slot: _Slot) -> tuple[Place, Place]:
    """Behind the last line of the label, or beneath it."""
    if slot.is_beneath:
        y = slot.last_line + LINE
        return Place(True, slot.left, y), Place(False, slot.left, y)
    narrow, wide = (_small_at(lines[-1], slot.left) for lines in (slot.narrow, slot.wide))
    return Place(True, narrow, slot.last_line), Place(False, wide, slot.last_line)


def _guides(shared: _Shared, values: Values) -> alt.Chart:
    """On top: which side of zero is which; over many rows the ticks once more."""
    rows = []
    if values.sides:
        rows.append({"x": 0.0, "y": (len(shared.roles) + 0.5) * HEADER_LINE, "text": values.sides})
    if len(shared.places.slots) > MANY_ROWS:
        y = shared.places.header - HEADER_GAP - LINE / 2
        rows += [{"x": x, "y": y, "text": text} for x, text in values.ticks]
    frame = pl.DataFrame(rows, schema={"x": pl.Float64, "y": pl.Float64, "text": pl.String})
    guides = alt.Chart(frame).mark_text(color=palette.NEUTRAL, fontSize=11, baseline="middle")
    return guides.encode(x=shared.x, y=shared.y, text=alt.Text("text:N"))


def _lane(shared: _Shared, row: int, cohort: str) -> float:
    """The y of a cohort's dot in a row: one lane each, around the middle."""
    position = list(shared.roles).index(cohort)
    from_middle = position - (len(shared.roles) - 1) / 2
    slot = shared.places.slots[row]
    return (slot.above + slot.below) / 2 + from_middle * shared.places.style.lane


def _frame(shared: _Shared, items: Items, columns: Sequence[str]) -> pl.DataFrame:
    """One row an item that has all the columns: cohort, row, y, and the columns."""
    schema = {"cohort": pl.String, "row": pl.Int64, "y": pl.Float64}
    rows = [
        {"cohort": item.cohort, "row": k, "y": _lane(shared, k, item.cohort)}
        | {column: getattr(item, column) for column in columns}
        for k, item in items
    ]
    frame = pl.DataFrame(rows, schema=schema | dict.fromkeys(columns, pl.Float64))
    return frame.drop_nulls().rename({columns[0]: "x"})


def _intervals(shared: _Shared, items: Items) -> alt.Chart:
    style = shared.places.style
    bars = alt.Chart(_frame(shared, items, ("lower", "upper")))
    bars = bars.mark_rule(
        strokeWidth=style.stroke,
        strokeCap="butt" if style.is_bar else "round",
        opacity=0.45 if style.is_bar else alt.Undefined,
    )
    return bars.encode(x=shared.x, x2=alt.X2("upper:Q"), y=shared.y, color=shared.colour)


def _dots(shared: _Shared, items: Items) -> alt.Chart:
    dots = alt.Chart(_frame(shared, items, ("estimate",)))
    dots = dots.mark_point(filled=True, opacity=1, size=shared.places.style.dot)
    return dots.encode(x=shared.x, y=shared.y, color=shared.colour, shape=shared.shape)


def _words(shared: _Shared, items: Items) -> list[alt.Chart]:
    """Why there is no dot, in its place."""
    style = shared.places.style
    found = [(k, item) for k, item in items if _is_in_lane(item, style)]
    if not found:
        return []
    frame = pl.DataFrame(
        {
            "cohort": [item.cohort for _, item in found],
            "y": [_lane(shared, k, item.cohort) for k, item in found],
            "text": [item.instead for _, item in found],
        },
        schema={"cohort": pl.String, "y": pl.Float64, "text": pl.String},
    )
    # Where lanes are narrower than a line, those of several cohorts are smaller.
    size = 11 if style.lane >= 11 or len(shared.roles) == 1 else 9
    words = alt.Chart(frame).mark_text(
        align="left", baseline="middle", fontSize=size, fontStyle="italic"
    )
    text = alt.Text("text:N")
    return [words.encode(x=alt.XValue(4), y=shared.y, text=text, color=shared.colour)]


def _numbers(shared: _Shared, items: Items) -> list[alt.Chart]:
    """A column of numbers a cohort, at the right end of the labels' lines."""
    width = _number_width(items, shared.places.style)
    layers = []
    for position, cohort in enumerate(shared.roles):
        mine = [(k, item) for k, item in items if item.cohort == cohort]
        frame = pl.DataFrame(
            {
                "cohort": cohort,
                "y": [shared.places.slots[k].last_line for k, _ in mine],
                "text": [_number(item, shared.places.style) for _, item in mine],
            }
        )
        from_right = (len(shared.roles) - 1 - position) * width
        x = alt.XValue({"expr": f"width - {from_right:.1f}"})
        text = alt.Chart(frame).mark_text(align="right", baseline="top", fontSize=11, dy=1)
        layers.append(text.encode(x=x, y=shared.y, text=alt.Text("text:N"), color=shared.colour))
    return layers


def _hover(shared: _Shared, rows: Sequence[Row], items: Items) -> alt.Chart:
    """Anywhere in a row: what all cohorts have there. Labels are titles, never names of fields."""
    told = {(k, item.cohort): item.told for k, item in items}
    fields = {f"told_{position}": cohort for position, cohort in enumerate(shared.roles)}
    frame = pl.DataFrame(
        [
            {"row": row.label, "y": slot.top - 2, "y2": slot.below + 2}
            | {field: told.get((k, cohort), "-") for field, cohort in fields.items()}
            for k, (row, slot) in enumerate(zip(rows, shared.places.slots, strict=True))
            if not row.is_heading
        ]
    )
    # The tooltip puts what is called `title` above all else.
    tooltip = [alt.Tooltip("row:N", title="title")]
    tooltip += [alt.Tooltip(f"{field}:N", title=cohort) for field, cohort in fields.items()]
    area = alt.Chart(frame).mark_rect(opacity=0)
    return area.encode(
        x=alt.XValue(0), x2=alt.X2Value("width"), y=shared.y, y2=alt.Y2("y2:Q"), tooltip=tooltip
    )
