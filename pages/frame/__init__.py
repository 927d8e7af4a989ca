"""The frame every page stands in: navigation, data, cohorts, filters, who is shown.

A deep link that is the first request after a server start runs the page's own file and never
`app.py`. So every page draws this frame itself, and `app.py` is only a front door.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from urllib.parse import urlencode

import streamlit as st

from analysis.answer import Answer, Card, CohortSize, Figure, Table
from analysis.disclosure import PolicyError
from analysis.export import figure_png, figure_svg, numbers_csv
from analysis.filters import FilterGroup, filter_bar
from analysis.link import FILTER, PAGES, LinkError, View, address, encode
from analysis.questions import Opened, answer, choices, newer_snapshot
from pages.frame.mirror import (
    answer_control,
    clear_filters,
    dropped,
    restore,
    show_data,
    shown_address,
    touch,
    widget_key,
)
from trial.words import say

PAGE_FILES = {page: f"pages/{page}.py" for page in PAGES}
LESS_ROOM_ABOVE = "<style>[data-testid=stMainBlockContainer] {padding-top: 4.2rem}</style>"
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|>$~:<&])")


def plain(text: str) -> str:
    """A text with everything escaped that markdown would take for markup."""
    return _SPECIAL.sub(r"\\\1", text)


def verbatim(text: str) -> str:
    """A text of an address as inline code: nothing in it becomes markup, not even a web address."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {' '.join(text.split())} {fence}"


def page_link(view: View, label: str, disabled: bool = False) -> None:
    """A link to a view within the app; its address holds the whole view."""
    page = PAGE_FILES[view.page]
    st.page_link(page, label=plain(label), query_params=encode(view), disabled=disabled)


def open_page(page: str, controls: Callable[[Opened], None] | None = None) -> tuple[Opened, Answer]:
    """Draw the frame of a page, its headline, its `controls` and big numbers; view and answer.

    Nothing waits longer than it must: the numbers stand before the filters of the sidebar are
    counted, and no chart is made yet. Stops the run if there are no numbers.
    """
    st.set_page_config(
        page_title=f"{say(f'page.{page}')} · {say('app.title')}",
        layout="wide",
        initial_sidebar_state="auto",
    )
    st.html(LESS_ROOM_ABOVE)
    try:
        opened = restore(page)
        # What is on the screen says which address it belongs to: the address bar runs ahead of it.
        st.html(f'<i hidden data-shows="{escape(shown_address())}"></i>')
        found = answer(opened.snapshot, opened.view)
    except (LinkError, PolicyError) as error:
        _no_numbers(page, str(error))
        st.stop()
    _strip(opened, found)
    headline(found)
    if controls:
        controls(opened)
    cards(found)
    _sidebar(opened)
    return opened, found


def _no_numbers(page: str, problem: str) -> None:
    st.title(say("app.title"))
    st.error(f"{say('frame.no_snapshot')} {verbatim(problem)}")
    offered = choices()
    if offered:
        st.write(say("frame.exists"))
    else:
        st.markdown(say("app.empty"))
    for choice in offered:
        snapshot = choice.snapshot
        st.markdown(plain(snapshot.study.label))
        named = {"data": snapshot.snapshot_id}
        st.page_link(PAGE_FILES[page], label=plain(snapshot.snapshot_id), query_params=named)


def _sidebar(opened: Opened) -> None:
    snapshot, view = opened.snapshot, opened.view
    labels = {choice.snapshot.snapshot_id: choice.label for choice in choices(view.data)}
    with st.sidebar:
        select("data", say("frame.study"), labels, view.data)
        st.markdown(f"**{say('frame.cohorts')}**")
        for cohort in snapshot.study.cohorts:
            is_on = cohort.code in view.selection.cohort_codes
            _box(f"cohorts.{cohort.code}", plain(cohort.label), is_on)
        if len(snapshot.study.lines) > 1:
            st.markdown(f"**{say('frame.lines')}**", help=say("frame.lines_help"))
            for line in snapshot.study.lines:
                _box(
                    f"lines.{line.code}", plain(line.label), line.code in view.selection.line_codes
                )
        groups = filter_bar(snapshot, view)
        if groups:
            st.markdown(f"**{say('frame.filters')}**", help=say("frame.filters_help"))
        for group in groups:
            _group(group, view)
        if view.selection.filters:
            st.button(say("frame.reset"), on_click=clear_filters, width="stretch")


def _group(group: FilterGroup, view: View) -> None:
    kept = view.selection.levels(group.code)
    st.markdown(plain(group.label), help=group.refused)
    for level in group.levels:
        known = level.n_population is not None
        counts = f" :gray[{level.n_population} / {level.n_all}]" if known else ""
        label = plain(level.label) + counts
        name = f"{FILTER}{group.code}.{level.code}"
        _box(name, label, level.code in kept, disabled=group.refused is not None)


