"""The cells of a sheet before anything is known of them: lines of text and merged ranges."""

import re
from dataclasses import dataclass

# A number, a share, an error, a dash for 'none': what stands in rows of totals, but in no heading.
_FIGURE = re.compile(r"-|#.*|-?[0-9\s]+(?:[.,][0-9]+)?\s*%?")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a sheet: its number as the program shows it, its cells from column A on."""

    number: int
    cells: tuple[str, ...]

    def words(self, column: int) -> str:
        """The text of a cell on one line, without outer spaces; '' beyond the last cell."""
        return " ".join(self.cells[column].split()) if column < len(self.cells) else ""

    @property
    def filled(self) -> tuple[str, ...]:
        """The cells that hold more than spaces."""
        return tuple(cell for cell in self.cells if cell and not cell.isspace())


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range: rows as shown, columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


def is_figure(text: str) -> bool:
    """Whether a text, without outer spaces, is a figure and no word or date."""
    return bool(_FIGURE.fullmatch(text))


def column_letters(column: int) -> str:
    """A column (from 0) as the program calls it: A, B, ..., Z, AA, AB."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def column_number(letters: str) -> int:
    """The column (from 0) that letters name: the reverse of `column_letters`."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def place(row: int, column: int) -> str:
    """A cell as the program calls it; `column` counts from 0."""
    return f"{column_letters(column)}{row}"
