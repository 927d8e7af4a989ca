"""The rules that a reading can name: a repair changed the text, an error made it unreadable."""

REPAIRS = {
    "decimal_comma": "The decimal comma was read as a decimal point.",
    "thousands_separator": "The spaces between thousands were removed.",
    "power_of_ten": "A power of ten was read as a number; it says a fraction, so 10^-4 is 0.01 %.",
    "percent_in_value": "The percent sign was taken out of the value and read as its unit.",
    "negative_word": "A word for a negative result was read as `undetectable`.",
    "detected_word": "A word for a detected, not quantified result was read as `detected`.",
    "missing_word": "A word or sign for 'no data' was read as a missing value.",
    "look_alike_letters": "Letters of another alphabet that look the same were replaced.",
    "spelling": "Case, spaces, hyphens, ё or invisible characters were read as in the known text.",
    "roman_numeral": "A roman numeral was read as a number.",
    "grade_range": "A range of grades: its lowest and its highest grade are both kept.",
    "grade_word": "A word for the severity was read as its CTCAE grade.",
    "date_shape": "The date was written another way than dd.mm.yyyy, but can only mean one day.",
    "excel_serial": "A day number of Excel (1900 date system) was read as a date.",
    "us_date": "The month stood before the day, as in the United States; it was read so.",
    "partial_date": "The day of the month was not given; the 15th was taken.",
    "partial_year": "Only the year was given; the first of July was taken.",
}
ERRORS = {
    "ambiguous_date": "Day, month or year could be either number. Write the date as dd.mm.yyyy.",
    "not_a_date": "Not a full date. Write it as dd.mm.yyyy in the export.",
    "impossible_date": (
        "No such day in the calendar, or a year before 1900 or after 2099. "
        "Correct it in the export."
    ),
    "placeholder_date": (
        "This date stands for 'not known'. Leave the cell empty, or fill in the date."
    ),
    "ambiguous_unit": (
        "The unit is not known, and percent and fraction differ by 100. Fill in % or fraction."
    ),
    "unit_contradiction": (
        "The value and the unit cell, or two marks in the value, say different units. Correct one."
    ),
    "several_values": "More than one result in a cell. Give each its own row and date.",
    "spreadsheet_error": (
        "A formula failed in the spreadsheet, or was never calculated there. Mend it, let the "
        "spreadsheet calculate, save and export again."
    ),
    "not_a_grade": "Not a grade from 1 to 5. Correct it in the export.",
    "not_a_number": "Not a number. Numbers are written with digits and a decimal point.",
    "out_of_range": "The value is outside its possible range. Check value and unit in the export.",
    "unknown_code": "Not a known code. Add it to the mapping if it is one.",
}
MESSAGES = {**REPAIRS, **ERRORS}


def severity(rule: str) -> str:
    """`repair` or `error`. Raises KeyError for what is no rule of a reading."""
    if rule not in MESSAGES:
        raise KeyError(rule)
    return "repair" if rule in REPAIRS else "error"