def _box(name: str, label: str, is_on: bool, disabled: bool = False) -> None:
    st.checkbox(label, is_on, key=widget_key(name), on_change=touch, disabled=disabled)


def select(
    name: str, label: str, labels: dict[str, str], chosen: str, width: int | None = None
) -> None:
    """A choice; its value is in the address under `name`. As wide as there is room, or `width`."""
    codes = list(labels)
    st.selectbox(
        label,
        codes,
        codes.index(chosen),
        format_func=labels.__getitem__,
        key=widget_key(name),
        on_change=touch,
        width=width or "stretch",
    )


def choose(name: str, label: str, labels: dict[str, str], chosen: str) -> None:
    """A row of buttons of which one is pressed; its value is in the address under `name`."""
    st.segmented_control(
        label,
        list(labels),
        default=chosen,
        required=True,
        format_func=labels.__getitem__,
        key=widget_key(name),
        on_change=touch,
        label_visibility="collapsed",
    )


def lead_to(name: str, label: str, labels: dict[str, str], chosen: str) -> None:
    """Buttons that set the control `name` of the page from further down; not the one that is."""
    st.caption(label)
    with st.container(horizontal=True):
        for code, told in labels.items():
            key = f"{widget_key(name)}.{code}"
            st.button(
                plain(told),
                key=key,
                on_click=answer_control,
                args=(name, code),
                disabled=code == chosen,
            )


def find(label: str, about: str) -> str:
    """A field to type an identifier into; it is kept by this screen alone, in no address."""
    return st.text_input(label, key="board.find", help=about, autocomplete="off").strip()


def search(name: str, label: str, about: str, value: str, width: int | None = None) -> None:
    """A field for a text to look for; it is in the address under `name`."""
    st.text_input(
        label,
        value,
        key=widget_key(name),
        on_change=touch,
        help=about,
        autocomplete="off",
        width=width or "stretch",
    )


def toggle(name: str, label: str, is_on: bool) -> None:
    """A switch; its value is in the address under `name`."""
    st.toggle(label, is_on, key=widget_key(name), on_change=touch)


def _strip(opened: Opened, found: Answer) -> None:
    snapshot, view = opened.snapshot, opened.view
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        with st.container(horizontal=True, width="content"):
            for page in PAGES:
                # A link to this very page does not write the address bar (see mirror.show_data).
                here = page == view.page and bool(opened.problems)
                page_link(replace(view, page=page), say(f"page.{page}"), disabled=here)
        _share(view)
    colour = "orange" if found.synthetic else "blue"
    study, notice = plain(snapshot.study.label), plain(found.notice)
    sizes = " · ".join(plain(_size(c)) for c in found.cohorts)
    shown = plain(say("frame.population", population=found.population))
    data = plain(say("frame.snapshot", snapshot=found.snapshot, cutoff=found.data_cutoff))
    lines = [f"**{study}** :{colour}[{notice}]", f"{shown} · {sizes}", f":gray[{data}]"]
    st.markdown("  \n".join(lines))
    if opened.problems:
        problems = "".join(f"\n- {verbatim(problem)}" for problem in opened.problems)
        st.error(f"{say('frame.invalid')}\n{problems}")
    if lost := dropped():
        parts = "".join(f"\n- {plain(part)}" for part in lost)
        st.info(f"{say('frame.dropped')}\n{parts}")
    if current := newer_snapshot(snapshot):
        st.warning(plain(say("frame.newer", snapshot=snapshot.snapshot_id, current=current)))
        st.button(say("frame.newer_link"), on_click=show_data, args=(current,))


def _size(c: CohortSize) -> str:
    if c.is_withheld:
        return say("disclosure.strip", cohort=c.label)
    return say("frame.cohort_n", cohort=c.label, n=c.n_population, n_enrolled=c.n_enrolled)


def _share(view: View) -> None:
    with st.popover(say("frame.share")):
        base = (st.context.url or "").rstrip("/").rsplit("/", 1)[0]
        st.caption(say("frame.share_link"))
        st.code(f"{base}/{view.page}?{urlencode(encode(view), safe=',/')}", language=None)
        st.caption(say("frame.share_files"))
        st.code(f"python -m analysis '{address(view)}' --out out", language=None)


def headline(found: Answer) -> None:
    """The answer in words, the first sentence largest, then what to know before looking."""
    first, *others = found.headline.split("\n")
    st.markdown(f"##### {plain(first)}")
    for sentence in others:
        st.markdown(plain(sentence))
    if warnings := [plain(note.text) for note in found.notes if note.kind == "warning"]:
        st.warning("\n\n".join(warnings))


def cards(found: Answer) -> None:
    """Big numbers: one row a title, its groups side by side; on a phone one under the other."""
    for title in dict.fromkeys(card.title for card in found.cards):
        row = [card for card in found.cards if card.title == title]
        st.markdown(f"**{plain(title)}**")
        for column, card in zip(st.columns(len(row)), row, strict=True):
            with column, st.container(border=True):
                st.html(_card(card))


