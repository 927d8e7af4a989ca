"""Surrogate keys: a keyed hash of the source identity.

The secret lies in a file outside the warehouse, readable by its owner alone. With it the same
patient gets the same key at every load, whatever the order of the rows; without it a key leads
back to nobody, and cannot be found by trying identifiers.
"""

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl

from etl.errors import LoadError

ENVIRONMENT = "RELAPSE_BOARD_KEY_FILE"
# Bytes that SHA-256 takes at once, which is how long HMAC makes its key.
BLOCK = 64


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


def surrogate_keys(secret: bytes, kind: str, study_code: str, ids: Iterable[str]) -> pl.Series:
    """Positive 63-bit keys of identities: HMAC-SHA-256, cut. Equal ones of a kind get equal keys.

    The two hashes that HMAC (RFC 2104) makes of the secret are made once, not for every identity.
    """
    block = hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret
    padded = block.ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    inner.update("\x1f".join((kind, study_code, "")).encode())
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def first_bytes(identity: str) -> bytes:
        message, digest = inner.copy(), outer.copy()
        message.update(identity.encode())
        digest.update(message.digest())
        return digest.digest()[:8]

    keys = np.frombuffer(b"".join(map(first_bytes, ids)), dtype=">u8")
    return pl.Series((keys >> 1).astype(np.int64))
