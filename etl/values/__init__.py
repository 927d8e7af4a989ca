"""Values: what one cell of a messy export says, and what had to be repaired to read it.

Every reader takes the text of one cell and gives a `Read`: a value, the rules of the repairs, or
the rule of the error. `MESSAGES` has a sentence for each rule. The readers are pure and accept any
text. What they hold to:

- A repair has one possible meaning. Where two are possible (a bare `0,01`, `03/04/2019`) the cell
  is an error: a row kept out is seen, a value guessed wrong is not.
- An error comes alone: what else might be repaired in a cell that cannot be read is not said.
- An empty text is missing and nothing is said of it. Spaces around a text do not matter; whoever
  calls has already taken them off and recorded that.
- Digits are ASCII digits. Full-width or Arabic digits are no number and no date: no clinic here
  types them, so they are the mark of a file that was decoded wrongly.
"""

from etl.values.codes import read_code, spelled_alike
from etl.values.dates import read_date
from etl.values.grades import EVENT_WITHOUT_GRADE, Grade, is_severity, read_grade
from etl.values.measured import UNITS, Measured, read_measured
from etl.values.numbers import read_number
from etl.values.read import Read
from etl.values.rules import MESSAGES, severity

__all__ = [
    "EVENT_WITHOUT_GRADE",
    "MESSAGES",
    "UNITS",
    "Grade",
    "Measured",
    "Read",
    "is_severity",
    "read_code",
    "read_date",
    "read_grade",
    "read_measured",
    "read_number",
    "severity",
    "spelled_alike",
]
