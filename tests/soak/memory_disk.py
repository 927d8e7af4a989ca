"""Where thousands of small stores are made and removed: a disk in memory, if there is one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_IN_MEMORY = Path("/dev/shm")


@contextmanager
def memory_folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, removed at the end; in `otherwise` on systems without such a disk."""
    disk = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else otherwise
    with TemporaryDirectory(prefix="soak-", dir=disk) as folder:
        yield Path(folder)
