"""One adapter a file format; each yields raw text rows with their row number."""
