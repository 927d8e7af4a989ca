"""A flow of patients from top to bottom: bars of what became of them, and bands between.

One patient is equally wide everywhere. Nodes stand in the order given, and the bands leave and
reach a node in the order of the nodes at their other end: no order of bands crosses less. Places
on the y axis are pixels from the top, on the x axis shares of the plot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.classes import FITS, fitting, words_axis, written
from analysis.charts.dots import LINE, PHONE, WIDE
from analysis.charts.labels import label_expr, wrapped
from analysis.charts.layers import layered

TITLE = 22
NODE_HEIGHT = 34
NODE_LINE = 13
# Between two bars: the bands, with the words of the next bar in their last pixels.
BAND_HEIGHT = 50
# Between two nodes, a share of the plot; of all the whole the nodes keep at least half.
GAP = 0.012
BAND_OPACITY = 0.35
# Of a band's curve; fewer where there are so many bands that the page would become slow.
MOST_POINTS, MOST_ROWS = 21, 4500


@dataclass(frozen=True)
class Node:
    """So many patients in one place of a stage; `tone` is one of `palette.TONES`.

    Raises ValueError for another tone and for fewer than no patients.
    """

    code: str
    label: str
    n: int
    tone: str

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.tone not in palette.TONES:
            raise ValueError(f"{self.label}: there is no tone {self.tone}")
        if self.n < 0:
            raise ValueError(f"{self.label}: {self.n} patients")


@dataclass(frozen=True)
class Stage:
    """Where everybody is at a time; nodes from left to right, no code twice."""

    label: str
    nodes: tuple[Node, ...]

    @property
    def n(self) -> int:
        """Everybody."""
        return sum(node.n for node in self.nodes)


@dataclass(frozen=True)
class Band:
    """So many patients from a node of a stage to a node of the next, by code."""

    stage: int
    source: str
    target: str
    n: int


@dataclass(frozen=True)
class Flow:
    """A cohort from its first stage to its last.

    Raises ValueError if there is nobody, if stages have not the same total, if a node or band comes
    twice, if a band has no node at an end, and if a node's bands do not add to it on either side.
    """

    label: str
    role: int
    stages: tuple[Stage, ...]
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        """Refuse a flow that loses or makes patients."""
        if not self.stages or not self.n:
            raise ValueError("nobody to draw")
        for stage in self.stages:
            if stage.n != self.n:
                raise ValueError(f"{stage.label}: {stage.n} patients, not {self.n}")
            if len({node.code for node in stage.nodes}) < len(stage.nodes):
                raise ValueError(f"{stage.label}: a node comes twice")
        places = [(band.stage, band.source, band.target) for band in self.bands]
        if len(set(places)) < len(places):
            raise ValueError("a band comes twice")
        _refuse_bands(self)

    @property
    def n(self) -> int:
        """Everybody."""
        return self.stages[0].n


def _refuse_bands(flow: Flow) -> None:
    """Raise ValueError for a band without a node, and for a node that its bands do not fill."""
    leaving, reaching = _ends(flow.stages[:-1], 0), _ends(flow.stages[1:], 1)
    for band in flow.bands:
        source, target = (band.stage, band.source), (band.stage + 1, band.target)
        if source not in leaving or target not in reaching or band.n < 0:
            raise ValueError(f"no such band: {band}")
        leaving[source] -= band.n
        reaching[target] -= band.n
    for (k, code), missing in (*leaving.items(), *reaching.items()):
        if missing:
            raise ValueError(f"{flow.stages[k].label}, {code}: bands differ by {missing} patients")


def _ends(stages: Sequence[Stage], first: int) -> dict[tuple[int, str], int]:
    """Stage and code of every node, with its patients."""
    return {(k, node.code): node.n for k, stage in enumerate(stages, first) for node in stage.nodes}


@dataclass(frozen=True)
class Ribbon:
    """A band in shares of the plot: where it leaves its source and reaches its target."""

    band: Band
    tone: str
    source_left: float
    target_left: float
    width: float


def patient_width(flow: Flow) -> float:
    """The share of the plot that one patient takes, in every stage the same."""
    return (1 - _free(flow)) / flow.n


def _free(flow: Flow) -> float:
    """The share of the plot between nodes: enough for the stage with the most."""
    most = max(len(_drawn(stage)) for stage in flow.stages)
    return min(GAP * (most - 1), 0.5)


def _drawn(stage: Stage) -> list[Node]:
    return [node for node in stage.nodes if node.n]


def node_lefts(flow: Flow, stage: Stage) -> dict[str, float]:
    """The left edge of every node with anybody, as a share of the plot.

    Nodes fill the plot from edge to edge; one alone stands in the middle.
    """
    nodes, each = _drawn(stage), patient_width(flow)
    gap = _free(flow) / max(len(nodes) - 1, 1)
    x = 0.0 if len(nodes) > 1 else _free(flow) / 2
    lefts = {}
    for node in nodes:
        lefts[node.code] = x
        x += node.n * each + gap
    return lefts


def ribbons(flow: Flow) -> list[Ribbon]:
    """Every band with anybody, in its place at both ends; bands of a node lie side by side."""
    found = []
    for k, (stage, following) in enumerate(pairwise(flow.stages)):
        order = {(0, node.code): i for i, node in enumerate(stage.nodes)} | {
            (1, node.code): i for i, node in enumerate(following.nodes)
        }
        bands = [band for band in flow.bands if band.stage == k and band.n]
        bands.sort(key=lambda b, at=order: (at[0, b.source], at[1, b.target]))
        found += _placed(flow, k, bands)
    return found


def _placed(flow: Flow, k: int, bands: Sequence[Band]) -> list[Ribbon]:
    """Bands sorted by source, then target: laid from the left edge of their nodes on."""
    stage, following = flow.stages[k], flow.stages[k + 1]
    leave, reach = node_lefts(flow, stage), node_lefts(flow, following)
    tones = {node.code: node.tone for node in stage.nodes}
    ends = {node.code: node.tone for node in following.nodes}
    each, found = patient_width(flow), []
    for band in bands:
        tone = tones[band.source]
        tone = ends[band.target] if tone == "plain" else tone
        width = band.n * each
        found.append(Ribbon(band, tone, leave[band.source], reach[band.target], width))
        leave[band.source] += width
        reach[band.target] += width
    return found


def curve(start: float, end: float, n_points: int) -> list[tuple[float, float]]:
    """From start to end: steps from 0 to 1 and the place at each; level at both ends."""
    steps = [i / (n_points - 1) for i in range(n_points)]
    return [(t, start + (end - start) * t * t * (3 - 2 * t)) for t in steps]


@dataclass(frozen=True)
class _Words:
    """Over a bar: its stage's label, and the nodes without room for theirs, for two widths."""

    label: list[str]
    narrow: list[str]
    wide: list[str]

    @property
    def height(self) -> int:
        """Pixels on a phone."""
        return (len(self.label) + len(self.narrow)) * LINE

    @property
    def drop(self) -> int:
        """On a wide plot there are fewer lines, and they move down to the bar."""
        return (len(self.narrow) - len(self.wide)) * LINE


