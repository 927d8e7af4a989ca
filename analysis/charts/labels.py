"""Labels of axes that hold any text: several lines, at places of our choice, never as code."""

import json
import textwrap
from collections.abc import Mapping, Sequence

# Latin letters of 12 pixels are this wide on average; a little more, so that nothing touches.
LETTER = 6.4


def label_expr(lines: Mapping[float, Sequence[str]], digits: int, start: float = 0.0) -> str:
    """A Vega expression that gives each value of an axis its lines of text.

    The lines go in as JSON: quotes, `datum.x` and tags stay text. A value is found by the decimal
    form of its distance from `start`, so values must not lie below it and must differ in it.
    """
    table = {f"{value - start:.{digits}f}": list(texts) for value, texts in lines.items()}
    texts = json.dumps(table).replace("<", "\\u003c")
    return f"{texts}[format(datum.value - ({start!r}), '.{digits}f')]"


def wrapped(text: str, pixels: float) -> list[str]:
    """A text in lines of at most so many pixels, at least eight letters; at least one line."""
    return textwrap.wrap(text, max(8, int(pixels / LETTER))) or [""]
