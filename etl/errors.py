"""The one exception that ends a load with nothing published."""


class LoadError(Exception):
    """The load cannot go on. The text says what is wrong, where, and what to do."""
