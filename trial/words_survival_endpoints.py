"""The strings of the survival page about several endpoints: their list, components, competing."""

TEXTS: dict[str, dict[str, str]] = {
    # ---------------------------------------------------------------- competing events compared
    "incidence.ratio": {"en": "Subdistribution hazard ratio (Fine-Gray)"},
    "incidence.gray": {"en": "Gray's test"},
    "incidence.gray_all": {"en": "Gray's test of all {n} cohorts: {value}"},
    "incidence.ratio_note": {
        "en": "The subdistribution hazard ratio compares how fast the cumulative incidence grows; "
        "above 1 is more of the event. It is no risk among those still without event. It assumes "
        "one ratio at all times and censoring that is alike in all cohorts, which an older and a "
        "newer cohort rarely have: read the difference first."
    },
    "incidence.few_events": {
        "en": "Fewer than {n} events: {parts}. Ratio and test rest on very little."
    },
    "incidence.few_of": {"en": "{n} in {group}"},
    # ---------------------------------------------------------------- how they were followed
    "follow_up.part": {"en": "{group} {counted}, {median}{completeness}"},
    "incidence.counted": {"en": "{events}/{n} events ({competing} competing)"},
    "states.counted": {"en": "{events}/{n} with an event"},
    "incidence.unequal": {
        "en": "Follow-up is unequal: median {parts}. Differences, test and ratio end at {end} "
        "{unit}s, the last day on which every cohort has {n} at risk or nobody censored before "
        "({beyond} later event{beyond:s} not compared); beyond it the curves are pale."
    },
    "incidence.over_all": {"en": "Over all follow-up the subdistribution hazard ratio is {parts}."},
    "incidence.too_few": {"en": "Too few for a curve: {parts}."},
    "incidence.too_few_of": {"en": "{group} (n = {n})"},
    "states.unequal": {
        "en": "Follow-up is unequal: median {parts}. Compare the cohorts up to {end} {unit}s, the "
        "last day on which every cohort has {n} at risk or nobody censored before; beyond it the "
        "shares are pale."
    },
    "states.beyond": {"en": " {time} is later than that."},
    "incidence.naive": {
        "en": "Why no Kaplan-Meier: 1 - Kaplan-Meier counts who had a competing event as if this "
        "one could still come. At {time} it would say {parts}."
    },
    "incidence.naive_of": {"en": "{wrong} instead of {right} in {group} (n = {n})"},
    # ---------------------------------------------------------------- list of endpoints
    "endpoints.headline": {"en": "{n} endpoints at {time}. {endpoint}: {cohorts}."},
    "endpoints.nobody": {"en": "None of the {n} endpoints has a time in: {population}."},
    "endpoints.note": {
        "en": "{n} differences of overlapping outcomes of the same patients, not {n} findings: "
        "nothing is corrected for looking at several, and the cohorts were not randomised."
    },
    "endpoints.note_randomised": {
        "en": "{n} differences of overlapping outcomes of the same patients, not {n} findings: "
        "nothing is corrected for looking at several."
    },
    "endpoints.among": {
        "en": "{endpoints}: counted from {origin} on, among those who reached it ({told}). The "
        "cohorts may differ in who did: this compares selected patients."
    },
    "endpoints.thin_of": {"en": "{endpoint} ({told})"},
    "endpoints.reached": {"en": "{group} {n} of {of}"},
    "endpoints.thin": {
        "en": "Fewer than {n} at risk at {time}, the estimate is unstable: {parts}."
    },
    "endpoints.undefined": {"en": "Not defined for this kind of line: {endpoints}."},
    "endpoints.label": {"en": "{abbreviation}: {label}"},
    "endpoints.zero": {"en": "from {origin}"},
    "endpoints.zero_among": {"en": "from {origin}, among those who reached it"},
    "endpoints.higher": {"en": "higher is better"},
    "endpoints.lower": {"en": "lower is better"},
    "endpoints.neither": {"en": "neither is better"},
    "endpoints.drawn": {"en": "{abbreviation} ({better})"},
    "endpoints.number": {"en": "{events}/{n} ev."},
    "endpoints.number_percent": {"en": "{events}/{n} ev.\u2002{value}"},
    "endpoints.more": {"en": "{value}; {events}/{n} events by then"},
    "endpoints.title": {"en": "All endpoints at {time}"},
    "endpoints.title_difference": {"en": "All endpoints at {time}: difference"},
    "endpoints.axis": {"en": "Survival, or cumulative incidence"},
    "endpoints.caption": {
        "en": "Each endpoint at {time} after its own time zero, which stands beside its name. "
        "Survival: Kaplan-Meier, log-log interval. Incidence: Aalen-Johansen with competing "
        "events, log(-log) interval. Beside a name: events by then / all in it, then the value, "
        "which allows for those censored. Differences: MOVER. All intervals 95 %."
    },
    "endpoints.alt": {"en": "Values by endpoint and cohort with 95 % intervals. {headline}"},
    "endpoints.cell": {"en": "{told}; {events}/{n} events, {at_risk} at risk"},
    "endpoints.cell_later": {"en": "{cell}; {total}/{n} events so far"},
    "endpoints.no_group": {"en": "not defined for this line"},
    "endpoints.table": {"en": "All endpoints at {time}"},
    "endpoints.table_definitions": {"en": "What each endpoint is"},
    "endpoints.table_day_0": {"en": "Events on day 0, and survival of the others at {time}"},
    "endpoints.table_left_out": {"en": "Who is in each endpoint"},
    "endpoints.day_0": {"en": "{counted} on day 0; of the other {rest}: {told}"},
    "endpoints.day_0_note": {
        "en": "{endpoints}: some events count on day 0. The curve mixes them with what came later; "
        "the table of day 0 tells the two apart. The others are selected by having had none, and "
        "are not compared between cohorts."
    },
    "endpoints.left_out": {"en": "{n}/{of}{reasons}"},
    "endpoints.reason": {"en": "; {n} {reason}"},
    "endpoints.without_origin": {"en": "never reached {origin}"},
    "endpoints.in_doubt": {"en": "with a quarantined row it needs"},
    "endpoints.without_day": {"en": "without event and without {censor}"},
    "endpoints.not_defined": {"en": "of a line it is not defined for"},
    "endpoints.column_endpoint": {"en": "Endpoint"},
    "endpoints.column_zero": {"en": "Time zero"},
    "endpoints.column_better": {"en": "Better"},
    "endpoints.column_definition": {"en": "Definition"},
    # ---------------------------------------------------------------- components
    "components.headline": {"en": "Components of failure at {time}: {parts}."},
    "components.cohort": {"en": "{cohort} ({n}) {shares}"},
    "components.cohort_none": {"en": "{cohort} ({n}) not estimable: {reason}"},
    "components.share": {"en": "{state} {value}"},
    "components.note": {
        "en": "The components compete: who had one can no longer have another as the first event. "
        "Fewer of one can mean no more than more of another, so no component has a p-value or a "
        "difference of its own. The cohorts were not randomised: all of this is exploratory."
    },
    "components.note_randomised": {
        "en": "The components compete: who had one can no longer have another as the first event. "
        "Fewer of one can mean no more than more of another, so no component has a p-value or a "
        "difference of its own."
    },
    "components.title": {"en": "First events by {time}"},
    "components.axis": {"en": "Share of all patients"},
    "components.caption": {
        "en": "{definition} Aalen-Johansen estimates at {time}; the parts of a bar add to 100 %. "
        "They allow for those censored before and are no quotients of counts. A bar is pale where "
        "fewer than {fade} were at risk and somebody was censored before, and beyond the follow-up "
        "that the cohorts share."
    },
    "components.alt": {"en": "One stacked bar a cohort. {headline}"},
    "components.table": {"en": "First events by {time} (estimates add to 100 %)"},
    "components.cell": {"en": "{told}; {events}/{n} by then, {total}/{n} so far"},
    "components.column_state": {"en": "First event"},
    "components.none": {"en": "Nobody has a time for: {endpoint}. Population: {population}."},
    "components.few": {"en": "{group}: {reason}"},
    "components.not_shown": {"en": "No bar of {parts}: the counts are in the table."},
    "components.after_title": {"en": "{group}: alive or dead after the first event"},
    "components.after_caption": {
        "en": "{definition} Each share of those with an event is parted into alive (below) and "
        "dead (above, darker): of the Aalen-Johansen estimate of the event, the deaths after it "
        "(from {alive}, followed to the {censor}) are taken away. All shares add to 100 %. They "
        "are pale below {fade} at risk in either estimate and beyond the follow-up that cohorts "
        "share, and end below {end}, where somebody was censored before."
    },
    "components.after_table": {"en": "Alive or dead after the first event at {time}"},
    "components.alive": {"en": "{state}, alive"},
    "components.dead": {"en": "{state}, dead"},
    "components.after_cell": {"en": "{told} ({n}/{of} known so by then)"},
    "components.after_few": {"en": "not estimable: {reason}"},
    "components.after_none": {"en": "Alive or dead after the first event is not shown: {parts}."},
    "components.not_nested": {"en": "{n} are dead without an event by then"},
    "components.one_alone": {"en": "with a time of one of the two endpoints alone"},
    "components.left_out": {"en": "without a time of this endpoint"},
    "components.too_far": {
        "en": "the estimates of events and of deaths after them are too far apart"
    },
}
