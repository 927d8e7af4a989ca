"""The strings of the forest of subgroups on the survival page."""

TEXTS: dict[str, dict[str, str]] = {
    "forest.empty": {"en": "no patients"},
    "forest.one_level": {"en": "one level in this population"},
    "forest.repeats": {"en": "a second record of: {label}"},
    "forest.same": {"en": "divides these patients as this does: {label}"},
    "forest.few_at_tau": {"en": "fewer than {n} at risk at {time}"},
    "forest.beyond": {
        "en": "one cohort was followed for longer than the other; beyond {window}, as far as all "
        "are followed, nothing is compared"
    },
    "forest.not_compared": {"en": "Groups are not compared: {reason}."},
    "forest.states": {
        "en": "{endpoint} shows several states at once: subgroups are compared on an endpoint with "
        "one event."
    },
    "forest.only_difference": {
        "en": "{endpoint} has competing events: subgroups are compared by the difference of "
        "cumulative incidence at a fixed time. A hazard ratio, or a mean time without it, would "
        "treat competing events as if they could be waited out. Choose the difference."
    },
    "forest.nobody": {"en": "Nobody of this population has a time for: {endpoint}."},
    "forest.undivided": {
        "en": "No characteristic known at the start divides these patients; {endpoint} of "
        "everybody is above."
    },
    "forest.at_origin": {"en": "This study records no characteristic known at the start."},
    "forest.hazard_ratio": {"en": "hazard ratio"},
    "forest.difference": {"en": "difference at {time}"},
    "forest.rmst": {"en": "difference of the mean within {time}"},
    "forest.headline": {
        "en": "Exploratory: {endpoint}, {scale}, in {n} subgroups of {of} characteristics. "
        "Everybody: {overall}. {tests}"
    },
    "forest.headline_alone": {
        "en": "Exploratory: {endpoint} at {time} in {n} subgroups of {of} characteristics; groups "
        "are not compared."
    },
    "forest.headline_pair": {"en": "{name} {told}"},
    "forest.tests": {
        "en": "Interaction tests below p = 0.05: {positive}, among {n}; by chance alone it would "
        "be {chance}."
    },
    "forest.no_tests": {"en": "No interaction test is possible."},
    "forest.chance": {"en": "{low} or {high}"},
    "forest.title": {"en": "{endpoint} at {time}, by subgroup"},
    "forest.title_rmst": {"en": "{endpoint}: mean within {time}, by subgroup"},
    "forest.title_effect": {"en": "{endpoint}: {scale}, by subgroup"},
    "forest.axis": {"en": "{endpoint} at {time} (beside it: events/patients)"},
    "forest.axis_rmst": {"en": "Mean {unit}s within {time} (beside it: events/patients)"},
    "forest.axis_hazard": {"en": "Hazard ratio"},
    "forest.axis_points": {"en": "Percentage points"},
    "forest.axis_mean": {"en": "Difference of the mean, {unit}s"},
    "forest.hollow": {"en": "{axis}; hollow: shrunken"},
    "forest.lower_hazard": {"en": "fewer events"},
    "forest.higher_hazard": {"en": "more events"},
    "forest.lower_points": {"en": "lower"},
    "forest.higher_points": {"en": "higher"},
    "forest.lower_mean": {"en": "shorter"},
    "forest.higher_mean": {"en": "longer"},
    "forest.counted": {"en": "{events}/{n}"},
    "forest.cell": {"en": "{told}; {counted}"},
    "forest.left": {
        "en": "Left: {method} at {time} with 95 % intervals; beside it {events}/patients."
    },
    "forest.left_rmst": {
        "en": "Left: mean time within {time}, one limit for all rows, normal interval; beside it "
        "events by then/patients; none where fewer than {few} are at risk then."
    },
    "forest.right_hazard_ratio": {
        "en": "Right: hazard ratio by Cox's model (Efron) in each subgroup, Wald interval. "
        "Interaction: likelihood ratio of models with the levels as strata, of all levels, also "
        "those too small for a ratio; with Firth's penalty where a cohort has no event in one. "
        "{window}"
    },
    "forest.right_difference": {
        "en": "Right: difference at {time}, MOVER. Interaction: heterogeneity chi-square "
        "(Cochran's Q, inverse variance) of the levels with a difference."
    },
    "forest.right_rmst": {
        "en": "Right: difference of the means. Interaction: heterogeneity chi-square (Cochran's Q, "
        "inverse variance) of the levels with a difference."
    },
    "forest.kaplan_meier": {"en": "Kaplan-Meier"},
    "forest.aalen_johansen": {"en": "cumulative incidence (Aalen-Johansen)"},
    "forest.all_events": {"en": "events"},
    "forest.events_by": {"en": "events by then"},
    "forest.window": {
        "en": "Follow-up of the cohorts is unequal: hazard ratios, tests and their events are of "
        "the first {window}, which all cohorts share."
    },
    "forest.compared": {
        "en": "{right} Dashed: everybody. 'Not recorded' is no level of an interaction. Shrunken "
        "(in the table; of one comparison, hollow marks): drawn toward the mean of the levels of "
        "the same characteristic (normal-normal, REML), as much as their spread may be chance; "
        "with two or three levels that is little known, and the interval is too narrow. {tests} "
        "interaction tests; among {compared} intervals {chance} would miss no difference by "
        "chance alone, if there were none."
    },
    "forest.caption": {
        "en": "{definition} {left} Fewer than {few} patients of a cohort: counts alone. {right} "
        "{design} Exploratory: {n} subgroups of {of} characteristics; subgroups of different ones "
        "hold the same patients."
    },
    "forest.table": {"en": "Survival by subgroup"},
    "forest.column_value": {"en": "{group}: {what}; events/patients"},
    "forest.column_shrunken": {"en": "Shrunken"},
    "forest.what": {"en": "{endpoint} at {time}"},
    "forest.what_rmst": {"en": "mean within {time}"},
    "forest.column_effect": {"en": "{name}, {scale}{unit}"},
    "forest.unit": {"en": " ({unit})"},
    "forest.note": {
        "en": "Exploratory. That no interaction is seen is no evidence of an equal effect: at some "
        "170 events the test finds a real difference between subgroups in about one case of three."
    },
    "forest.pairs": {
        "en": "Each cohort is compared with the first by itself; with several cohorts the head of "
        "the page fits one model of all, which differs a little."
    },
    "forest.thin": {
        "en": "In {n} row{n:s} fewer than {few} patients of a cohort are at risk at {time}: the "
        "estimates there are unstable."
    },
    "forest.two_levels": {
        "en": "With two levels the spread between levels is one difference: the shrunken estimates "
        "of {labels} rest on it alone."
    },
    "forest.left_out": {"en": "Not divided by: {parts}."},
    "forest.left_out_part": {"en": "{label} ({reason})"},
    "account.without_origin": {"en": "never reached {origin}"},
    "account.without_day": {"en": "no {censor} and no event"},
    "account.in_doubt": {"en": "a quarantined row is needed"},
    "account.not_defined": {"en": "not of this kind of line"},
}
