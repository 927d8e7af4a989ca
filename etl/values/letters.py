"""Letters that look like others, and roman numerals.

Look-alikes are the letters drawn the same in common typefaces (Unicode Technical Standard 39,
confusables), of Cyrillic and Greek to Latin. Small letters only where they too are drawn the same:
`в` is no `b`, though `В` is a `B`. `З` is taken for the digit 3, as typed in clinics.
"""

_CYRILLIC = ("АВЕКМНОРСТУХЅІӀЈԚԜаеорсухѕіјһԛԝЗз", "ABEKMHOPCTYXSIIJQWaeopcyxsijhqw33")
_GREEK = ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo")
_LATIN = str.maketrans("".join(pair[0] for pair in (_CYRILLIC, _GREEK)), _CYRILLIC[1] + _GREEK[1])

_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_FIRST_NUMERAL_SIGN = 0x2160
ROMAN = {numeral: number for number, numeral in enumerate(_NUMERALS, start=1)} | {
    chr(_FIRST_NUMERAL_SIGN + place): place + 1 for place in range(len(_NUMERALS))
}


def without_look_alikes(text: str) -> str:
    """`text` with each look-alike replaced by the Latin letter or digit that it looks like."""
    return text.translate(_LATIN)
