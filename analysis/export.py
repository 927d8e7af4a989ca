"""An answer as files: numbers.csv, every table as CSV, every figure as SVG and PNG, a summary."""

import csv
import io
from pathlib import Path

import altair as alt
import vl_convert

from analysis.answer import NUMBER_COLUMNS, Answer, Figure, Table
from trial.words import say

FIGURE_WIDTH = 620
CAPTION_CHARACTERS = 105
PNG_SCALE = 2


def _cell(value: object) -> str:
    """A cell as CSV text. Floats in full (shortest text that reads back as the same number)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, float) else str(value)
    # A spreadsheet runs a text that starts like a formula; a quote in front keeps it a text.
    is_formula = isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{text}" if is_formula else text


def _csv(columns: tuple[str, ...], rows: list[tuple]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def numbers_csv(answer: Answer) -> str:
    """The tidy numbers of an answer; columns as `analysis.answer.Number`."""
    return _csv(
        NUMBER_COLUMNS, [tuple(getattr(n, c) for c in NUMBER_COLUMNS) for n in answer.numbers]
    )


def table_csv(answer: Answer, table: Table) -> str:
    """A table as it is shown, with the data it was made from in two columns of every row."""
    rows = [(*row, answer.snapshot, answer.synthetic) for row in table.rows]
    return _csv((*table.columns, "snapshot", "synthetic"), rows)


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _printable(figure: Figure) -> dict:
    """The chart with its title and caption in the picture, light, at a fixed width."""
    title = alt.Title(
        figure.title,
        subtitle=_wrapped(figure.legend, CAPTION_CHARACTERS),
        anchor="start",
        fontSize=16,
        subtitleFontSize=11,
        subtitleColor="#555555",
        subtitlePadding=8,
        offset=14,
    )
    chart = figure.chart.properties(width=FIGURE_WIDTH, title=title, background="white")
    return chart.to_dict()


def figure_svg(figure: Figure) -> str:
    """A figure as SVG, its caption inside."""
    return vl_convert.vegalite_to_svg(_printable(figure))


def figure_png(figure: Figure) -> bytes:
    """A figure as PNG, its caption inside."""
    return vl_convert.vegalite_to_png(_printable(figure), scale=PNG_SCALE)


def summary_markdown(answer: Answer) -> str:
    """Headline, cohorts, notes and the data they stand on, in words."""
    source = say(
        "export.summary_data",
        snapshot=answer.snapshot,
        cutoff=answer.data_cutoff,
        notice=answer.notice,
    )
    sizes = [
        "- " + say("frame.cohort_n", cohort=c.label, n=c.n_population, n_enrolled=c.n_enrolled)
        for c in answer.cohorts
    ]
    shown = say("frame.population", population=answer.population)
    notes = [f"- {note.text}" for note in answer.notes]
    captions = [f"{figure.code}: {figure.legend}" for figure in answer.figures]
    parts = [answer.headline, source, shown, "\n".join(sizes), "\n".join(notes), *captions]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_answer(answer: Answer, out: Path) -> list[Path]:
    """Write everything behind a view into a folder; the files written."""
    files: dict[str, str | bytes] = {
        "numbers.csv": numbers_csv(answer),
        "summary.md": summary_markdown(answer),
    }
    for table in answer.tables:
        files[f"table_{table.code}.csv"] = table_csv(answer, table)
    for figure in answer.figures:
        files[f"figure_{figure.code}.svg"] = figure_svg(figure)
        files[f"figure_{figure.code}.png"] = figure_png(figure)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        (out / name).write_bytes(data)
    return [out / name for name in files]