def _words(flow: Flow) -> list[_Words]:
    """The words of every stage, in lines that a phone has room for."""
    return [
        _Words(wrapped(written(s.label), PHONE), _unnamed(flow, s, PHONE), _unnamed(flow, s, WIDE))
        for s in flow.stages
    ]


def _unnamed(flow: Flow, stage: Stage, width: int) -> list[str]:
    """Label and n of the nodes whose label finds no room on a plot of so many pixels, in lines."""
    each = patient_width(flow) * width
    names = []
    for node in _drawn(stage):
        label = written(node.label)
        *_, (_, needed, _) = fitting(node_texts(label, node.n)[:-1])
        if node.n * each < needed:
            names.append(f"{label}\u00a0{node.n}")
    text = " \u00b7 ".join(name.replace(" ", "\u00a0") for name in names)
    return wrapped(text, width) if names else []


def _tops(flow: Flow) -> list[float]:
    """The first pixel of every stage's bar."""
    tops, y = [], float(TITLE)
    for k, words in enumerate(_words(flow)):
        y += (BAND_HEIGHT - LINE if k else 0) + words.height + 3
        tops.append(y)
        y += NODE_HEIGHT
    return tops


def _plot_height(flow: Flow) -> int:
    return round(_tops(flow)[-1] + NODE_HEIGHT + 2)


