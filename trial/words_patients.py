"""The strings of the pages about patients beside survival: overview, response, toxicity, gate."""

TEXTS: dict[str, dict[str, str]] = {
    "frame.caption": {
        "en": "{told} Population: {population}. Data {snapshot}, cut-off {cutoff}. {notice}"
    },
    "frame.primary": {
        "en": "Primary measure of this page, declared in the study definition: {measure}. All else "
        "here is secondary or exploratory."
    },
    "share.cell": {"en": "{counted} ({value}; {limits})"},
    "share.minus": {"en": "{cohort} minus {comparator}"},
    "share.named": {"en": "{group} {told}"},
    "share.of": {"en": "{group}: {reason}"},
    "share.headline": {"en": "{label}: {parts}."},
    "column.minus_events": {"en": "{cohort} minus {comparator}, events a course"},
    "column.minus": {"en": "{cohort} minus {comparator}, percentage points"},
    "value.none": {"en": "–"},
    # ---------------------------------------------------------------- overview
    "overview.headline": {"en": "{parts}. Counted: {population}."},
    "overview.table_left_out": {"en": "Who is counted, and who was left out"},
    "overview.table_follow_up": {"en": "Follow-up"},
    "overview.table_outcomes": {"en": "What became of everybody at the data cut-off (adds to N)"},
    "overview.table_baseline": {"en": "At enrollment"},
    "overview.deaths": {"en": "Events ({endpoint})"},
    "overview.mean_label": {"en": "mean ± SD, {unit}"},
    "overview.mean": {"en": "{mean} ± {sd} (n = {n})"},
    "overview.smd_two": {"en": "needs two groups"},
    "overview.smd_note": {
        "en": "SMD: standardised mean difference over all levels, not recorded included. One above "
        "{limit} proves nothing at this size: chance alone often makes it."
    },
    "overview.remission": {"en": "of these in remission by the landmark"},
    "overview.late": {"en": "of no remission: remission later"},
    "overview.total": {"en": "N"},
    "overview.detail": {"en": "{label}, {detail}"},
    "overview.unknown": {"en": "site not recorded"},
    "overview.lost": {"en": "in remission, lost to follow-up"},
    "overview.alive_in_remission": {"en": "alive in remission"},
    "overview.not_evaluable": {
        "en": "response not known (never assessed, or not observed so long)"
    },
    "overview.in_doubt": {"en": "a quarantined row might tell"},
    "overview.no_follow_up": {"en": "no row says how long it was observed"},
    "overview.quarantined": {
        "en": "{n} of {of} rows that enroll patients are quarantined: those children are in no "
        "number of any page. See the Data page."
    },
    "overview.excluded": {
        "en": "{n} of {of} rows of the export that could enroll somebody were left out by rule: "
        "{reason}."
    },
    "overview.baseline_of_enrollment": {
        "en": "The characteristics are those of the enrollment, that is of the relapse it began "
        "with, also for lines that began later; filters mean the same."
    },
    "overview.not_judged": {
        "en": "What became of everybody is shown for lines whose response is judged, not for: "
        "{lines}."
    },
    "overview.both": {
        "en": "{n} children are enrolled in both cohorts; of each kind of line only the first "
        "is counted."
    },
    "overview.late_entry": {
        "en": "{n} of {of} were registered more than 14 days after day 0. They are counted from "
        "day 0 on, in which they could not have died: read early survival with care."
    },
    "overview.differs": {
        "en": "{recorded} differs from {derived} in {n} of {of} in whom both are known (all in "
        "these lines, whatever the filters)."
    },
    # ---------------------------------------------------------------- toxicity
    "column.item": {"en": "Adverse event"},
    "column.block": {"en": "Block"},
    "column.started": {"en": "Started"},
    "column.documented": {"en": "Events documented"},
    "column.undocumented": {"en": "Not documented"},
    "column.courses": {"en": "Courses"},
    "column.days_at_risk": {"en": "Days at risk, mean"},
    "column.scales": {"en": "Graded by"},
    "column.false_discovery": {"en": "False discovery rate"},
    "column.characteristic": {"en": "Characteristic"},
    "column.level": {"en": "Level"},
    "column.smd": {"en": "SMD"},
    "column.outcome": {"en": "Outcome"},
    "column.enrolled": {"en": "Enrolled"},
    "column.other_line": {"en": "Without such a line, or a later one of the child"},
    "column.of_line": {"en": "With such a line"},
    "column.filtered": {"en": "Filtered out"},
    "column.population": {"en": "Population"},
    "column.state": {"en": "State"},
    # ---------------------------------------------------------------- competing events
    "incidence.caption": {
        "en": "{definition} Aalen-Johansen estimate with 95 % log(-log) bands. Under the axis: at "
        "risk just before, and before then: events, competing events, censored; they add to N. A "
        "curve is pale below {fade} at risk and beyond the follow-up that compared cohorts share, "
        "and ends below {end}, where somebody was censored before.{too_few}"
    },
    "states.caption": {
        "en": "{definition} Aalen-Johansen estimates. Shares are pale below {fade} at risk and "
        "beyond the follow-up that the cohorts share, and end below {end} at risk, where "
        "somebody was censored before.{too_few}"
    },
    "incidence.alt": {"en": "{endpoint} over time. {headline}"},
    "incidence.cell": {"en": "{told}; {events}/{n}"},
    "states.headline": {"en": "At {time}, {parts}."},
    "states.cohort": {"en": "{cohort} ({n}): {shares}"},
    "states.share": {"en": "{value} {state}"},
    "incidence.no_event": {"en": "none of these yet"},
    "incidence.table_states": {"en": "States at fixed times (estimates add to 100 %)"},
    "incidence.among": {
        "en": "Among those who reached the origin; the cohorts may differ in who did. The whole "
        "cohort is under the endpoint that shows what became of everybody."
    },
    "incidence.no_km": {
        "en": "Cumulative incidence, not 1 - Kaplan-Meier: who has had a competing event can no "
        "longer have this one, and 1 - Kaplan-Meier would overstate it."
    },
    "states.axis": {"en": "Share of all enrolled"},
    "states.title": {"en": "{group}: what became of all {n}"},
    "survival.row_competing": {"en": "competing"},
    "survival.not_defined": {"en": "{endpoint} is not defined for: {lines}."},
    # ---------------------------------------------------------------- disclosure
    "disclosure.short": {"en": "withheld"},
    "disclosure.reason": {"en": "withheld: too few patients"},
    "disclosure.headline": {
        "en": "The headline is withheld: it would tell of too few patients. "
        "Choose a wider population."
    },
    "disclosure.population": {
        "en": "Withheld: this selection leaves too few patients in or out of {cohorts}. Choose a "
        "wider population."
    },
    "disclosure.figure": {
        "en": "The figure '{title}' is withheld: single steps of it tell of too few patients."
    },
    "disclosure.policy": {
        "en": "Numbers of 1 to fewer than {k} patients are withheld here, with everything that "
        "goes with them or from which they could be worked out: often the small number is not "
        "the one shown, but what would be left beside it. Withheld is not zero."
    },
    "disclosure.strip": {"en": "{cohort}: withheld"},
    "disclosure.unknown": {
        "en": "{variable}={value} is not a policy this program knows. Set it to exact, k, or k10 "
        "for another threshold than 5. Until then nothing is shown."
    },
    "disclosure.unknown_role": {
        "en": "{variable}={value} is not a role this program knows. Set it to viewer or clinician."
    },
    "disclosure.role_and_policy": {
        "en": "{access}=clinician shows exact numbers and rows; {policy} withholds small cells. "
        "Choose one of the two."
    },
}
