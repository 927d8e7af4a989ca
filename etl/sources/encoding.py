"""Bytes of a text file -> which encoding they are in.

A byte order mark decides. Without one, bytes that are UTF-8 are UTF-8: text in another encoding
is so by accident only if it is a word or two. NUL bytes on every other place are UTF-16. The rest
is a one-byte encoding, told by its letters: Russian words are runs of letters beyond ASCII, Western
words have single ones between ASCII letters. Among the Russian encodings, cp1251 is the one in use;
KOI8-R and cp866 must fit clearly better, by how often each letter occurs in Russian.
"""

import codecs
import re
from dataclasses import dataclass
from math import log

from etl.errors import LoadError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_SAMPLE = 256 * 1024
_SLICE = 4 * 1024 * 1024
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_RUN = re.compile(rb"[\x80-\xff]{2,}")
_WORD = re.compile(rb"[A-Za-z\x80-\xff]{2,}")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
# Of 10,000 letters of Russian prose, how many are this one (rounded; the order is what matters).
_FREQUENT = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        (1097, 845, 801, 735, 670, 626, 547, 473, 454, 440, 349, 321, 298, 281, 262, 201, 190)
        + (174, 170, 165, 159, 144, 121, 97, 94, 73, 64, 48, 36, 32, 26, 4, 4),
        strict=True,
    )
)
_NO_LETTER = 1
# Clearly better: by so much a letter (natural logarithm), on so many letters.
_CLEARLY, _LETTERS = 0.5, 12


@dataclass(frozen=True)
class Text:
    """Text as bytes in which ASCII is ASCII, without a mark. `said`: the encoding it came in."""

    data: bytes
    encoding: str
    said: str


def text_of(name: str, data: bytes) -> Text:
    """The text in these bytes.

    Raises LoadError if they hold NUL bytes and are not UTF-16, contradict their byte order mark,
    are UTF-8 with damage, or no character of the encoding that fits best.
    """
    for mark, encoding, said in _MARKS:
        if data.startswith(mark):
            return _unicode(name, data[len(mark) :], encoding, said)
    if b"\x00" in data:
        return _unicode(name, data, _utf16_without_mark(name, data), "UTF-16")
    if _is_utf8(data):
        return Text(data, "utf-8", "UTF-8")
    _refuse_damaged_utf8(name, data)
    return _one_byte(name, data)


def _unicode(name: str, data: bytes, encoding: str, said: str) -> Text:
    if encoding == "utf-8" and _is_utf8(data):
        text = data
    else:
        text = _strictly(name, data, encoding, said).encode("utf-8")
    if b"\x00" in text:
        raise _binary(name)
    return Text(text, "utf-8", said)


def _strictly(name: str, data: bytes, encoding: str, said: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise LoadError(
            f"{name}: not {said} text from byte {error.start + 1} on, though it begins as such. "
            "Export it again."
        ) from error


def _binary(name: str) -> LoadError:
    return LoadError(
        f"{name}: not a CSV text file (it holds NUL bytes). Export it as CSV or as a workbook."
    )


def _utf16_without_mark(name: str, data: bytes) -> str:
    """UTF-16 has its NUL bytes all on the same side, and reads as letters in use here."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    encoding = "utf-16-le" if odd and not even else "utf-16-be"
    if len(data) % 2 or (even and odd):
        raise _binary(name)
    sample = data[:_SAMPLE].decode(encoding, errors="replace")
    if sum(c < "\u0530" or "\u2000" <= c < "\u2c00" for c in sample) < 0.9 * len(sample):
        raise _binary(name)
    return encoding


def _is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8, found piece by piece: a whole copy could be gigabytes."""
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _SLICE):
            decoder.decode(data[start : start + _SLICE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _sample(data: bytes) -> bytes:
    """The part of the text from its first letter beyond ASCII on."""
    first = re.search(rb"[\x80-\xff]", data)
    start = first.start() - 1 if first and first.start() else 0
    return data[start : start + _SAMPLE]


def _refuse_damaged_utf8(name: str, data: bytes) -> None:
    """One bad byte must not turn every Russian word of a UTF-8 file into something else."""
    sample = _sample(data)
    beyond = len(re.findall(rb"[\x80-\xff]", sample))
    if sum(map(len, _UTF8_SEQUENCE.findall(sample))) >= 0.8 * beyond:
        _strictly(name, data, "utf-8", "UTF-8")


def _one_byte(name: str, data: bytes) -> Text:
    encoding, said = _by_letters(_sample(data))
    for start in range(0, len(data), _SLICE):
        try:
            data[start : start + _SLICE].decode(encoding)
        except UnicodeDecodeError as error:
            raise LoadError(
                f"{name}: neither UTF-8 nor {said} text (byte {start + error.start + 1}). "
                "Save it as CSV UTF-8."
            ) from error
    return Text(data, encoding, said)


def _by_letters(sample: bytes) -> tuple[str, str]:
    if is_western(sample):
        return "cp1252", "windows-1252"
    runs = _RUN.findall(sample)
    letters = sum(map(len, runs))
    usual = _russian(runs, "cp1251") + _CLEARLY
    others = {"koi8-r": "KOI8-R", "cp866": "cp866"}
    best = max(others, key=lambda encoding: _russian(runs, encoding))
    if letters >= _LETTERS and _russian(runs, best) > usual:
        return best, others[best]
    return "cp1251", "cp1251"


def is_western(text: bytes) -> bool:
    """Whether most letters beyond ASCII stand in words that have ASCII letters too."""
    mixed = alone = 0
    for word in _WORD.findall(text):
        n_ascii = len(_ASCII_LETTER.findall(word))
        mixed += (len(word) - n_ascii) * bool(n_ascii)
        alone += len(word) * (not n_ascii)
    return mixed > alone


def _russian(runs: list[bytes], encoding: str) -> float:
    """How Russian the words look: the mean logarithm of how frequent their letters are.

    A capital after a small letter counts as no letter: it tells KOI8-R, where case is the other
    way round.
    """
    total = n_letters = 0
    for word in (run.decode(encoding, errors="replace") for run in runs):
        for before, letter in zip(" " + word, word, strict=False):
            wrong = before.islower() and letter.isupper()
            total += log(_NO_LETTER if wrong else _FREQUENT.get(letter.lower(), _NO_LETTER))
        n_letters += len(word)
    return total / max(1, n_letters)