def _card(card: Card) -> str:
    small = "".join(f"<div>{escape(text)}</div>" for text in card.small)
    return (
        f'<div class="card"><b style="color:{card.colour}">{escape(card.label)}</b>'
        f'<div style="font-size:2.1rem;font-weight:600;line-height:1.25">{escape(card.value)}</div>'
        f'<div style="font-size:.875rem;opacity:.75">{small}</div></div>'
    )


def table(shown: Table) -> None:
    """A table under its title."""
    st.markdown(f"**{plain(shown.title)}**")
    rows = [
        [
            f":gray[{plain(str(value))}]" if place in shown.pale else plain(str(value))
            for value in row
        ]
        for place, row in enumerate(shown.rows)
    ]
    st.table(
        {title: [row[i] for row in rows] for i, title in enumerate(shown.columns)}, hide_index=True
    )


def tables(found: Answer, but: tuple[str, ...] = ()) -> None:
    """The tables that no figure has one click away, `but` for some."""
    behind = {*but, *(code for figure in found.figures for code in figure.tables)}
    for shown in found.tables:
        if shown.code not in behind:
            listing(shown)


def figures(found: Answer) -> None:
    """Every figure, in order; two that belong side by side stand so where there is room."""
    shown = list(found.figures)
    while shown:
        first = shown.pop(0)
        pair = shown[0] if shown else None
        if pair is None or not (pair.beside or pair.page_height == first.page_height):
            figure(found, first)
            continue
        shown.pop(0)
        # Two pictures of the same rows have one caption, under both.
        is_same = pair.caption == first.caption
        left, right = st.columns(2)
        with left:
            figure(found, first, is_alone=not is_same)
        with right:
            figure(found, pair, is_alone=not is_same)
        if is_same:
            _beneath(found, first)


def figure(found: Answer, shown: Figure, is_alone: bool = True) -> None:
    """A figure with its caption; its numbers and files one click away.

    Of two that share a caption neither is alone: caption and numbers stand under both.
    """
    if len(found.figures) > 1:
        st.markdown(f"**{plain(shown.title)}**")
    told = {"alt": shown.alt_text, "height": shown.page_height}
    st.vega_lite_chart(spec=shown.spec_of_frames, width="stretch", **told)
    if is_alone:
        _beneath(found, shown)
    with st.container(horizontal=True):
        warned = say("figure.names_patients") if shown.names_patients else ""
        name = f"{warned}{found.question}_{shown.code}_{found.snapshot}"
        if found.has_numbers:
            csv = partial(numbers_csv, found)
            _save(shown, "figure.save_numbers", csv, f"{name}.csv", "text/csv")
        _save(shown, "figure.save_svg", lambda: figure_svg(shown), f"{name}.svg", "image/svg+xml")
        _save(shown, "figure.save_png", lambda: figure_png(shown), f"{name}.png", "image/png")


def _beneath(found: Answer, shown: Figure) -> None:
    """The caption of a figure; its numbers, and who is in it, one click away."""
    st.caption(plain(shown.caption))
    if shown.tables or shown.accounts:
        with st.expander(_behind(shown)):
            for account in shown.accounts:
                st.caption(plain(account.told))
            for code in shown.tables:
                _told(found.table(code))


def _told(shown: Table) -> None:
    """A table to scroll in; one of sentences as paragraphs, which no column cuts."""
    if not shown.is_prose:
        listing(shown)
        return
    st.markdown(f"**{plain(shown.title)}**")
    for row in shown.rows:
        st.markdown(plain(str(row[-1])))


def _behind(shown: Figure) -> str:
    """What is one click behind a figure."""
    if not shown.accounts:
        return say("figure.numbers")
    return say("figure.numbers_who" if shown.tables else "figure.who")


def _save(shown: Figure, label: str, data, file_name: str, mime: str) -> None:
    key = f"save.{shown.code}.{label}"
    st.download_button(say(label), data, file_name, mime, on_click="ignore", key=key)


def listing(shown: Table) -> None:
    """A long table, to scroll in."""
    st.markdown(f"**{plain(shown.title)}**")
    columns = {title: [row[i] for row in shown.rows] for i, title in enumerate(shown.columns)}
    # A column in which a word stands among numbers (withheld) is one of words.
    for title, values in columns.items():
        if len({type(value) for value in values}) > 1:
            columns[title] = [str(value) for value in values]
    st.dataframe(columns, hide_index=True, height="content" if len(shown.rows) < 8 else 280)


def notes(found: Answer) -> None:
    """What else there is to know, beneath the numbers."""
    for note in found.notes:
        if note.kind == "info":
            st.caption(plain(note.text))
