"""Every string of the screen and of exports, said once, by key: `en` now, others can follow.

A text is a template for `str.format`. Labels of cohorts, endpoints and levels come from the study
definition; these are the words around them.
"""

from trial.words_events import TEXTS as EVENT_TEXTS
from trial.words_exposure import TEXTS as EXPOSURE_TEXTS
from trial.words_patients import TEXTS as PATIENT_TEXTS
from trial.words_response import TEXTS as RESPONSE_TEXTS
from trial.words_survival import TEXTS as SURVIVAL_TEXTS
from trial.words_survival_bridge import TEXTS as BRIDGE_TEXTS
from trial.words_survival_endpoints import TEXTS as SURVIVAL_ENDPOINT_TEXTS
from trial.words_survival_fair import TEXTS as FAIR_TEXTS
from trial.words_survival_later import TEXTS as LATER_TEXTS
from trial.words_survival_subgroups import TEXTS as SUBGROUP_TEXTS
from trial.words_toxicity import TEXTS as TOXICITY_TEXTS

LANGUAGE = "en"

TEXTS: dict[str, dict[str, str]] = {
    "app.title": {"en": "Relapse board"},
    "app.about": {
        "en": "Results of the department's trials. "
        "Every view is a link that shows the same numbers."
    },
    "app.empty": {
        "en": "No data are loaded yet. Load an export with:\n\n"
        "    python -m etl load PATH --mapping NAME\n\nor run `make run`, which loads the examples."
    },
    "page.overview": {"en": "Overview"},
    "page.response": {"en": "Response"},
    "page.toxicity": {"en": "Toxicity"},
    "page.survival": {"en": "Survival"},
    "page.data": {"en": "Data"},
    "frame.study": {"en": "Study and data"},
    "frame.cohorts": {"en": "Cohorts"},
    "frame.lines": {"en": "Line of therapy"},
    "frame.lines_help": {
        "en": "Each kind of line has its own time zero. Different kinds are never compared."
    },
    "frame.synthetic": {"en": "SYNTHETIC DATA: made by a program, no patient. {notice}"},
    "frame.filters": {"en": "Filters"},
    "frame.filters_help": {
        "en": "Tick levels to keep them: OR within a characteristic, AND between them. Nothing "
        "ticked keeps all. Each level shows n after all other filters / n of all."
    },
    "frame.reset": {"en": "Clear filters"},
    "frame.population": {"en": "Shown: {population}"},
    "frame.snapshot": {"en": "Data {snapshot} · cut-off {cutoff}"},
    "frame.cutoff_year": {"en": "not declared, latest date in {year}"},
    "frame.cutoff_unknown": {"en": "not stated in the export"},
    "frame.cohort_n": {"en": "{cohort}: {n} of {n_enrolled} enrolled"},
    "frame.share": {"en": "Link and export"},
    "frame.share_link": {"en": "This address shows the same numbers, next month too:"},
    "frame.share_files": {"en": "The same numbers as files, without a browser:"},
    "frame.newer": {"en": "This link shows data {snapshot}. Newer data {current} exist."},
    "frame.newer_link": {"en": "Show this view on the newer data"},
    "frame.not_current": {"en": "older"},
    "frame.invalid": {"en": "Part of this link is not valid and was not applied:"},
    "frame.dropped": {"en": "Not carried over to these data:"},
    "frame.no_snapshot": {"en": "No numbers are shown."},
    "frame.exists": {"en": "Data that exist here:"},
    "frame.late": {
        "en": "{label} is known only from {known_at} on, after this endpoint's start: filtering by "
        "it would give some patients time they could not have lost (immortal time)."
    },
    "group.label": {"en": "{cohort}, {line}"},
    "group.line_start": {"en": "start of the line"},
    "group.several_lines": {
        "en": "Several kinds of line are shown. They are not compared, and there is no log-rank "
        "test between them: each began for another reason and at another time zero."
    },
    "group.single_arm": {"en": "The study declares {line} not comparable between its cohorts."},
    "link.twice": {"en": "'{parameter}' is given twice; neither was used"},
    "link.no_link": {"en": "'{value}' is not an address"},
    "link.unknown": {"en": "'{parameter}' is not a parameter of this program; it was ignored"},
    "link.version": {
        "en": "the link was made by version {value} of the link format; this program knows {known}"
    },
    "link.no_data": {"en": "the link names no data and nothing is loaded"},
    "link.search": {"en": "nothing in this study is called '{value}' ({parameter})"},
    "link.value": {"en": "'{value}' is not valid for {parameter}; valid are: {allowed}"},
    "link.filter": {"en": "filter not applied: {problem}"},
    "link.no_page": {"en": "'{value}' is not a page of this program; there are: {allowed}"},
    "survival.title": {"en": "{endpoint} by cohort"},
    "survival.endpoint": {"en": "Endpoint"},
    "survival.time": {"en": "Compared at"},
    "survival.tau": {"en": "Mean within (RMST)"},
    "survival.bands": {"en": "95 % bands"},
    "survival.marks": {"en": "Censoring marks"},
    "survival.headline": {"en": "{endpoint} at {time}: {cohorts}."},
    "survival.headline_cohort": {"en": "{cohort} {value} ({limits}; {events} in {n})"},
    "survival.headline_none": {"en": "{cohort}: {reason} ({events} in {n})"},
    "survival.headline_difference": {
        "en": "{cohort} minus {comparator}: {value} percentage points ({limits})."
    },
    "survival.headline_no_difference": {
        "en": "{cohort} minus {comparator}: not estimable ({reason})."
    },
    "survival.nobody": {"en": "No patients match {population} in {cohorts}."},
    "survival.axis_time": {"en": "{unit}s since {origin}"},
    "survival.caption": {
        "en": "{definition} Population: {population}. Kaplan-Meier with 95 % log-log bands; marks: "
        "censored. Under the axis: at risk just before, events and censored before; they add to N. "
        "A curve is pale below {fade} at risk and beyond the follow-up that compared cohorts "
        "share, and ends below {end}; fewer than {fade} patients have none. Data {snapshot}, "
        "cut-off {cutoff}. {notice}"
    },
    "survival.alt": {"en": "Kaplan-Meier curves of {endpoint}. {headline}"},
    "survival.row_at_risk": {"en": "at risk"},
    "survival.row_events": {"en": "events"},
    "survival.row_censored": {"en": "censored"},
    "survival.few": {"en": "fewer than {n} patients"},
    "survival.few_cohorts": {"en": "fewer than two cohorts have {n} patients"},
    "survival.only_one": {"en": "one cohort is chosen: nothing to compare"},
    "survival.not_randomised": {
        "en": "The cohorts were not randomised: differences between them may have other causes."
    },
    "survival.thin": {
        "en": "At {time} fewer than {n} are at risk in {cohorts}: the estimate there is unstable."
    },
    "survival.tau_changed": {
        "en": "Mean within {asked} was asked; {shown} is shown, the longest time with at least {n} "
        "at risk in every cohort."
    },
    "survival.no_tau": {"en": "no declared time has {n} at risk in every cohort"},
    "survival.quarantined": {
        "en": "{n} of {rows_in} rows of the export are quarantined: see the Data page."
    },
    "survival.left_out": {"en": "Not in the figure: {parts}."},
    "survival.left_out_origin": {"en": "{n} of {n_population} in {cohort} never reached {origin}"},
    "survival.left_out_doubt": {
        "en": "{n} of {n_population} in {cohort} have a quarantined row that this endpoint needs"
    },
    "survival.left_out_day": {
        "en": "{n} of {n_population} in {cohort} have no {censor} and no event"
    },
    "survival.reference": {"en": "Compared with {cohort}, the first of the chosen cohorts."},
    "survival.joint": {
        "en": "With {n} cohorts the hazard ratios come from one model of all of them."
    },
    "survival.cell": {"en": "{told}; {events}/{n} events, {at_risk} at risk"},
    "survival.one_event": {"en": "1 event"},
    "survival.events": {"en": "{n} events"},
    "survival.reason": {"en": "{reason} ({state})"},
    "survival.table_milestones": {"en": "Survival at fixed times"},
    "survival.table_at_risk": {"en": "At risk, events, censored"},
    "survival.table_comparison": {"en": "Comparison"},
    "survival.table_cohorts": {"en": "Cohorts"},
    "survival.table_curve": {"en": "The curve, step by step"},
    "survival.table_reasons": {"en": "What ended the time"},
    "column.cohort": {"en": "Cohort"},
    "column.against": {"en": "{cohort} against {comparator}"},
    "column.time": {"en": "Time"},
    "column.survival": {"en": "Survival"},
    "column.at_risk": {"en": "At risk"},
    "column.events": {"en": "Events"},
    "column.events_before": {"en": "Events before"},
    "column.censored_before": {"en": "Censored before"},
    "column.n": {"en": "N"},
    "column.censored": {"en": "Censored"},
    "column.measure": {"en": "Measure"},
    "column.day": {"en": "Day"},
    "column.lower": {"en": "Lower"},
    "column.upper": {"en": "Upper"},
    "column.reason": {"en": "Ended by"},
    "column.file": {"en": "File"},
    "column.source": {"en": "Source"},
    "column.rows_in": {"en": "Rows in"},
    "column.rows_loaded": {"en": "Loaded"},
    "column.rows_quarantined": {"en": "Quarantined"},
    "column.rows_excluded": {"en": "Left out by rule"},
    "column.severity": {"en": "Severity"},
    "column.rule": {"en": "Check"},
    "column.column": {"en": "Column"},
    "column.findings": {"en": "Findings"},
    "column.rows": {"en": "Rows"},
    "column.before": {"en": "Before"},
    "column.now": {"en": "Now"},
    "state.event": {"en": "event"},
    "state.censored": {"en": "censored"},
    "measure.difference": {"en": "Difference at {time}"},
    "measure.rmst": {"en": "Mean within {time}"},
    "measure.rmst_difference": {"en": "Difference of mean within {time}"},
    "measure.hazard_ratio": {"en": "Hazard ratio"},
    "measure.log_rank": {"en": "Log-rank test"},
    "measure.log_rank_all": {"en": "Log-rank test of all {n} cohorts: {value}"},
    "measure.n": {"en": "Patients"},
    "measure.events": {"en": "Events"},
    "measure.censored": {"en": "Censored"},
    "measure.median": {"en": "Median time"},
    "measure.follow_up": {"en": "Median follow-up (reverse Kaplan-Meier)"},
    "measure.completeness": {"en": "Observed of possible follow-up (Clark)"},
    "value.log_rank": {"en": "chi-square {chi_square}, {df} df"},
    "value.with_limits": {"en": "{value} ({limits})"},
    "value.with_p": {"en": "{value}, {p}"},
    "value.limits": {"en": "{lower} to {upper}"},
    "value.not_reached": {"en": "not reached"},
    "value.points": {"en": " percentage points"},
    "value.not_reached_from": {"en": "{reason} (lower limit {lower})"},
    "value.not_estimable": {"en": "not estimable: {reason}"},
    "value.no_interval": {"en": "{value} (no interval: {reason})"},
    "data.headline": {
        "en": "{rows_in} rows in = {rows_loaded} loaded + {rows_quarantined} quarantined"
        "{excluded}; {enrollments} enrollments."
    },
    "data.excluded": {"en": " + {n} left out by rule"},
    "data.no_source": {"en": "none"},
    "data.table_files": {"en": "Files of the load"},
    "data.table_issues": {"en": "Findings by file, check and column"},
    "data.table_cohorts": {"en": "Enrollments by cohort"},
    "data.table_solved": {"en": "Fewer findings than in data {snapshot}: solved"},
    "data.table_solved_findings": {"en": "Solved: findings of the data before that are gone"},
    "data.no_issues": {"en": "No findings: every cell of every row was read as it stood."},
    "data.source": {"en": "Source of the data: {source}. Mapping: {mapping}."},
    "data.synthetic_source": {"en": "a synthetic export; its rows say so"},
    "data.rows_hint": {
        "en": "Rows and raw texts stay in records.duckdb of the snapshot and are not shown here: "
        "they are for clinicians."
    },
    "data.rows_shown": {
        "en": "Rows and raw texts are shown because this program was started for clinicians. "
        "Do not pass them on."
    },
    "data.table_findings": {"en": "Every finding with its cell"},
    "data.table_quarantine": {"en": "Quarantined rows as exported"},
    "column.row": {"en": "Row"},
    "column.raw_text": {"en": "What stood there"},
    "column.message": {"en": "What to do"},
    "column.row_text": {"en": "The row"},
    "export.summary_data": {"en": "Data {snapshot}, cut-off {cutoff}. {notice}"},
    "figure.numbers": {"en": "Numbers of this figure"},
    "figure.names_patients": {"en": "IDENTIFIERS_"},
    "figure.who": {"en": "Who is in this figure"},
    "figure.numbers_who": {"en": "Numbers of this figure, and who is in it"},
    "figure.save_numbers": {"en": "Numbers (CSV)"},
    "figure.save_svg": {"en": "Figure (SVG)"},
    "figure.save_png": {"en": "Figure (PNG)"},
    **BRIDGE_TEXTS,
    **EVENT_TEXTS,
    **EXPOSURE_TEXTS,
    **FAIR_TEXTS,
    **LATER_TEXTS,
    **PATIENT_TEXTS,
    **RESPONSE_TEXTS,
    **SURVIVAL_TEXTS,
    **SURVIVAL_ENDPOINT_TEXTS,
    **SUBGROUP_TEXTS,
    **TOXICITY_TEXTS,
}


class Count(int):
    """A number that a text can put in the plural: `{n} event{n:s}`, `{n} {n:child|children}`."""

    def __format__(self, spec: str) -> str:
        """The plural's ending for `s`, one of two words; else the number."""
        one, bar, several = ("", "|", "s") if spec == "s" else spec.partition("|")
        return (one if self == 1 else several) if bar else format(int(self), spec)


def say(key: str, **values: object) -> str:
    """The text of a key with its values put in. Raises KeyError for a key that is not declared."""
    told = {name: Count(x) if type(x) is int else x for name, x in values.items()}
    return TEXTS[key][LANGUAGE].format(**told)
