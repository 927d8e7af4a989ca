"""Surrogate keys: a keyed hash of the source identity.

The secret lies in a file outside the warehouse, readable by its owner alone. With it the same
patient gets the same key at every load, whatever the order of the rows; without it a key leads
back to nobody, and cannot be found by trying identifiers.
"""

import hashlib
import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from etl.errors import LoadError

ENVIRONMENT = "RELAPSE_BOARD_KEY_FILE"


def key_file() -> Path:
    """Where the secret lies: $RELAPSE_BOARD_KEY_FILE, else in the user's configuration folder."""
    if named := os.environ.get(ENVIRONMENT):
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "relapse-board" / "identity.key"


def read_secret(path: Path | None = None) -> bytes:
    """The secret, made on first use (32 random bytes, mode 600).

    Raises LoadError if the file is too short or if others than its owner can read it.
    """
    path = path or key_file()
    if not path.exists():
        _make_secret(path)
    return _checked_secret(path)


def _make_secret(path: Path) -> None:
    """Make the secret under another name and link it: nobody ever sees half of it."""
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        # A load that was faster has made it: then its secret is the one.
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    except OSError as error:
        raise LoadError(f"{path}: the key file cannot be made: {error.strerror}.") from error


def _checked_secret(path: Path) -> bytes:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise LoadError(f"{path}: others can read the key file. Run: chmod 600 {path}")
    secret = path.read_bytes()
    if len(secret) < 32:
        raise LoadError(f"{path}: the key file is shorter than 32 bytes. Restore it from backup.")
    return secret


def surrogate_key(secret: bytes, kind: str, *identity: str) -> int:
    """A positive 63-bit key for an identity. Equal identities of one kind get equal keys."""
    message = "\x1f".join((kind, *identity)).encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> 1
