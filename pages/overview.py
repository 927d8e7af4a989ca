"""Overview: who the cohorts are, what became of everybody, how long they were followed."""

from pages.frame import headline, notes, open_page, table

opened, found = open_page("overview")

headline(found)
for shown in found.tables:
    table(shown)
notes(found)
