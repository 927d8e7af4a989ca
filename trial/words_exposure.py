"""The strings of kinds of blocks, time and burden of the toxicity page."""

TEXTS: dict[str, dict[str, str]] = {
    # ---------------------------------------------------------------- kinds of blocks
    "compare.asked": {"en": "{item}, {at_least}"},
    "compare.nobody": {"en": "Nobody of this population was given a block of any kind to compare."},
    "compare.headline": {"en": "Kinds of blocks: {asked}, of those documented."},
    "compare.years_told": {"en": "Events per patient-year at risk: {told}."},
    "compare.counted_n_courses": {"en": "{n} event{n:s} in {of} course{of:s}"},
    "compare.counted_n_days": {"en": "{n} event{n:s} in {of} day{of:s} at risk"},
    "compare.composed": {"en": "{kind} ({blocks})"},
    "compare.without": {"en": "no course of these blocks"},
    "compare.not_documented": {"en": "had one, adverse events not documented"},
    "compare.kind": {"en": "Kind of blocks"},
    "compare.which": {"en": "Which courses"},
    "compare.first": {"en": "first courses"},
    "compare.later": {"en": "later courses"},
    "compare.patients": {"en": "Patients"},
    "compare.rate_per_course": {"en": "Events per course"},
    "compare.rate_per_year": {"en": "Events per patient-year at risk"},
    "compare.share_of_courses": {"en": "Courses with an event"},
    "compare.days_at_risk": {"en": "Days at risk"},
    "compare.days": {"en": "{days} ({each} a course)"},
    "compare.table_between": {"en": "{asked}: kinds of blocks, between cohorts"},
    "compare.table_within": {
        "en": "{asked}: kinds of blocks within each cohort (the same children: not compared)"
    },
    "compare.table_number": {
        "en": "{asked}: first and later courses of a block (the same children: not compared)"
    },
    "compare.title_patients": {"en": "{asked}: patients, by kind of blocks"},
    "compare.title_difference": {"en": "{asked}: difference between cohorts, by kind of blocks"},
    "compare.title_years": {"en": "{asked}: events per patient-year at risk, by kind of blocks"},
    "compare.title_number": {"en": "{asked}: events per course, first and later courses"},
    "compare.alt": {
        "en": "{asked}: for each kind of blocks one dot a cohort with its interval; the numbers "
        "are in the tables."
    },
    "compare.caption_patients": {
        "en": "Patients with {asked}, over those who had a course of the kind and whose adverse "
        "events are documented in all of its courses; who had no event is in it. {kinds}. "
        "Intervals of 95 %: Wilson, of differences between cohorts Newcombe. Scales: {scales}."
    },
    "compare.caption_rates": {
        "en": "Events: {asked}, over the courses (or the days at risk, as patient-years of 365.25 "
        "days) of those who had a course of the kind and whose adverse events are documented in "
        "all of its courses. {kinds}. A course's days at risk run from its first day to the day "
        "before the next course, to death or last contact, to a relapse where the block ends with "
        "one, or to the end of its days of attribution. Intervals of 95 % by patient, since "
        "courses of one patient are alike; of differences between cohorts MOVER. Scales: {scales}."
    },
    "compare.too_undocumented": {
        "en": "in {group} adverse events are undocumented in more than {limit} % of those who had "
        "such a course"
    },
    "compare.refused": {"en": "{kind}: not compared between cohorts: {reason}."},
    "compare.left_out": {
        "en": "{kind}: not counted, since adverse events are not documented in all of their "
        "courses, {parts}. Silence is not zero. Who had more courses is the likelier to be left "
        "out: those counted are those with fewer."
    },
    "compare.each": {"en": "[{courses} courses each]"},
    "compare.same_children": {
        "en": "Kinds of blocks within one cohort, and first and later courses, stand beside each "
        "other without a difference or a test: they are the same children at different points of "
        "their treatment, and who reached a later block or course had survived and responded."
    },
    "compare.not_given": {"en": "Given to nobody of this population: {kinds}."},
    "compare.unequal": {
        "en": "patients had different numbers of courses ({courses} each): see the rates"
    },
    "compare.lengths": {
        "en": "Blocks differ in length: the longer one collects more events a patient and a "
        "course. Events per patient-year at risk allow for that."
    },
    # ---------------------------------------------------------------- time
    "time.not_kept": {
        "en": "These data were loaded before days at risk were kept: load the export again to see "
        "this part."
    },
    "time.no_scales": {"en": "none, no such event"},
    "time.nobody": {"en": "Nobody of this population had course {nth} of {block}."},
    "time.without": {"en": "no course {nth} of {block}"},
    "time.one_group": {"en": "there is one cohort"},
    "time.no_events": {"en": "no events"},
    "time.recovery": {"en": "recovery recorded"},
    "time.left": {"en": "Left the course without it"},
    "time.by_day": {"en": "by day {day}"},
    "time.end": {"en": "at the end"},
    "time.at_end": {"en": "{told} (day {day})"},
    "time.cell": {"en": "{told}; {counted}"},
    "time.exploratory": {"en": "All of this is exploratory, the test between the cohorts too."},
    "time.until": {"en": "a relapse, "},
    "time.gray": {
        "en": "Gray's test over the whole course, exploratory: chi-square {chi_square}, {df} df, "
        "{p}."
    },
    "time.no_gray": {"en": "No test between the cohorts: {reason}."},
    "time.headline_first_event": {
        "en": "{asked}: first event within course {nth} of {block}, by day {day} from its start: "
        "{parts}."
    },
    "time.headline_recovery": {
        "en": "Neutrophil recovery in course {nth} of {block}, by day {day} from its start: "
        "{parts}."
    },
    "time.title_first_event": {"en": "{asked}: first event in course {nth} of {block}"},
    "time.title_recovery": {"en": "Neutrophil recovery in course {nth} of {block}"},
    "time.table_first_event": {"en": "{asked}: first event in course {nth} of {block}, by day"},
    "time.table_recovery": {"en": "Neutrophil recovery in course {nth} of {block}, by day"},
    "time.table_at_risk": {"en": "{label}: at risk in course {nth} of {block}"},
    "time.axis_days": {"en": "Days from the start of the course"},
    "time.axis_first_event": {"en": "patients with the event"},
    "time.axis_recovery": {"en": "recovery of neutrophils recorded"},
    "time.alt": {
        "en": "{label}: cumulative incidence by day of course {nth} of {block}, a curve a cohort; "
        "the numbers are in the table."
    },
    "time.caption_first_event": {
        "en": "Cumulative incidence (Aalen-Johansen) of the first event, {asked}, in course {nth} "
        "of {block}, among those who had it with all adverse events of the block documented. Day "
        "0 is the first day of the course. Leaving the course without the event competes: the "
        "next course, {until}death, or the end of its {days} days of attribution; on one day "
        "the event comes first. Last contact censors. Limits of 95 %: log(-log). A curve is pale "
        "below 10 at risk and ends below 5. Under the axis stands what was before a day, in the "
        "headline and the table by day also what was on it. Scales: {scales}."
    },
    "time.caption_recovery": {
        "en": "Cumulative incidence (Aalen-Johansen) of neutrophil recovery in course {nth} of "
        "{block}, among those who had it with all adverse events of the block documented. Day 0 "
        "is the first day of the course. Leaving the course without a recorded recovery competes: "
        "the next course, {until}death, or the end of its {days} days of attribution. Who "
        "recovered and of whom it was not recorded counts as not recovered. Limits of 95 %: "
        "log(-log). A curve is pale below 10 at risk and ends below 5."
    },
    "time.title_by_day": {"en": "{asked}: day of the first event, course {nth} of {block}"},
    "time.table_by_day": {"en": "{asked}: first events by day, course {nth} of {block}"},
    "time.alt_by_day": {
        "en": "Bars: how many had their first event on each day of course {nth} of {block}; the "
        "numbers are in the table."
    },
    "time.axis_day": {"en": "Day of the course (1 is the day 0 of the curve)"},
    "time.axis_day_cut": {"en": "Day of the course (1 is the day 0 of the curve), to day {most}"},
    "time.axis_still_in": {"en": "under the bars: patients still in the course"},
    "time.onsets": {"en": "{group}: first events"},
    "time.still_in": {"en": "{group}: still in the course"},
    "time.caption_by_day": {
        "en": "First event, {asked}, of each patient in course {nth} of {block}, by its day; day "
        "1 is the first day of the course. Among those who had the course with all adverse events "
        "of the block documented. Under the bars who is still in the course on the day, with or "
        "without an event before: alive, seen, and no next course, relapse or end of the days of "
        "attribution yet. At most the first "
        "{most} days. Scales: {scales}."
    },
    "time.table_next_course": {
        "en": "From the start of course {nth} of {block} to the next course"
    },
    "time.with_next": {"en": "With a next course"},
    "time.delay": {"en": "Days beyond the {planned} planned: median (quartiles)"},
    "time.interval": {"en": "Days to the next course: median (quartiles)"},
    "time.days": {"en": "{middle} ({first} to {third})"},
    "time.without_death": {"en": "None: died"},
    "time.without_relapse": {"en": "None: relapsed"},
    "time.without_window": {"en": "None: none followed"},
    "time.without_censored": {"en": "None: last contact"},
    "time.without_same_day": {"en": "None: next course on the same day"},
    "time.n": {"en": "n {n}"},
    "time.quartiles": {"en": "{middle} ({first} to {third}), n {n}"},
    "time.n_unknown": {"en": "{n} without a recorded end"},
    "time.unknown_end": {"en": "without a recorded end"},
    "time.column_onset": {"en": "{group}: day of onset"},
    "time.column_duration": {"en": "{group}: days"},
    "time.table_spans": {
        "en": "{asked}: onset and duration by term, course {nth} of {block}, median (quartiles)"
    },
    "time.title_onset": {"en": "{asked}: when, course {nth} of {block}"},
    "time.title_duration": {"en": "{asked}: how long, course {nth} of {block}"},
    "time.axis_onset": {"en": "day of the course (1 is its first)"},
    "time.axis_duration": {"en": "days"},
    "time.alt_onset": {
        "en": "For each term and cohort the median day of onset and its quartiles; the numbers "
        "are in the table."
    },
    "time.alt_duration": {
        "en": "For each term and cohort the median duration and its quartiles; the numbers are in "
        "the table."
    },
    "time.caption_onset": {
        "en": "Day of the first event of each term ({asked}) of a patient in course {nth} of "
        "{block}: median and quartiles of those who had it, day 1 being the first day of the "
        "course; of fewer than 10 the number alone. Among those who had the course with all "
        "adverse events of the block documented. The {drawn} most frequent terms; the table has "
        "all. Scales: {scales}."
    },
    "time.caption_duration": {
        "en": "Days from the first to the last day of the first event of each term ({asked}) of a "
        "patient in course {nth} of {block}, both counted: median and quartiles of those with a "
        "recorded end; after a plus those without one, who are in no median. Long events are the "
        "likelier to have none: medians are too short rather than too long. Of fewer than 10 the "
        "number alone. Among those who had the course with all adverse events of the block "
        "documented. The {drawn} most frequent terms; the table has all. Scales: {scales}."
    },
    "time.left_out": {
        "en": "Not counted, since not all adverse events of the block are documented, of those "
        "who had course {nth} of {block}: {parts}. Silence is not zero."
    },
    "time.late": {
        "en": "{n} patients had their first such event after their last contact in course {nth} "
        "of {block}: it is not counted here."
    },
    "time.later": {"en": "First events after day {day} of the course, in no bar: {parts}."},
    "time.possible": {
        "en": "{n} patients had only an event whose grade is a range or not recorded: possible, "
        "but not certain, and not counted here."
    },
    "time.selected": {
        "en": "Who had a later course, or a later block, had survived and responded. Times are "
        "from the start of this course."
    },
    "time.no_recovery": {
        "en": "No recovery of neutrophils is recorded in course {nth} of {block}."
    },
    "time.undated": {
        "en": "No date of neutrophil recovery is recorded for {parts} with course {nth} of "
        "{block}. Whether they did not recover or it was not written down is not known: in the "
        "curve they count as not recovered."
    },
    "time.recovery_not_shown": {
        "en": "Neutrophil recovery in course {nth} of {block} is not shown: of more than half of a "
        "cohort no date is recorded."
    },
    "time.too_undated": {
        "en": "in {group} no date of recovery is recorded in more than {limit} % of those with the "
        "course"
    },
    "time.early_recovery": {
        "en": "{n} recoveries of neutrophils are dated before course {nth} of {block} began: "
        "taken as not recorded."
    },
    # ---------------------------------------------------------------- burden
    "burden.nobody": {"en": "Nobody of this population started a block."},
    "burden.headline": {"en": "Grade-days per patient in {block}: {parts}."},
    "burden.counted": {"en": "{days} grade-day{days:s} in {n} patient{n:s}"},
    "burden.n": {"en": "n {n}"},
    "burden.ends": {"en": "{group}: events without a recorded end"},
    "burden.table": {"en": "Mean grade-days per patient by block"},
    "burden.title": {"en": "Mean grade-days per patient, by block"},
    "burden.axis": {"en": "grade-days per patient"},
    "burden.alt": {
        "en": "For each block one dot a cohort: the mean of grade-days with its interval; the "
        "numbers are in the table."
    },
    "burden.without": {"en": "started no block"},
    "burden.shown": {"en": "categories shown by default"},
    "burden.every": {"en": "all categories"},
    "burden.caption": {
        "en": "Mean over those who started the block with all adverse events documented; who had "
        "no event counts 0. A patient's grade-days: on each day the grade of each term's event, "
        "the highest of overlapping events of one term, terms added; events of any grade "
        "({shown}) that began in the block, from their first to their last day, at most to the "
        "last day at risk of their course. An event without a recorded end counts up to that day: "
        "their number is in the table. A range counts by its lower end, an event without a grade "
        "as grade 1. Intervals of 95 % on the log scale, of differences MOVER. Scales: {scales}."
    },
    "burden.late": {
        "en": "{block}: {n} events began after the last contact and are not counted in grade-days."
    },
    "burden.mixed": {
        "en": "Graded by scales that do not mean the same between cohorts, and added up as if "
        "they did: {parts}."
    },
    "burden.steps": {"en": "This study has severities in place of grades; they count as: {steps}."},
    "burden.lengths": {
        "en": "Blocks differ in length: a longer one holds more days. Grades are added as if they "
        "were amounts, which they are not: read the burden beside the worst grades."
    },
}
