"""The strings of the head of the survival page: guards, follow-up, what stands on the figure."""

TEXTS: dict[str, dict[str, str]] = {
    "survival.headline_undefined": {"en": "{cohort} not defined for this kind of line"},
    "survival.measures": {"en": "Mean within {tau}: {mean}. {ratio}"},
    "survival.ratio_told": {"en": "Hazard ratio {value}."},
    "survival.ratio_fails": {
        "en": "Hazard ratio: no single number describes these curves (hazards not proportional)."
    },
    "survival.ratio_unknown": {
        "en": "Hazard ratio {value}, too few events to judge whether it holds over time."
    },
    "survival.followed": {"en": "Events and follow-up: {parts}."},
    "survival.counted": {"en": "{events}/{n} events"},
    "survival.median_follow_up": {"en": "median follow-up {median}"},
    "survival.no_median": {"en": "no median follow-up ({reason})"},
    "survival.followed_share": {"en": ", {value} of the possible time"},
    "survival.no_cutoff": {
        "en": "no data cut-off is declared, or the export has no dates: how long patients could "
        "have been followed is not known"
    },
    "survival.no_follow_up": {"en": "nobody could have been followed"},
    "survival.ended": {"en": "the curve of {cohort} has ended, {n} still at risk"},
    "survival.n_at_risk": {"en": "{n}, {at_risk} still at risk"},
    "survival.beyond": {"en": "later than the {end} {unit}s in which the cohorts are compared"},
    "survival.nobody_censored": {"en": "nobody was censored"},
    "survival.few_within": {
        "en": "only {within} of {n} events are within the {end} {unit}s in which the cohorts are "
        "compared"
    },
    "survival.ph_unknown": {
        "en": "Whether the hazard ratio holds over time cannot be judged: {reason}."
    },
    "survival.within_shared": {"en": "{reason}, within the follow-up that all cohorts share"},
    "survival.all_at_origin": {"en": "every event was on day 0: a proportion, not a hazard"},
    "survival.ph_holds": {
        "en": "No sign that the hazard ratio changes over time (Grambsch-Therneau test of {events} "
        "events after day 0, {p}); that is no proof that it does not."
    },
    "survival.ph_fails": {
        "en": "Hazards are not proportional (Grambsch-Therneau test of {events} events after day "
        "0, {p}): the hazard ratio changes over time, and one number does not describe these "
        "curves. Read {instead} instead."
    },
    "survival.instead_time": {"en": "the difference at {time}"},
    "survival.instead_mean": {"en": "the difference of means"},
    "survival.instead_and": {"en": " and "},
    "survival.instead_curves": {"en": "the curves"},
    "survival.ph_fails_ratio": {
        "en": "Hazards are not proportional ({events} events after day 0, {p}): the hazard ratio, "
        "and the E-value made of it, average an effect that changes over time. Read the "
        "differences."
    },
    "survival.ph_fails_rows": {
        "en": "Hazards are not proportional over everybody ({events} events after day 0, {p}): "
        "each ratio averages an effect that changes over time, and a test of interaction between "
        "such averages says little. Read the differences: Shown as, above."
    },
    "survival.unequal": {
        "en": "Follow-up is unequal: median {parts}. Differences, tests and the hazard ratio end "
        "at {end} {unit}s, the last day on which every cohort has {n} at risk or nobody "
        "censored before ({beyond} later event{beyond:s} not compared); beyond it the curves are "
        "pale."
    },
    "survival.unequal_arms": {
        "en": "Follow-up differs between the randomised arms: median {parts}. All of it is "
        "compared; if those who left did so because of how they fared, the comparison is biased."
    },
    "survival.over_all": {"en": "Over all follow-up the hazard ratio is {parts}."},
    "survival.immature": {
        "en": "Half of the patients were followed for less than {time}: {parts}. The estimate "
        "there rests on them, and will move with longer follow-up."
    },
    "survival.at_risk_n": {"en": "{n} still at risk"},
    "survival.incomplete": {
        "en": "Follow-up is not equally complete (observed of possible time): {parts}. Who is lost "
        "may differ from who is seen."
    },
    "survival.late": {
        "en": "Registered more than {days} days after the time zero: {parts}. Who died before "
        "could not be registered: curves from the time zero may flatter."
    },
    "survival.from_registration": {"en": "At risk from registration on only, at {time}: {parts}."},
    "survival.few_events": {
        "en": "Fewer than {n} events: {parts}. Differences and ratios rest on single patients."
    },
    "survival.both": {
        "en": "Enrolled in more than one cohort: {parts}. What happens to such a child on the "
        "other protocol counts here too, and tests take the cohorts as different children."
    },
    "survival.shared_curves": {
        "en": "At least {n} {n:child stands|children stand} in more than one of these curves."
    },
    "survival.at_origin": {
        "en": "Events on day 0: {parts} at {time}. They are a proportion, not a hazard: a hazard "
        "ratio over them mixes response with what comes later, and tests of it over time look at "
        "the days after."
    },
    "survival.of_the_rest": {"en": " (of the other {n}: {value} without event)"},
    "survival.fragile_closes": {
        "en": "Fragility: the difference at {time} is {value} ({limits}). It would no longer "
        "exclude 0 if the outcome at that time were the other one in: {parts}. Not known at "
        "{time}, since not followed so long: {unknown}."
    },
    "survival.fragile_opens": {
        "en": "Fragility: the difference at {time} is {value} ({limits}). It would exclude 0 if "
        "the outcome at that time were the other one in: {parts}. Not known at {time}, "
        "since not followed so long: {unknown}."
    },
    "survival.fragile_part": {"en": "{n} {n:patient|patients} of {group}"},
    "survival.published": {"en": "Published results"},
    "survival.published_note": {
        "en": "{label}: {value} at {time} ({source}). Another population: {differs}. A mark beside "
        "the curves, never part of them, and no comparison."
    },
    "survival.none_published": {"en": "No published result is declared for this endpoint."},
    "survival.more": {"en": "More about survival"},
    "look.endpoints": {"en": "All endpoints"},
    "look.components": {"en": "Components"},
    "look.later": {"en": "Known later"},
    "look.fair": {"en": "Fair comparison"},
    "look.era": {"en": "Era"},
    "look.bridge": {"en": "Transplant"},
    "look.subgroups": {"en": "Subgroups"},
    "look.curves": {"en": "A click shows the curve of an endpoint at the top of the page:"},
    "look.split": {"en": "Groups by"},
    "look.day": {"en": "Landmark"},
    "look.day_of": {"en": "day {day}"},
    "look.by": {"en": "How"},
    "by_choice.landmark": {"en": "landmark"},
    "by_choice.time_dependent": {"en": "changing over time"},
    "look.weights": {"en": "Alike to"},
    "weights_choice.overlap": {"en": "the overlap of both cohorts"},
    "weights_choice.newer": {"en": "the newer cohort"},
    "look.scale": {"en": "Shown as"},
    "scale_choice.hazard_ratio": {"en": "hazard ratio"},
    "scale_choice.difference": {"en": "difference at the chosen time"},
    "scale_choice.rmst": {"en": "difference of means"},
}
