"""The one exception that ends a load with nothing published, and text of files in messages."""


def printable(text: str) -> str:
    """A text as a terminal may print it: no control or invisible characters but line breaks."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def shown(text: str, most: int = 60) -> str:
    """A text of a file as a message may quote it: on one line, printable, not long.

    Of a text longer than `most` characters the beginning.
    """
    plain = printable(text[: most + 1].replace("\n", "\N{REPLACEMENT CHARACTER}"))
    return plain if len(plain) <= most else plain[: most - 3] + "..."


class LoadError(Exception):
    """The load cannot go on. The text says what is wrong, where, and what to do."""

    def __init__(self, text: str) -> None:
        """Keep the text without what a terminal would obey."""
        super().__init__(printable(text))
