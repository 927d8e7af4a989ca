"""Data: what was loaded, what was kept out, and by which check."""

from analysis.data import clinician_tables
from pages.frame import listing, notes, open_page, table

opened, found = open_page("data")

for shown in found.tables:
    table(shown)
for shown in clinician_tables(opened.snapshot):
    listing(shown)
notes(found)
