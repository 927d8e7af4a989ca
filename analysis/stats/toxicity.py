"""How much toxicity: rates per course or per time, first events, burden, false discovery rate.

The share of patients with a worst grade of at least g is a proportion (`proportion.wilson`).
Courses of one patient are alike, so every rate here takes the patient as the unit: y_i events in an
exposure m_i (courses or days), rate r = sum y / sum m, the ratio estimator, which is also that of a
Poisson model with offset log m. Its variance is the sandwich clustered by patient,

    var log r = sum of [ (y_i - r m_i) / (1 - m_i / sum m) ]^2 / (sum y)^2 ,

with each residual divided by one less the patient's leverage (CR3, nearly the jackknife), and
Student's t with n - 1 degrees of freedom for n patients: without both (HC0, normal) the interval of
60 patients covers 93 %. Limits are built for log r, or for logit r where r is a share of courses,
so that they stay inside. A ratio of two rates has Satterthwaite's degrees of freedom; a difference
is MOVER from the two intervals. The mean burden is a rate with an exposure of 1 each: burdens are
skewed, and mean +- 1.96 standard errors covers 90 to 93 % at 60 patients, the log interval 93.5 to
95 %.

Without any event the estimate is 0 and only an upper limit is known; it counts each patient once,
whatever the number of courses: for a share 1 - 0.025^(1/n) (Clopper-Pearson of 0 among n patients),
for a rate -log 0.025 = 3.69 in the whole exposure (Poisson; 3.69 / n per patient).

Sources: Cochran, Sampling Techniques, 3rd ed. 1977, chapter 6 (ratio); Liang & Zeger, Biometrika
1986;73:13; Bell & McCaffrey, Survey Methodology 2002;28:169 (CR3); Satterthwaite, Biometrics
Bulletin 1946;2:110; Benjamini & Hochberg, JRSS B 1995;57:289. Oracle: R glm(y ~ cohort, poisson or
binomial) on courses with this sandwich by hand, p.adjust.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, inf, log, sqrt

import numpy as np
import polars as pl
from scipy.special import expit, logit, stdtr, stdtrit

from analysis.stats.competing import StateCounts, state_counts
from analysis.stats.counts import Array
from analysis.stats.estimate import CONFIDENCE_LEVEL, Estimate, not_estimable
from analysis.stats.limits import clopper_pearson, mover_difference

RATE = "rate, patient-clustered log interval"
SHARE = "share of courses, patient-clustered logit interval"
RATIO = "rate ratio, patient-clustered log interval"
BURDEN = "mean grade-days per patient, log interval"
DAYS_PER_YEAR = 365.25
FEWEST_PATIENTS = 10
TAIL = (1 - CONFIDENCE_LEVEL) / 2
NO_SPREAD = 1e-12
WIDEST = 50.0  # a wider interval on the log scale says nothing, and exp() must not overflow


@dataclass(frozen=True)
class PerPatient:
    """One cohort, by patient: `events` and `exposure` (courses or days, above 0), both (n,).

    With `alike` a row stands for so many patients who are alike, so that a million take few rows.
    """

    events: Array
    exposure: Array
    alike: Array | None = None

    @property
    def n(self) -> int:
        """Patients with any exposure."""
        return self.events.size if self.alike is None else int(self.alike.sum())

    @property
    def n_events(self) -> float:
        """Events of all."""
        return float(self._all(self.events).sum())

    @property
    def all_exposure(self) -> float:
        """Exposure of all."""
        return float(self._all(self.exposure).sum())

    def norm(self, of_each: Array) -> float:
        """Root of the sum of squares over patients, of a value of each row."""
        return float(np.sqrt(self._all(of_each**2).sum()))

    def _all(self, of_each: Array) -> Array:
        return of_each if self.alike is None else of_each * self.alike


def per_patient(frame: pl.DataFrame, events: str, exposure: str) -> PerPatient:
    """Sums by patient_key of two columns: n_events and n_courses, or n_events and exposure_days.

    Any number of rows a patient (one a course, say), in any order. Who has no exposure was never at
    risk and does not count. Raises ValueError for a missing or negative number, and for events
    without exposure.
    """
    known = (pl.col(events) >= 0) & (pl.col(exposure) >= 0) & pl.col("patient_key").is_not_null()
    if wrong := frame.filter(~known.fill_null(False)).height:
        raise ValueError(f"{wrong} rows without a patient, or {events} or {exposure} below 0")
    sums = pl.col(events).sum().alias("y"), pl.col(exposure).sum().alias("m")
    by_patient = frame.group_by("patient_key").agg(sums).sort("patient_key")
    y, m = (by_patient[name].to_numpy().astype(float) for name in ("y", "m"))
    if (y[m == 0] > 0).any():
        raise ValueError(f"{events} without {exposure}")
    return PerPatient(y[m > 0], m[m > 0])


@dataclass(frozen=True)
class _Rate:
    """r, the standard error of log r and its degrees of freedom; `reason` why there is no error."""

    value: float
    error: float
    degrees_of_freedom: float
    reason: str | None = None


def _rate(patients: PerPatient) -> _Rate:
    """For at least one event."""
    y, m = patients.events, patients.exposure
    value = patients.n_events / patients.all_exposure
    if patients.n < FEWEST_PATIENTS:
        return _Rate(value, inf, 0, f"fewer than {FEWEST_PATIENTS} patients: no interval")
    of_others = np.maximum(1 - m / patients.all_exposure, NO_SPREAD)
    error = patients.norm((y - value * m) / of_others) / patients.n_events
    reason = "all patients are alike: no interval" if error < NO_SPREAD else None
    if error * stdtrit(patients.n - 1, 1 - TAIL) > WIDEST:
        reason = "one patient has nearly all of the exposure: no interval"
    return _Rate(value, error, patients.n - 1, reason)


def _t(degrees_of_freedom: float) -> float:
    """Student's 97.5 % point."""
    return float(stdtrit(degrees_of_freedom, 1 - TAIL))


