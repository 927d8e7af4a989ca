"""The address bar and the view, kept the same.

The address is the truth. An address that differs from the one written last (a link, back, forward,
reload, another page) wins over the widgets, which then get new keys; otherwise the widgets win and
the new address is written at once, before anything is drawn. A widget used while an address is
still on its way to the browser arrives with the old address and must not count as "back": its
callback marks the run as touched.

A link with a part that is not valid stays in the address bar, and its explanation on the page,
until the reader changes something.
"""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from analysis.link import (
    EVERYBODY,
    FILTER,
    RESPONSE_OPTIONS,
    TOXICITY_OPTIONS,
    YES_NO,
    View,
    classes_of,
    decode,
    encode,
    on_data,
)
from analysis.link_survival import SURVIVAL_OPTIONS, survival_allowed
from analysis.questions import Opened, open_link
from trial.study import Study

Params = dict[str, list[str]]
OPTIONS = (
    *("endpoint", "time", "tau", "bands", "marks"),
    *RESPONSE_OPTIONS,
    *("block", "grade", "extra"),
    *TOXICITY_OPTIONS,
    *SURVIVAL_OPTIONS,
)
REMEMBERED = 50


def _state(name: str, default: Any = None) -> Any:
    return st.session_state.get(f"board.{name}", default)


def _keep(name: str, value: Any) -> None:
    st.session_state[f"board.{name}"] = value


def touch() -> None:
    """The callback of every widget: this run comes from the reader's hand, not from an address."""
    _keep("touched", True)


def widget_key(name: str) -> str:
    """The key of a widget; it changes when an address was restored."""
    return f"board.widget.{_state('generation')}.{name}"


def answer_control(name: str, value: str) -> None:
    """The callback of a button that sets the control of another place: as if chosen there."""
    st.session_state[widget_key(name)] = value
    touch()


def clear_filters() -> None:
    """The callback of the button that clears all filters."""
    _keep("clear", True)
    touch()


def show_data(snapshot_id: str) -> None:
    """The callback of the button that shows the view on other data.

    A link within the page would not do: Streamlit hands its parameters to the script and leaves
    the address bar as it was.
    """
    _keep("data", snapshot_id)
    touch()


def _new_widgets() -> None:
    """Give every widget a new key, so that it is drawn afresh from the view."""
    _keep("generation", _state("generation", 0) + 1)


def _arrived() -> Params:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _params(view: View) -> Params:
    return {name: [value] for name, value in encode(view)}


def _ticked(params: Params, name: str, codes: list[str]) -> str:
    """The comma list of the boxes that are ticked; boxes not drawn last time stay as they were."""
    before = params[name][0].split(",") if name in params else []
    boxes = {code: st.session_state.get(widget_key(f"{name}.{code}")) for code in codes}
    return ",".join(c for c, box in boxes.items() if (c in before if box is None else box))


def _from_widgets(view: View, study: Study) -> Params:
    """The view's parameters, each overruled by its widget where that was drawn in the last run."""
    params = _params(view)
    yes_no = {value: word for word, value in YES_NO.items()}
    for name in OPTIONS:
        value = st.session_state.get(widget_key(name))
        if value is not None:
            params[name] = [yes_no[value] if isinstance(value, bool) else value]
    params["cohorts"] = [_ticked(params, "cohorts", [c.code for c in study.cohorts])]
    params["lines"] = [_ticked(params, "lines", [line.code for line in study.lines])]
    for x in study.characteristics:
        levels = _ticked(params, FILTER + x.code, list(x.level_codes))
        params.pop(FILTER + x.code, None)
        if levels:
            params[FILTER + x.code] = [levels]
    return params


def _possible(asked: Params, view: View, study: Study) -> Params:
    """What the widgets ask for, made possible."""
    params = dict(asked)
    # Nobody is no population: the last cohort, or kind of line, cannot be unticked.
    for name in ("cohorts", "lines"):
        if params[name] == [""]:
            params[name] = _params(view)[name]
    # A time that a newly chosen endpoint does not have falls back to that endpoint's default.
    if params["tau"][0] not in [f"{t:g}" for t in study.endpoint(params["endpoint"][0]).rmst_taus]:
        del params["tau"]
    # A class of another measure than the newly chosen one: everybody is listed.
    if params.get("who", [EVERYBODY])[0] not in (
        EVERYBODY,
        *classes_of(params.get("timepoint", [""])[0]),
    ):
        del params["who"]
    # A landmark of another split than the newly chosen one: that split's first.
    split = params.get("split", [""])[0]
    if params.get("day", [""])[0] not in ("", *survival_allowed(study, split)["day"]):
        del params["day"]
    if st.session_state.pop("board.clear", False):
        params = {name: value for name, value in params.items() if not name.startswith(FILTER)}
    return params


def _changed(page: str, view: View) -> Opened:
    """The view after the reader used a widget."""
    chosen = st.session_state.pop("board.data", None)
    chosen = chosen or st.session_state.get(widget_key("data"), view.data)
    opened = open_link(page, {"data": [chosen]})
    study = opened.snapshot.study
    if chosen != view.data:
        _new_widgets()
        moved = on_data(view, chosen, study)
        _keep("dropped", moved.problems)
        return Opened(opened.snapshot, moved.view, ())
    asked = _from_widgets(view, study)
    decoded = decode(page, _possible(asked, view, study), view.data, study)
    # Widgets keep their own state: writing it at every run would undo clicks that are faster than
    # the server. Only where the view is not what they say are they drawn afresh.
    if _params(decoded.view) != asked:
        _new_widgets()
    return Opened(opened.snapshot, decoded.view, decoded.problems)


def shown_address() -> str:
    """The query string that the address bar is to hold for what this run shows."""
    _, params = _state("address")
    return urlencode([(name, value) for name, values in params.items() for value in values])


def dropped() -> tuple[str, ...]:
    """What a view lost when it was moved to other data, in words; told once."""
    return st.session_state.pop("board.dropped", ())


def restore(page: str) -> Opened:
    """The view of this run, and its address in the address bar.

    Raises LinkError if the address leads to no data.
    """
    params = _arrived()
    touched = st.session_state.pop("board.touched", False)
    arrived = (page, params)
    is_mine = arrived == _state("address") or (touched and arrived in _state("written", []))
    if not is_mine:
        opened = open_link(page, params)
        _new_widgets()
    elif touched:
        opened = _changed(page, _state("view"))
    else:
        kept = open_link(page, _params(_state("view")))
        opened = Opened(kept.snapshot, kept.view, _state("problems"))
    _keep("view", opened.view)
    _keep("problems", opened.problems)
    address = params if opened.problems and not touched else _params(opened.view)
    _keep("address", (page, address))
    _keep("written", [*_state("written", []), (page, address)][-REMEMBERED:])
    if address != params:
        st.query_params.from_dict(address)
    return opened
