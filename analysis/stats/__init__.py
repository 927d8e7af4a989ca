"""Numbers: pure functions from counts to estimates; every method names its source."""
