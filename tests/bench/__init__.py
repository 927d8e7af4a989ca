"""make bench: how fast, how much memory, and the same numbers as the peers."""
