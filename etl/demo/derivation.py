"""Time of relapse, site group and risk group of B-lineage relapses, as ALL-REZ BFM defines them.

Source: the strategic groups S1-S4 of ALL-REZ BFM 2002 and IntReALL 2010 (very early: less than 18
months after the first diagnosis; late: 6 months or more after the end of frontline therapy).
Months are those of the calendar: a day that the month does not have is its last day.
"""

import numpy as np

TIMINGS = ("very early", "early", "late")
SITES = ("BM", "BM+CNS", "BM+testis", "CNS", "testis", "other EM")
UNKNOWN = -1

# Columns: bone marrow alone, combined, extramedullary alone.
_RISK = np.array([[4, 4, 2], [3, 2, 2], [2, 2, 1]])
_SITE_GROUP = np.array([0, 1, 1, 2, 2, 2])


def months_later(day: np.ndarray, months: int) -> np.ndarray:
    """Days since 1970, `months` of the calendar after `day`. A day that is not finite stays so."""
    known = np.isfinite(day)
    date = np.where(known, day, 0).astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    later = month + months
    last = (later + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    moved = np.minimum(later.astype("datetime64[D]") + (date - month.astype("datetime64[D]")), last)
    return np.where(known, moved.astype(float), day)


def timing(
    diagnosis: np.ndarray, frontline_end: np.ndarray, on_frontline: np.ndarray, relapse: np.ndarray
) -> np.ndarray:
    """Index into TIMINGS, or UNKNOWN. `on_frontline`: 1 yes, 0 no, UNKNOWN; an end that is not
    known is infinite."""
    ended = np.isfinite(frontline_end)
    half_year = months_later(frontline_end, 6)
    result = np.full(len(relapse), UNKNOWN)
    result[(on_frontline == 1) | (ended & (relapse < half_year))] = 1
    result[ended & (relapse >= half_year)] = 2
    result[relapse < months_later(diagnosis, 18)] = 0
    return result


def risk(timing: np.ndarray, site: np.ndarray) -> np.ndarray:
    """1-4 for S1-S4, or UNKNOWN where the timing is. S3 and S4 are high risk."""
    return np.where(timing == UNKNOWN, UNKNOWN, _RISK[timing, _SITE_GROUP[site]])
