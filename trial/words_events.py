"""The strings of deaths, infections and the list of events of the toxicity page."""

TEXTS: dict[str, dict[str, str]] = {
    "deaths.early": {"en": "early death (before remission, before day {landmark})"},
    "deaths.with_disease": {"en": "death with disease"},
    "deaths.in_remission": {"en": "death in remission, no transplant"},
    "deaths.in_remission_after_transplant": {"en": "death in remission, after transplant"},
    "deaths.after_second_malignancy": {"en": "death after second malignancy"},
    "deaths.unknown": {"en": "death, class not known"},
    "deaths.in_doubt": {"en": "not known whether alive"},
    "deaths.alive": {"en": "alive when last seen"},
    "deaths.drawn_early": {"en": "early death"},
    "deaths.drawn_unknown": {"en": "not known"},
    "deaths.everybody": {"en": "All of the population"},
    "deaths.title": {"en": "Deaths so far, by class"},
    "deaths.alt": {
        "en": "For each cohort one bar of all patients: alive, or dead by class; the numbers are "
        "in the table."
    },
    "deaths.caption": {
        "en": "Every patient of the population as last known. Before remission: dead before "
        "day {landmark} of the line without a remission in it. In remission: a remission before "
        "the day of death, no relapse since and no cause that means the disease; with disease: "
        "the other deaths. A second malignancy comes before all. Not known: a row in quarantine "
        "might tell of the death, remission, relapse, transplant or second malignancy. Patients "
        "were followed for different times."
    },
    "deaths.table": {"en": "Deaths so far, by class"},
    "deaths.table_causes": {"en": "Deaths by class and cause"},
    "deaths.table_blocks": {"en": "Deaths by the block in which they fell, of all dead"},
    "deaths.table_matches": {"en": "Deaths and fatal adverse events"},
    "deaths.column_class": {"en": "Class"},
    "deaths.column_cause": {"en": "Cause"},
    "deaths.column_match": {"en": "Death and fatal adverse event"},
    "deaths.not_recorded": {"en": "not recorded"},
    "deaths.block_outside": {"en": "outside any block"},
    "deaths.block_in_doubt": {"en": "not known: a course is in quarantine"},
    "deaths.block_not_kept": {"en": "not kept in these data"},
    "deaths.nobody": {"en": "nobody"},
    "deaths.not_judged": {"en": "response not judged by a landmark"},
    "deaths.too_open": {"en": "of more than one in five it is not known whether they died early"},
    "deaths.not_compared": {"en": "not compared: follow-up differs"},
    "deaths.possible": {
        "en": "[{n} more possible: last seen before day {landmark}, or a row in quarantine]"
    },
    "deaths.so_far": {
        "en": "Dead so far: {parts}. These do not compare survival: patients were followed for "
        "different times."
    },
    "deaths.n_of": {"en": "{n} ({group})"},
    "deaths.early_only": {
        "en": "Only deaths before remission and day {landmark} are compared: that day everybody "
        "has passed, or is told as possible."
    },
    "deaths.follow_up": {
        "en": "Deaths become more with every month of follow-up, which differs between cohorts: "
        "the numbers of later ones are given without difference. The survival page compares "
        "survival and death in remission by time."
    },
    "deaths.note_in_doubt": {
        "en": "Not known whether alive, since a row in quarantine might tell of a death: {parts}."
    },
    "deaths.note_relapsed": {
        "en": "In remission by what is recorded, but after an earlier relapse of the same child: "
        "{parts}. Where an export does not record every relapse, these may have died with disease; "
        "see their causes."
    },
    "deaths.note_neither": {
        "en": "Dead without a fatal adverse event, of a cause that the study calls neither toxic "
        "nor the disease: {parts}. Whether treatment had a part in these is not reconciled here."
    },
    "deaths.note_no_fatal_event": {
        "en": "Dead of a cause that the study calls toxic, but no fatal adverse event is recorded: "
        "{parts}."
    },
    "deaths.note_event_in_quarantine": {
        "en": "Dead of a cause that the study calls toxic; no fatal adverse event is loaded, but "
        "an adverse event of the child is in quarantine: {parts}."
    },
    "deaths.note_other_cause": {
        "en": "A fatal adverse event, but the recorded cause of death is another: {parts}."
    },
    "deaths.note_no_cause": {
        "en": "A fatal adverse event and a death without a recorded cause: {parts}."
    },
    "deaths.note_no_death": {"en": "A fatal adverse event, but no death is recorded: {parts}."},
    "deaths.note_death_in_quarantine": {
        "en": "A fatal adverse event and no death loaded, but a row in quarantine might tell of "
        "it: {parts}."
    },
    "deaths.note_not_kept": {
        "en": "These data were loaded before the last day of a course's window was kept: in which "
        "block a death fell is not known. Load the export again."
    },
    "deaths.note_match": {
        "en": "A fatal adverse event is one of grade 5 or with a fatal outcome, of any category "
        "and at any time. A child counts once, whatever the number of its events. One is not to "
        "be expected where adverse events are not documented."
    },
    "deaths.note_block": {
        "en": "A death falls in the block of the course whose time for adverse events holds the "
        "day of death, whatever the line of that course; all dead are in one row."
    },
    "deaths.match_matched": {"en": "toxic death and fatal event"},
    "deaths.match_no_fatal_event": {"en": "toxic death, no fatal event"},
    "deaths.match_event_in_quarantine": {
        "en": "toxic death, no fatal event loaded, an event in quarantine"
    },
    "deaths.match_other_cause": {"en": "fatal event, death of another cause"},
    "deaths.match_no_cause": {"en": "fatal event, death without a recorded cause"},
    "deaths.match_no_death": {"en": "fatal event, no death"},
    "deaths.match_death_in_quarantine": {
        "en": "fatal event, no death loaded, a row that might tell of it in quarantine"
    },
    "deaths.match_not_toxic": {"en": "death of another cause, no fatal event"},
    "deaths.match_not_toxic_no_cause": {"en": "death without a recorded cause, no fatal event"},
    "infections.headline": {
        "en": "Infections of {at_least} in block {block}, of those documented. {told}"
    },
    "infections.nobody": {"en": "Nobody of this population started {block}."},
    "infections.most": {"en": "{group}, recorded most often: {told}."},
    "infections.none_recorded": {"en": "{group}: none with a recorded site or pathogen."},
    "infections.level_told": {"en": "{dimension} {label} in {told}"},
    "infections.site": {"en": "Site"},
    "infections.pathogen": {"en": "Pathogen"},
    "infections.documentation": {"en": "Documentation"},
    "infections.outcome": {"en": "Outcome"},
    "infections.term": {"en": "Term"},
    "infections.not_recorded": {"en": "not recorded"},
    "infections.outcome_recovered": {"en": "recovered"},
    "infections.outcome_ongoing": {"en": "ongoing"},
    "infections.outcome_fatal": {"en": "fatal"},
    "infections.outcome_unknown": {"en": "recorded as unknown"},
    "infections.title": {"en": "Block {block}: infections of {at_least} by site and pathogen"},
    "infections.alt": {
        "en": "Patients with an infection of each site and of each pathogen, by cohort; the "
        "numbers are in the tables."
    },
    "infections.caption": {
        "en": "Patients with at least one infection of {at_least} that began in {block}, by site "
        "and by pathogen, over those who started the block with all their adverse events "
        "documented. A patient with several infections counts once in each level: levels do not "
        "add up. Not recorded is a level of its own. 95 % intervals: Wilson, of differences "
        "Newcombe. Grades: {scales}; a range counts for its lower end."
    },
    "infections.no_scales": {"en": "none given"},
    "infections.table": {"en": "Infections by {dimension}"},
    "infections.all": {"en": "any infection"},
    "infections.column_events": {"en": "{group}: events"},
    "infections.exploratory": {
        "en": "Many levels are looked at: intervals are given and no p-values; all of it is "
        "exploratory. What is found depends on how often it was looked for."
    },
    "infections.not_recorded_note": {
        "en": "{what} not recorded: {parts} of infections. They are a level of their own and not "
        "the absence of a {what_lower}."
    },
    "infections.n_of": {"en": "{n}/{of} ({group})"},
    "infections.not_kept": {
        "en": "These data were loaded before site, pathogen and documentation of infections were "
        "kept: they are not known here, and only outcomes and terms are shown. Load the export "
        "again."
    },
    "events.viewer": {
        "en": "Events one by one are shown to the role '{role}' only. Who operates this board "
        "gives it ({variable})."
    },
    "events.any_grade": {"en": "of any grade"},
    "events.headline": {
        "en": "{item}, {at_least}, in {block}: {n} event{n:s} listed; {n_counted} of them, of "
        "{patients} patient{patients:s}, count in the cells. Not counted, since not all is "
        "documented: {undocumented} patient{undocumented:s}. Outside every block: {outside} such "
        "event{outside:s}."
    },
    "events.note": {
        "en": "Of a course the first day is day 1. A possible event has a range or no grade: it "
        "reaches the grade asked for, but not for certain. A fatal event counts at every grade. An "
        "event outside every block began after the last day of a course on which events are "
        "attributed to it, or before any course."
    },
    "events.table": {"en": "{item}, {at_least}, in {block}: {n} event{n:s}"},
    "events.table_counts": {"en": "{item}, {at_least}, in {block}: patients"},
    "events.table_undocumented": {"en": "Not counted in {block}: {n} patient{n:s}, and why"},
    "events.table_outside": {"en": "{item}, {at_least}, outside every block: {n} event{n:s}"},
    "events.column_patient": {"en": "Patient"},
    "events.column_cohort": {"en": "Cohort"},
    "events.column_line": {"en": "Line"},
    "events.column_course": {"en": "Course"},
    "events.column_term": {"en": "Term"},
    "events.column_grade": {"en": "Grade"},
    "events.column_scale": {"en": "Scale"},
    "events.column_counted": {"en": "Counts in the cell"},
    "events.column_onset_day": {"en": "Began on day of the course"},
    "events.column_onset": {"en": "Began"},
    "events.column_end_day": {"en": "Ended on day of the course"},
    "events.column_end": {"en": "Ended"},
    "events.column_serious": {"en": "Serious"},
    "events.column_nearest": {"en": "Nearest course"},
    "events.column_reason": {"en": "Why not counted"},
    "events.column_with": {"en": "With it, for certain"},
    "events.column_possible": {"en": "Possibly with it"},
    "events.column_without": {"en": "Documented, without it"},
    "events.column_undocumented": {"en": "Started, not documented"},
    "events.column_started": {"en": "Started the block"},
    "events.counts": {"en": "yes"},
    "events.possible": {"en": "possibly: a range or no grade"},
    "events.counts_not": {"en": "no: not all of the patient's events are documented"},
    "events.no_grade": {"en": "no grade"},
    "events.yes": {"en": "yes"},
    "events.no": {"en": "no"},
    "events.no_course": {"en": "no course at all"},
    "events.before": {"en": "{block} {number}: {days} days before its first day"},
    "events.after": {"en": "{block} {number}: {days} days after its last day of attribution"},
    "events.reason_no": {"en": "events not documented in course {courses}"},
    "events.reason_unknown": {"en": "not known whether events are documented in course {courses}"},
    "events.reason_event": {"en": "an adverse event in quarantine"},
    "events.reason_course": {"en": "a course in quarantine"},
    "events.reason_started": {
        "en": "a course in quarantine: it might have been of this block, which is not loaded"
    },
}
