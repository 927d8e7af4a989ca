"""Rows in: files of a trial export -> raw rows -> typed, checked rows -> warehouse."""
