"""The strings of kinds of blocks, time and burden of the toxicity page."""

TEXTS: dict[str, dict[str, str]] = {}
