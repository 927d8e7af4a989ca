"""Data: what was loaded, what was kept out, and by which check."""

from pages.frame import headline, notes, open_page, table

opened, found = open_page("data")

headline(found)
for shown in found.tables:
    table(shown)
notes(found)