def flow_height(flow: Flow) -> int:
    """Pixels of the whole picture."""
    return _plot_height(flow) + 12


def flow_chart(flow: Flow) -> alt.LayerChart:
    """One cohort's flow. Bands have the tone of where they come from; a plain node lends none.

    Raises ValueError if there are so many bands that a curve each is too much for a page.
    """
    height = _plot_height(flow)
    down = alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False)
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None)
    y = alt.Y("y:Q", scale=down, axis=_stage_axis(flow))
    layers = [_title(flow, y), _band_layer(flow, x, y), _node_layer(flow, x, y)]
    layers.append(_text_layer(flow, x, y))
    return layered(layers, height)


def _stage_axis(flow: Flow) -> alt.Axis:
    """The words over each bar, in the colour of the page's theme."""
    narrow: dict[float, list[str]] = {}
    wide: dict[float, list[str]] = {}
    drops, bold = [], []
    for top, words in zip(_tops(flow), _words(flow), strict=True):
        at = top - 3 - words.height
        below = at + len(words.label) * LINE
        narrow |= {at: words.label, below: words.narrow}
        wide |= {at: words.label, below: words.wide}
        drops += [words.drop, words.drop]
        bold.append(at)
    values = list(narrow)
    is_bold = {"test": f"indexof({bold}, datum.value) >= 0", "value": "bold"}
    expressions = (label_expr(narrow, 1), label_expr(wide, 1))
    weight = {"condition": is_bold, "value": "normal"}
    return words_axis(values, expressions, drops, weight)


def _title(flow: Flow, y: alt.Y) -> alt.Chart:
    frame = pl.DataFrame({"y": [8.0], "text": [f"{written(flow.label)}, N = {flow.n}"]})
    text = alt.Chart(frame).mark_text(
        align="left",
        baseline="middle",
        fontSize=13,
        fontWeight="bold",
        color=palette.colour(flow.role),
        limit={"expr": "width"},
    )
    return text.encode(
        x=alt.XValue(0), y=y, text=alt.Text("text:N"), tooltip=alt.TooltipValue(None)
    )


def _told(n: int, of: int) -> str:
    """41/172 (23.8 %)."""
    return f"{n}/{of} ({100 * n / of:.1f} %)"


def _tooltip(flow: Flow) -> list[alt.Tooltip]:
    # The tooltip puts what is called `title` above all else.
    return [
        alt.Tooltip("place:N", title="title"),
        alt.Tooltip("told:N", title=written(flow.label)),
    ]


