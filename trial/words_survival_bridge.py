"""The strings of the transplant as a bridge on the survival page."""

TEXTS: dict[str, dict[str, str]] = {
    "bridge.half_year": {"en": "6 months"},
    "bridge.year": {"en": "12 months"},
    "bridge.counted": {"en": "{events}/{n}"},
    "bridge.events_in": {"en": "{events} in {n}"},
    "bridge.deaths": {"en": "{n} {n:death|deaths}"},
    "bridge.reached_n": {"en": "{n} of {of} reached it"},
    "bridge.reached": {"en": "{cohort} {value} ({limits}; {counted})"},
    "bridge.reached_none": {"en": "{cohort}: {reason} ({counted})"},
    "bridge.cell": {"en": "{told}; {counted}"},
    "bridge.headline": {"en": "{what} reached by {time}: {parts}."},
    "bridge.headline_after": {"en": "{endpoint} at {time}, among those who reached it: {parts}."},
    "bridge.difference": {"en": "{label}: {told}."},
    "bridge.late": {
        "en": "The way to a transplant is counted from {origin} on, and the filter by {labels} is "
        "known only later: it would keep those who lived to show it (immortal time). Clear this "
        "filter to see the way."
    },
    "bridge.selected": {
        "en": "Survival from {what} is of those who lived and responded well enough to reach it. "
        "The cohorts may differ in who did: a difference between them is no effect of the "
        "protocol, even if it is not chance."
    },
    "bridge.immortal": {
        "en": "Days to {what} are of those who reached it alone, and describe them. Who waited "
        "longer had to live longer: no outcome is compared by them."
    },
    "bridge.mrd_note": {
        "en": "MRD was known on the day of {what}, so that plain curves by it give nobody time "
        "that could not be lost. Who was negative differs in other ways too: the difference is a "
        "prognosis, not an effect."
    },
    "bridge.crossed": {"en": "Not quite the same children in both: {parts}."},
    "bridge.reached_only": {
        "en": "{n} of {group} came to {what} in a later line, or cannot be followed from it: they "
        "reached it and have no survival from it"
    },
    "bridge.followed_alone": {
        "en": "{n} of {group} came to {what} after another event: they did not reach it first and "
        "have a survival from it"
    },
    "bridge.caption_reach": {
        "en": "{definition} Each child stays in what came first. Aalen-Johansen estimates, adding "
        "to 100 % at each time. Shares are pale below {fade} at risk and beyond the follow-up that "
        "the cohorts share, and end below {end}, where somebody was censored before.{too_few}"
    },
    "bridge.title_reach": {"en": "{group}: the way to {what}, all {n}"},
    "bridge.table_reach": {"en": "The way to {what}: by when, and what came before it"},
    "bridge.table_wait": {"en": "Who came to {what}, and after how long"},
    "bridge.so_far": {"en": "Reached so far: {what}"},
    "bridge.followed": {"en": "Of them with a survival from {what} in this line"},
    "bridge.followed_only": {"en": "With a survival from {what} though another event came first"},
    "bridge.wait": {
        "en": "Days from remission to {what}, among those who reached it: median (quartiles)"
    },
    "bridge.wait_cell": {
        "en": "{median} ({lower} to {upper}); {n}/{of} with a remission before it"
    },
    "bridge.wait_few": {"en": "{reason}; {n}/{of} with a remission before it"},
    "bridge.no_remission": {"en": "no remission is recorded before it"},
    "bridge.negative": {"en": "MRD negative"},
    "bridge.not_negative": {"en": "MRD not negative"},
    "bridge.not_known": {"en": "MRD not known"},
    "bridge.column_mrd": {"en": "MRD, {at}"},
    "bridge.column_survival": {"en": "Survival at {time}; events in patients"},
    "bridge.column_difference": {"en": "Difference"},
    "bridge.table_after": {"en": "{endpoint}, and by MRD before it"},
    "bridge.caption_after": {
        "en": "{definition} A selected group: those who reached it. Kaplan-Meier with 95 % log-log "
        "bands; marks: censored. Under the axis: at risk just before, events and censored before; "
        "they add to N. A curve is pale below {fade} at risk and beyond the follow-up that "
        "compared cohorts share, and ends below {end}.{too_few}"
    },
    "bridge.caption_mrd": {
        "en": "{definition} By the MRD of the sample {at}, negative: {threshold}. Positive and "
        "indeterminate are not negative; not known: no sample in the window, not evaluable, or "
        "taken after the start. Kaplan-Meier with 95 % log-log bands; differences by MOVER. A "
        "curve is pale below {fade} at risk and ends below {end}.{too_few}"
    },
    "bridge.title_mrd": {"en": "{group}: {endpoint}, by MRD {at}"},
}
