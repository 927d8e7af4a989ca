"""Layers as one view, and that view as Vega-Lite: with rows for a file, with frames for a page."""

from collections.abc import Sequence

import altair as alt
import polars as pl
from altair.utils.schemapi import SchemaBase, UndefinedType, debug_mode

NO_FRAME = alt.ViewBackground(stroke=None)
# A picture is described as a whole, and its numbers stand in tables: a text of bare coordinates at
# each mark would tell nobody anything, and be half of what a browser draws.
NO_TEXT_AT_MARKS = alt.Config(mark=alt.MarkConfig(aria=False))


def layered(
    layers: Sequence[alt.Chart],
    height: float,
    *,
    resolve: alt.Resolve | UndefinedType = alt.Undefined,
    view: alt.ViewBackground | UndefinedType = NO_FRAME,
) -> alt.LayerChart:
    """The layers, the first at the bottom, on axes and scales that they share unless `resolve`.

    Each layer has a frame of its own as data, and no height. `alt.layer` would gather what layers
    have in common and copy each of them three times for that, which is half the time of a chart.
    """
    chart = alt.LayerChart(height=height, resolve=resolve, view=view, config=NO_TEXT_AT_MARKS)
    chart.layer = list(layers)
    return chart


def with_rows(chart: alt.LayerChart) -> dict:
    """The chart with its data as rows, without Altair's theme and unchecked.

    The tests check every chart against the schema; doing it at each look takes half its time. So
    does the copy that a layered chart makes of itself before it becomes a dictionary.
    """
    context = {"datasets": {}, "top_level": False}
    with debug_mode(False):
        found = SchemaBase.to_dict(chart, validate=False, context=context)
    return {"$schema": alt.SCHEMA_URL, **found, "datasets": context["datasets"]}


def with_frames(chart: alt.LayerChart) -> dict:
    """The same chart; its `datasets` are the layers' frames, named by their position.

    Streamlit sends frames as they are, and a browser whose chart differs in its data alone keeps
    the picture and changes the data. Altair's rows are written twice on their way, and their names
    are a hash of what they hold: with them every change draws everything anew.
    """
    names: dict[int, str] = {}
    frames: dict[str, pl.DataFrame] = {}
    layers = []
    for layer in chart.layer:
        frame = layer.data
        assert isinstance(frame, pl.DataFrame)
        name = names.setdefault(id(frame), f"frame_{len(names)}")
        frames[name] = frame
        named = layer.copy(deep=False)
        named.data = alt.NamedData(name=name)
        layers.append(named)
    found = layered(layers, chart.height, resolve=chart.resolve, view=chart.view)
    return {**with_rows(found), "datasets": frames}