def _band_frame(flow: Flow) -> pl.DataFrame:
    """One row a point of a band's curve: its left and right edge there."""
    found = ribbons(flow)
    n_points = min(MOST_POINTS, MOST_ROWS // max(len(found), 1))
    if n_points < 5:
        raise ValueError(f"{len(found)} bands are too many for one picture")
    tops, names = _tops(flow), _names(flow)
    rows = []
    for k, ribbon in enumerate(found):
        band = ribbon.band
        above, below = tops[band.stage] + NODE_HEIGHT, tops[band.stage + 1]
        said = f"{names[band.stage, band.source]} \u2192 {names[band.stage + 1, band.target]}"
        row = {"band": k, "colour": palette.TONES[ribbon.tone], "place": said}
        row |= {"told": _told(band.n, flow.n)}
        for t, left in curve(ribbon.source_left, ribbon.target_left, n_points):
            edges = {"x": left, "x2": left + ribbon.width, "y": above + t * (below - above)}
            rows.append(row | edges)
    schema = {"band": pl.Int64(), "colour": pl.String(), "place": pl.String()}
    schema |= {"told": pl.String(), "x": pl.Float64(), "x2": pl.Float64(), "y": pl.Float64()}
    return pl.DataFrame(rows, schema=schema)


def _names(flow: Flow) -> dict[tuple[int, str], str]:
    return {
        (k, node.code): written(node.label)
        for k, stage in enumerate(flow.stages)
        for node in stage.nodes
    }


def _band_layer(flow: Flow, x: alt.X, y: alt.Y) -> alt.Chart:
    area = alt.Chart(_band_frame(flow)).mark_area(
        orient="horizontal",
        opacity=BAND_OPACITY,
        # A pale band would not be seen on a white page without its edge.
        stroke=palette.NEUTRAL,
        strokeWidth=0.5,
    )
    return area.encode(
        x=x,
        x2=alt.X2("x2:Q"),
        y=y,
        detail=alt.Detail("band:N"),
        color=alt.Color("colour:N", scale=None),
        tooltip=_tooltip(flow),
    )


def _node_frame(flow: Flow) -> pl.DataFrame:
    """One row a node with anybody: its edges, colour and words."""
    each, rows = patient_width(flow), []
    for stage, top in zip(flow.stages, _tops(flow), strict=True):
        lefts = node_lefts(flow, stage)
        for node in _drawn(stage):
            left = lefts[node.code]
            row = {"x": left, "x2": left + node.n * each, "y": top, "y2": top + NODE_HEIGHT}
            row |= {"label": written(node.label), "n": node.n, "told": _told(node.n, flow.n)}
            row |= {"place": f"{written(stage.label)}: {written(node.label)}"}
            rows.append(row | {"colour": palette.TONES[node.tone]})
    return pl.DataFrame(rows)


def _node_layer(flow: Flow, x: alt.X, y: alt.Y) -> alt.Chart:
    """The nodes; a thin line around pale ones shows them on a white page."""
    frame = _node_frame(flow).drop("label", "n")
    rects = alt.Chart(frame).mark_rect(opacity=1, stroke=palette.NEUTRAL, strokeWidth=0.6)
    return rects.encode(
        x=x,
        x2=alt.X2("x2:Q"),
        y=y,
        y2=alt.Y2("y2:Q"),
        color=alt.Color("colour:N", scale=None),
        tooltip=_tooltip(flow),
    )


def node_texts(label: str, n: int) -> list[str]:
    """What a node can say, longest line first: on one line, on two, its n alone."""
    words = [*label.split(), str(n)]
    cuts = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
    best = min(cuts, key=lambda cut: max(map(len, cut)), default=None)
    return [" ".join(words), *(["\n".join(best)] if best else []), str(n)]


def _text_frame(flow: Flow) -> pl.DataFrame:
    """One row a node and text: where its first line stands, from and up to which width it does."""
    rows = []
    for row in _node_frame(flow).rows(named=True):
        for text, needed, enough in fitting(node_texts(row["label"], row["n"])):
            y = (row["y"] + row["y2"]) / 2 - text.count("\n") * NODE_LINE / 2
            place = {"x": (row["x"] + row["x2"]) / 2, "y": y, "share": row["x2"] - row["x"]}
            place |= {"needed": needed, "enough": enough, "text": text}
            said = {"place": row["place"], "told": row["told"]}
            rows.append(place | said | {"colour": palette.text_on(row["colour"])})
    return pl.DataFrame(rows)


def _text_layer(flow: Flow, x: alt.X, y: alt.Y) -> alt.Chart:
    texts = alt.Chart(_text_frame(flow)).transform_filter(FITS)
    texts = texts.mark_text(baseline="middle", fontSize=11, lineBreak="\n", lineHeight=NODE_LINE)
    return texts.encode(
        x=x,
        y=y,
        text=alt.Text("text:N"),
        color=alt.Color("colour:N", scale=None),
        tooltip=_tooltip(flow),
    )