def rate(patients: PerPatient, per: float = 1.0) -> Estimate:
    """Events in `per` of exposure: 1 course, 100 courses, DAYS_PER_YEAR days.

    No patients: not estimable. No events: 0 with the Poisson limit of the module's docstring. Fewer
    than 10 patients, or patients without any difference: no interval, and the reason.
    """
    if not patients.n:
        return not_estimable("no patients", RATE)
    if not patients.n_events:
        upper = -log(TAIL) * per / patients.all_exposure
        method = "rate, exact Poisson limit (events taken as independent of each other)"
        return Estimate(0.0, 0.0, upper, method=method, reason=f"no events in {patients.n}")
    found = _rate(patients)
    middle = per * found.value
    if found.reason:
        return Estimate(middle, method=RATE, reason=found.reason)
    factor = exp(_t(found.degrees_of_freedom) * found.error)
    return Estimate(middle, middle / factor, middle * factor, method=RATE)


def share_of_courses(patients: PerPatient) -> Estimate:
    """Courses with the event among all courses; `events` are courses with it, `exposure` courses.

    No events, or the event in every course: the Clopper-Pearson limit of 0 or n of n patients.
    Other degenerate cases as in `rate`. Raises ValueError for more courses with the event than
    courses.
    """
    if (patients.events > patients.exposure).any():
        raise ValueError("more courses with the event than courses")
    if not patients.n:
        return not_estimable("no patients", SHARE)
    share = patients.n_events / patients.all_exposure
    if share in (0, 1):
        return _all_or_none(patients.n, share)
    found = _rate(patients)
    if found.reason:
        return Estimate(share, method=SHARE, reason=found.reason)
    half = _t(found.degrees_of_freedom) * found.error / (1 - share)  # d logit r = d log r / (1 - r)
    lower, upper = (float(expit(logit(share) + way * half)) for way in (-1, 1))
    return Estimate(share, lower, upper, method=SHARE)


def _all_or_none(n: int, share: float) -> Estimate:
    lower, upper = clopper_pearson(n if share else 0, n)
    reason = f"the event in every course of {n}" if share else f"no events in {n}"
    method = "share of courses, Clopper-Pearson limit, a patient counted once"
    return Estimate(share, lower, upper, method=method, reason=reason)


def rate_ratio(reference: PerPatient, other: PerPatient) -> Estimate:
    """Rate of `other` over that of the reference, with two-sided p.

    Without events on a side the ratio has no finite estimate or no lower limit: not estimable.
    """
    if not (reference.n and other.n):
        return not_estimable("a cohort without patients", RATIO)
    if not (reference.n_events and other.n_events):
        return not_estimable("a cohort without events: the ratio has no interval", RATIO)
    one, two = _rate(reference), _rate(other)
    ratio = two.value / one.value
    if reason := one.reason or two.reason:
        return Estimate(ratio, method=RATIO, reason=reason)
    error, degrees = _welch(one.error, one.degrees_of_freedom, two.error, two.degrees_of_freedom)
    factor = exp(_t(degrees) * error)
    p = 2 * float(stdtr(degrees, -abs(log(ratio)) / error))
    return Estimate(ratio, ratio / factor, ratio * factor, p, RATIO)


def _welch(one: float, one_df: float, other: float, other_df: float) -> tuple[float, float]:
    """Standard error of a difference of two, and Satterthwaite's degrees of freedom."""
    variance = one**2 + other**2
    return sqrt(variance), variance**2 / (one**4 / one_df + other**4 / other_df)


