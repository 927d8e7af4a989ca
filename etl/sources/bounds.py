"""How much a file of an export may ask for before it is refused, each bound with its reason."""

from dataclasses import dataclass

MB = 1024 * 1024


@dataclass(frozen=True)
class Bounds:
    """The bounds of one reading. Tests lower them; nobody else has a reason to."""

    # A registry of ten million rows is 0.5 GB as CSV. More than this fills memory or disk.
    total_bytes: int = 4096 * MB
    # All cells of a workbook are in memory at once; a million rows of 20 cells are 0.7 GB of XML.
    workbook_bytes: int = 1024 * MB
    # Repetitive tables shrink 20 to 100 times, bombs 1,000 times and more. Small ones do no harm.
    ratio: int = 200
    free_of_ratio_bytes: int = 50 * MB
    # The largest real export (one file a patient and form) stays far below.
    members: int = 10_000
    # What an archive's list of contents may take: it is read into memory before it can be counted.
    listing_bytes: int = 8 * MB
    # A row of the widest spreadsheet is shorter; an unclosed quote can swallow the whole file.
    record_bytes: int = 10 * MB
    # What the widest spreadsheet has.
    columns: int = 16_384
    # Rows that do not fit are kept one by one. So many are no table with bad rows but no table.
    misfits: int = 1_000_000
    # How much of a text is looked at or parsed at a time: parsing needs several times as much.
    piece_bytes: int = 16 * MB


BOUNDS = Bounds()
