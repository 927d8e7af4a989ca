"""The strings of the part of the survival page about groups by something known only later."""

TEXTS: dict[str, dict[str, str]] = {
    "later.all": {"en": "all cohorts together"},
    "later.switched": {"en": "{of} by day {day}"},
    "later.not_switched": {"en": "no {of} by day {day}"},
    "later.given": {"en": "{of} by day {day}"},
    "later.not_given": {"en": "none by day {day}"},
    "later.negative": {"en": "MRD negative by day {day}"},
    "later.not_negative": {"en": "MRD not negative by day {day}"},
    "later.not_known": {"en": "no result by day {day}"},
    "later.before": {"en": "before {of}"},
    "later.after": {"en": "after {of}"},
    "later.before_short": {"en": "before it"},
    "later.after_short": {"en": "after it"},
    "later.no_events": {"en": "no events"},
    # ---------------------------------------------------------------- headlines
    "later.headline": {
        "en": "{endpoint} at {time} after day {day} from {origin}, {other} against {first}, of "
        "those still followed without the event on that day: {parts}."
    },
    "later.part": {"en": "{group} {other} against {first}, {difference}"},
    "later.part_refused": {"en": "{group} not compared ({reason})"},
    "later.side": {"en": "{value} ({limits}; {events} event{events:s} in {n})"},
    "later.side_none": {"en": "({reason}; {events} event{events:s} in {n})"},
    "later.difference": {"en": "difference {value} ({limits}) percentage points"},
    "later.no_difference": {"en": "no difference: {reason}"},
    "later.caveat_milestone": {
        "en": "Not the effect of {of}: who comes to it is selected, and no way of counting undoes "
        "that."
    },
    "later.caveat_timepoint": {
        "en": "A mark of risk, not an effect: who is negative differs in more than that."
    },
    "later.caveat_infusion": {
        "en": "Not the effect of {of}: who is given them differs in more than that."
    },
    "later.headline_time": {
        "en": "{endpoint} from {origin}: the hazard after {of} against that of those who have not "
        "come to it yet: {parts}. Above 1 it is higher after it."
    },
    "later.part_time": {"en": "{group} {value} ({limits}; {counted})"},
    "later.part_no_time": {"en": "{group} not estimable ({reason}; {counted})"},
    "later.counted": {
        "en": "{after} event{after:s} in {n_after} after it, {before} in {n_before} before it"
    },
    "later.within": {"en": "within the cohorts (stratified) {ratio}"},
    "later.other_endpoint": {"en": "This split is not offered for {asked}: {endpoint} is shown."},
    "later.nobody": {"en": "Nobody of {population} has a time of: {endpoint}."},
    "later.empty": {"en": "{group}: nobody has a time from {origin} on"},
    "later.all_gone": {
        "en": "{endpoint}: by day {day} from {origin} everybody had had the event or was last "
        "seen. Nobody is left to be grouped."
    },
    "later.finished": {
        "en": "{endpoint}: the export brings its times ready made, and does not say from which "
        "day. So it is not known what had happened by a day after that."
    },
    "later.only_milestone": {
        "en": "{split} is looked at from a landmark alone: a model in time needs a day on which "
        "everybody changes once, and a result or an infusion comes only to who was looked at or "
        "treated long enough. Choose the landmark."
    },
    # ---------------------------------------------------------------- reasons
    "later.few": {"en": "fewer than {n} in {parts}"},
    "later.few_part": {"en": "'{level}' of {group}"},
    "later.before_start": {"en": "the curves start on day {day}"},
    "later.small": {"en": "in a group of fewer than {n}, without a curve"},
    "later.left_with_event": {"en": "with the event by day {day}"},
    "later.left_without": {"en": "last seen by day {day}"},
    "later.doubt_account": {"en": "a quarantined row might tell of {of}"},
    # ---------------------------------------------------------------- notes
    "later.gone": {
        "en": "Left out, with the event or last seen by day {day}: {parts}. They belong to no "
        "group of the figure; the table counts them by group."
    },
    "later.moved": {
        "en": "Without {of} by day {day}, but with it later: {parts}. So this compares early "
        "with later or never, not with and without."
    },
    "later.moved_part": {"en": "{n} of {of} ({group})"},
    "later.thin": {
        "en": "At {time} after day {day} fewer than {n} are at risk in {parts}, since others were "
        "not followed so long: the estimate and the difference there are unstable."
    },
    "later.thin_time": {
        "en": "At {time} fewer than {n} are in the curves of {parts}, since others were not "
        "followed so long or left the curve: the estimate there is unstable."
    },
    "later.thin_part": {"en": "{group} ({level})"},
    "later.not_pooled": {
        "en": "All cohorts together are not compared, stratified or not: {reason}. What is too few "
        "in a cohort does not become enough by adding another."
    },
    "later.two_ways": {
        "en": "Landmark and changing over time can disagree, even on which side of 1 the ratio is. "
        "The landmark leaves who comes to {of} later in the first group, and of the others counts "
        "only who came so far without the event. Over time everybody counts as after it from the "
        "own day on, early events included, and so do those chosen for {of} since their risk was "
        "high. Try the other way and the other days, too."
    },
    "later.gone_part": {"en": "{n} of {of} ({group})"},
    "later.in_doubt": {"en": "In no group, since a quarantined row might tell of {of}: {parts}."},
    "later.doubt_known": {
        "en": "Among those without a result a quarantined row might tell of one: {parts}."
    },
    "later.immortal_milestone": {
        "en": "Why no plain Kaplan-Meier by {of}: whoever came to it had to live until then "
        "without the event. Grouped by what happened at some time, that time would count for "
        "{of} (immortal time), and {of} would look good even if it did nothing."
    },
    "later.immortal_timepoint": {
        "en": "Why no plain Kaplan-Meier by this MRD: only who lived to the sample has a result. "
        "So everybody is followed from the landmark on, grouped by what was known by then."
    },
    "later.immortal_infusion": {
        "en": "Why no plain Kaplan-Meier by infusions: how many somebody was given depends on how "
        "long the course lasted, and who died or stopped early was given fewer. So only this is "
        "asked: at least one by the landmark. No p-value is given."
    },
    "later.stays": {
        "en": "Groups are those of day {day}: {of} after it moves nobody, nor does {of} in a later "
        "line."
    },
    "later.stays_timepoint": {
        "en": "Groups are those of day {day}: a later sample moves nobody. The last sample in the "
        "window of the time point ({of}) and by the landmark counts; MRD {threshold}. Not negative "
        "is positive or indeterminate. No result: no sample by then, or one that could not be "
        "judged; who was not sampled differs from both."
    },
    "later.stays_infusion": {
        "en": "Groups are those of day {day}, counted from {origin} (day 0): a later infusion "
        "moves nobody."
    },
    "later.apart": {
        "en": "Cells of another source, or given after {milestone}, do not count, as on the page "
        "of responses."
    },
    "later.pooled": {
        "en": "All cohorts together mix what differs between the cohorts with {split}; the ratio "
        "within the cohorts (stratified) compares like with like in that respect alone."
    },
    "later.looks": {
        "en": "Exploratory: one of {n} looks of this kind that the page offers (splits, endpoints "
        "and landmarks)."
    },
    "later.model": {
        "en": "Everybody counts as before {of} until the day of it and as after it from the next "
        "day on, so nobody is given the time it took to come to it. One ratio for all times is "
        "a rough summary: the hazard is often high early after {of} and low later."
    },
    "later.not_fixed": {
        "en": "The curves are not the survival of a fixed group of patients: who comes to {of} "
        "leaves the first curve and enters the second."
    },
    "later.no_curves": {"en": "No curves in time for {group}: {reason}."},
    # ---------------------------------------------------------------- figures
    "later.measure": {"en": "{endpoint} from day {day} on"},
    "later.title": {"en": "{split}, {endpoint} from day {day}: {group}"},
    "later.title_time": {"en": "{split} in time, {endpoint}: {group}"},
    "later.alt": {"en": "Survival curves by group from the landmark on. {headline}"},
    "later.alt_time": {"en": "Two curves in time, before and after it. {headline}"},
    "later.since": {"en": "day {day} from {origin}"},
    "later.caption": {
        "en": "{definition} Landmark: only who was followed beyond day {day} from {origin} without "
        "the event, grouped by what had happened by then; time counts from that day. Kaplan-Meier "
        "with 95 % log-log bands; marks: censored. Differences by MOVER; hazard ratios by Cox "
        "regression. Under the axis: at risk just before, events and censored before; they add to "
        "the number in the group. A curve is pale below {fade} at risk and ends below {end}."
    },
    "later.caption_time": {
        "en": "{definition} Simon-Makuch curves: not the survival of a fixed group of patients. "
        "Kaplan-Meier among those who have not come to {of} yet, and among those who have, with "
        "95 % log-log bands. Both start at 100 % on day {day} from {origin}, the first after which "
        "{fewest} are at risk in each: survival of those without the event then. By that day "
        "there had been {before} event{before:s} before {of} and {after} after it: they are under "
        "the axis and in the hazard ratio, not in the curves. Who comes to {of} leaves "
        "the first curve, counted there as censored, and enters the second. A curve is pale from "
        "where it never has {fade} at risk again, and ends below {end}."
    },
    # ---------------------------------------------------------------- tables
    "later.table": {"en": "Survival after the landmark"},
    "later.table_ratio": {"en": "Hazard from the landmark on"},
    "later.table_counts": {"en": "Who is in which group at the landmark"},
    "later.table_model": {"en": "Hazard after it against before it"},
    "later.table_curves": {"en": "Survival in time, given alive without event where curves start"},
    "later.column_time": {"en": "After the landmark"},
    "later.column_since": {"en": "From time zero"},
    "later.column_difference": {"en": "Difference (percentage points)"},
    "later.column_level": {"en": "Group"},
    "later.column_all": {"en": "With a time"},
    "later.column_event": {"en": "Event by day {day}"},
    "later.column_gone": {"en": "Last seen by day {day}"},
    "later.column_n": {"en": "At the landmark"},
    "later.column_moved": {"en": "Later {of}"},
    "later.column_after": {"en": "Events after it"},
    "later.column_ratio": {"en": "Hazard ratio, {other} against {first}"},
    "later.column_model": {"en": "Hazard ratio, after against before"},
    "later.column_start": {"en": "Curves start"},
    "later.column_mantel": {"en": "Mantel-Byar test"},
    "later.column_events": {"en": "{side}: events"},
    "later.in_doubt_row": {"en": "in doubt"},
    "later.stratified": {"en": "within the cohorts (stratified)"},
    "later.events_of": {"en": "{events}/{n}"},
    "later.at_risk": {"en": "{told}; {n} at risk"},
    "later.on_day": {"en": "day {day}"},
}