def rate_difference(reference: PerPatient, other: PerPatient, per: float = 1.0) -> Estimate:
    """Rate of `other` minus that of the reference, MOVER; holds without events on a side too."""
    found = mover_difference(rate(reference, per), rate(other, per))
    return replace(found, method="difference of rates, MOVER from intervals by patient")


def share_difference(reference: PerPatient, other: PerPatient) -> Estimate:
    """Share of courses of `other` minus that of the reference, MOVER."""
    found = mover_difference(share_of_courses(reference), share_of_courses(other))
    return replace(found, method="difference of shares of courses, MOVER from intervals by patient")


FIRST_EVENT, LEFT_BLOCK = 1, 2


def first_event_counts(patients: pl.DataFrame) -> StateCounts:
    """The first event of a grade within a block (state 1) against leaving the block (state 2).

    One row a patient who started the block and is documented, days from its start:
    first_event_day (null: none), exit_day (next block, relapse, transplant, death or the end),
    is_exit_observed (false: censored on exit_day). On one day the event beats the exit, so a fatal
    event of that kind is the event and no competitor; an event after the exit is none of this
    block. The incidence is aalen_johansen's; without censoring it ends at the proportion. Raises
    ValueError for a day before 0, and for a missing exit without an event.
    """
    first, last = pl.col("first_event_day"), pl.col("exit_day")
    has_event = first.is_not_null() & (last.is_null() | (first <= last))
    left = pl.when(pl.col("is_exit_observed")).then(LEFT_BLOCK).otherwise(0)
    rows = patients.select(
        pl.when(has_event).then(first).otherwise(last).alias("time_days"),
        pl.when(has_event).then(FIRST_EVENT).otherwise(left).alias("state"),
        pl.lit(1).alias("n"),
    )
    if wrong := rows.filter(pl.col("time_days") < 0).height:
        raise ValueError(f"{wrong} rows with a day before the start of the block")
    return state_counts(rows, LEFT_BLOCK)


def grade_days(events: pl.DataFrame, patient_keys: pl.Series) -> Array:
    """Area under the grade curve: for each patient the sum over days of the grade, in their order.

    `events`: patient_key, term_code, grade, start_day, end_day, already cut to the block; both days
    count. Of overlapping events of one term the highest grade counts on each day; terms add up.
    `patient_keys`: all documented patients, those without events too (0). Raises ValueError for a
    missing grade or day, an end before its start, and for events of others.
    """
    known = (pl.col("end_day") >= pl.col("start_day")) & pl.col("grade").is_not_null()
    if wrong := events.filter(~known.fill_null(False)).height:
        raise ValueError(f"{wrong} events without a grade or a day, or that end before they start")
    if wrong := events.filter(~pl.col("patient_key").is_in(patient_keys.to_list())).height:
        raise ValueError(f"{wrong} events of patients who are not documented")
    day = pl.int_ranges(pl.col("start_day"), pl.col("end_day") + 1).alias("day")
    by_day = events.with_columns(day).explode("day").group_by("patient_key", "term_code", "day")
    area = by_day.agg(pl.col("grade").max()).group_by("patient_key").agg(pl.col("grade").sum())
    of_all = patient_keys.alias("patient_key").to_frame().join(area, "patient_key", "left")
    return of_all["grade"].fill_null(0).to_numpy().astype(float)


def mean_burden(burdens: Array) -> Estimate:
    """Mean grade-days per patient, from those of each patient (n,): a rate with exposure 1 each.

    No patients: not estimable. No events, fewer than 10 patients or no spread: no interval, and the
    reason; never 0 (0-0).
    """
    found = rate(PerPatient(burdens, np.ones(burdens.size)))
    if found.estimate == 0:  # grade-days have no Poisson limit
        return Estimate(0.0, method=BURDEN, reason=f"{found.reason}: no interval")
    return replace(found, method=BURDEN)


def burden_difference(reference: Array, other: Array) -> Estimate:
    """Mean grade-days of `other` minus the reference's, MOVER."""
    found = mover_difference(mean_burden(reference), mean_burden(other))
    return replace(found, method="difference of burdens, MOVER from intervals by patient")


def false_discovery_rates(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Benjamini-Hochberg's adjusted p values, in the order given; a missing p counts for nothing.

    The share of false leads to expect among all items with an adjusted p up to this one, within one
    block. Raises ValueError for what is no p value. R: p.adjust(method = "BH").
    """
    given = np.array([p for p in p_values if p is not None], dtype=float)
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError("a p value outside 0 to 1")
    order = np.argsort(given)[::-1]  # the largest p first
    ranks = np.arange(given.size, 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum.accumulate(np.minimum(given[order] * given.size / ranks, 1.0))
    found = iter(adjusted.tolist())
    return tuple(None if p is None else next(found) for p in p_values)
