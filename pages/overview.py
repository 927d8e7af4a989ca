"""Overview: who the cohorts are, what became of everybody, how long they were followed."""

from pages.frame import notes, open_page, table

opened, found = open_page("overview")

for shown in found.tables:
    table(shown)
notes(found)
