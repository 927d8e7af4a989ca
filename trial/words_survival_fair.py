"""The strings of two parts of the survival page: the fair comparison, and the cohorts by year."""

TEXTS: dict[str, dict[str, str]] = {
    # ---------------------------------------------------------------- why there is none
    "fair.randomised": {
        "en": "The cohorts were randomised: their plain comparison is the fair one, no weights."
    },
    "fair.no_covariates": {
        "en": "This study declares no covariates of a fair comparison: nothing to adjust for."
    },
    "fair.only_survival": {
        "en": "Weighted comparisons are of survival endpoints. {endpoint} has competing events: "
        "choose an endpoint such as {other}."
    },
    "fair.no_survival": {
        "en": "Weighted comparisons are of survival endpoints, and this study has none."
    },
    "fair.refused": {"en": "No fair comparison. {reason}"},
    "fair.alone": {"en": "No fair comparison: {reason}."},
    # ---------------------------------------------------------------- headline
    "fair.whom_overlap": {"en": "in patients whom both cohorts could have had"},
    "fair.whom_newer": {"en": "in patients like those of {cohort}"},
    "fair.headline": {
        "en": "{endpoint} at {time}, {cohort} minus {comparator}: as they were {crude}; weighted, "
        "{whom}, {weighted}. {mean}{verdict} Not randomised: only {covariates} are balanced."
    },
    "fair.headline_mean": {
        "en": "Mean within {time} instead: as they were {crude}; weighted {weighted}. "
    },
    "fair.balanced": {"en": "Balanced enough."},
    "fair.unbalanced": {"en": "NOT balanced enough, so do not take it for fair: {failures}."},
    "fair.headline_refused": {
        "en": "No fair comparison of {cohort} with {comparator}: {reasons}. {endpoint} at {time} "
        "as they were: {crude}."
    },
    "fair.headline_stratified": {"en": "Within strata of {by}: hazard ratio {ratio}."},
    "fair.points": {"en": "{value} percentage points ({limits})"},
    "fair.points_bare": {"en": "{value} percentage points (no interval: {reason})"},
    # ---------------------------------------------------------------- notes
    "fair.not_randomised": {
        "en": "Historical comparison, exploratory: weights balance {covariates} and nothing else. "
        "Whatever differs beside them (care, years, what was not recorded) may still be the cause."
    },
    "fair.one_sided": {
        "en": "Left out of the weighted comparison, since only one cohort has such patients: "
        "{parts}."
    },
    "fair.one_sided_part": {"en": "{label}: {level}, {n} of {of} in {cohort}"},
    "fair.missing": {
        "en": "Not recorded is a level of its own. With every covariate known are {parts}: the "
        "same comparison of them alone stands beside, as complete cases."
    },
    "fair.missing_part": {"en": "{n} of {of} in {cohort}"},
    "fair.complete_refused": {"en": "Complete cases alone: {reasons}."},
    "fair.both": {
        "en": "{n} of {of} patients are in {cohort} and in {comparator}: the rows of each are one "
        "cluster of the hazard ratio, and the curves are not independent."
    },
    "fair.cut": {
        "en": "Follow-up is unequal: hazard ratios and E-values, crude and weighted, are of the "
        "first {time}, which every cohort shares."
    },
    "fair.e_value": {
        "en": "E-value: so strongly, as a risk ratio with cohort and with outcome alike, would "
        "something not recorded have to act to explain the weighted hazard ratio away; then the "
        "limit nearer to 1. An E-value of 1 needs nothing."
    },
    "fair.noise": {
        "en": "A standardized difference above 0.1 before weighting proves nothing at this size: "
        "chance alone gives it. It says what had to be balanced."
    },
    # ---------------------------------------------------------------- figures
    "fair.title_crude": {"en": "As they were: {cohort} and {comparator}"},
    "fair.title_weighted": {"en": "Weighted, {whom}"},
    "fair.title_balance": {"en": "Balance: {cohort} and {comparator}"},
    "fair.title_overlap": {"en": "Who could have been in either cohort"},
    "fair.caption_crude": {
        "en": "{definition} Kaplan-Meier with 95 % log-log bands, as in the figure above."
    },
    "fair.caption_weighted": {
        "en": "{definition} Weighted Kaplan-Meier, {whom}. {weights} The propensity of {cohort} is "
        "a logistic regression on {covariates}, declared before; not recorded is a level. Robust "
        "95 % log-log bands that take the weights as known. Under the axis: patients, not weights."
    },
    "fair.weights_overlap": {
        "en": "Overlap weights: those equally typical of both cohorts count most."
    },
    "fair.weights_newer": {
        "en": "Patients of {comparator} are weighted to be like those of {cohort}, who count one "
        "each."
    },
    "fair.caption_balance": {
        "en": "Standardized difference of each covariate (Yang and Dalton) between {cohort} and "
        "{comparator}, with all patients as they were{after}. Dashed: the largest that is "
        "accepted. It is a distance and no test."
    },
    "fair.caption_after": {"en": " and weighted"},
    "fair.caption_overlap": {
        "en": "Patients by their propensity of {cohort} given {covariates}: {cohort} upwards, "
        "{comparator} downwards. Grey: the range that both cohorts have, {inside} of {of} patients "
        "in it; at least 80 % are needed."
    },
    "fair.alt": {"en": "{title}. {headline}"},
    "fair.before": {"en": "As they were"},
    "fair.after": {"en": "Weighted"},
    "fair.axis_balance": {"en": "Standardized difference"},
    "fair.axis_overlap": {"en": "Propensity of {cohort}"},
    "fair.without_time": {"en": "without a time of this endpoint"},
    "fair.one_sided_short": {"en": "with a level that only one cohort has"},
    # ---------------------------------------------------------------- tables
    "fair.table": {"en": "{cohort} against {comparator}, crude and weighted"},
    "fair.table_refused": {"en": "{cohort} against {comparator}, crude and stratified"},
    "fair.table_balance": {"en": "Covariates before and after weighting"},
    "fair.table_balance_refused": {"en": "Covariates of {cohort} and {comparator}"},
    "fair.table_weights": {"en": "Patients behind the weights"},
    "fair.table_overlap": {"en": "Patients by propensity of {cohort}"},
    "fair.table_strata": {"en": "Events by {by}"},
    "fair.table_strata_cut": {"en": "Events by {by}, first {time}"},
    "fair.at": {"en": "{cohort} at {time}"},
    "fair.cell": {"en": "{told}; {n}/{of} patients, effective {effective}"},
    "fair.row_e_value": {"en": "E-value of the hazard ratio"},
    "fair.e_value_told": {"en": "{value} (nearer limit {limit})"},
    "fair.e_value_bare": {"en": "{value} (nearer limit: {reason})"},
    "fair.column_complete": {"en": "Weighted, complete cases"},
    "fair.column_stratified": {"en": "Stratified by {by}"},
    "fair.column_weighted": {"en": "{cohort}, weighted"},
    "fair.column_smd": {"en": "Standardized difference"},
    "fair.column_smd_after": {"en": "the same, weighted"},
    "fair.column_used": {"en": "Used"},
    "fair.column_inside": {"en": "In the common range"},
    "fair.column_effective": {"en": "Effective number"},
    "fair.column_largest": {"en": "Largest weight"},
    "fair.column_propensity": {"en": "Propensity"},
    "fair.bin": {"en": "{lower} to {upper} %"},
    "fair.events_of": {"en": "{events}/{n} events"},
    "fair.effective": {"en": "{effective} ({share} of {n})"},
    "fair.share_of_weights": {"en": "{share} of all weights"},
    # ---------------------------------------------------------------- by year of enrollment
    "era.no_years": {
        "en": "These data hold no calendar years: the cohorts cannot be shown by year of "
        "enrollment."
    },
    "era.headline": {"en": "By year of enrollment: {spans}."},
    "era.span": {"en": "{group}: {first} to {last} (N = {n})"},
    "era.span_one": {"en": "{group}: {first} (N = {n})"},
    "era.span_unknown": {"en": "{group}: no years known (N = {n})"},
    "era.case_mix": {"en": "Largest differences of case mix, {comparator} then {cohort}: {parts}."},
    "era.treated": {"en": "Treatment, {comparator} then {cohort}: {parts}."},
    "era.limits": {"en": "Mean limit of detection of MRD: {before}, then {after}."},
    "era.limit_of": {"en": "{limit} ({n} sample{n:s})"},
    "era.limit_known": {"en": "{limit} ({n} of {of} samples)"},
    "era.change": {"en": "{label} {before}, then {after}"},
    "era.level": {"en": "{heading}: {level}"},
    "era.limit": {"en": "{value} %"},
    "era.treatment": {"en": "Treatment"},
    "era.block": {"en": "{block} started"},
    "era.reach": {"en": "{label} within a year"},
    "era.no_year": {"en": "no date"},
    "era.all_years": {"en": "all years"},
    "era.year": {"en": "Year"},
    "era.sizes": {"en": "Patients enrolled"},
    "era.size": {"en": "{n}"},
    "era.open": {"en": "not yet"},
    "era.untold": {"en": "{counted} ({reason})"},
    "era.cell_bare": {"en": "{counted} ({value})"},
    "era.years_are_protocols": {
        "en": "The cohorts are of different years: what changed with the years cannot be told from "
        "what the protocol did."
    },
    "era.shared": {"en": "Years in which every cohort enrolled: {years}."},
    "era.none_shared": {"en": "There is no year in which every cohort enrolled."},
    "era.not_yet_come": {
        "en": "Who was enrolled last may not have come to a block yet: a fall in the last year can "
        "be that."
    },
    "era.exploratory": {
        "en": "Described and not tested: among so many years and levels some differ widely by "
        "chance."
    },
    "era.title": {"en": "{group} by year of enrollment"},
    "era.caption": {
        "en": "Share of the patients enrolled in each calendar year with each level of the "
        "covariates that the study declares; who started the block; and, with competing events, "
        "who came to transplant within {days} days (Aalen-Johansen; n/N counts those seen to reach "
        "it). No percentage below {few} patients; a year in which nobody was followed so long is "
        "not shown yet."
    },
    "era.alt": {"en": "Shares by year of enrollment, {group}. {headline}"},
    "era.table": {"en": "{group} by year of enrollment"},
    "era.table_mrd": {"en": "MRD samples of the time points by year of enrollment"},
    "era.samples": {"en": "Samples"},
    "era.mean_limit": {"en": "Mean limit of detection"},
    "era.assumed": {"en": "Limit assumed"},
    "era.no_limit": {"en": "no limit of detection is known"},
    "era.method_mean": {"en": "geometric mean"},
    "era.method_median": {"en": "median"},
}
