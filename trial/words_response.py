"""The strings of the response page."""

TEXTS: dict[str, dict[str, str]] = {
    "account.left_out": {"en": "{label}: {n} of {of} enrolled are shown; left out: {reasons}."},
    "account.all": {"en": "{label}: all {of} enrolled are shown."},
    "account.filtered": {"en": "outside the chosen population"},
    "response.none": {"en": "This study declares no response rule: there is no response to show."},
    "response.remission": {"en": "{what} by day {day}"},
    "response.by_definition": {"en": "{label}, {by}"},
    "response.below": {"en": "below {threshold}"},
    "response.own_limit": {"en": "below the assay's own limit"},
    "response.no_mrd": {"en": "This study measures no MRD: response is {what} alone."},
    "response.no_timepoints": {"en": "This study declares no time points: no MRD is shown."},
    "response.material": {"en": "Only {material} counts."},
    "response.any_material": {"en": "Any assessment counts."},
    "response.mrd": {"en": "MRD below {threshold} {at}"},
    "response.mrd_limit": {"en": "MRD not detected {at}"},
    "response.nobody": {"en": "no patients"},
    "response.not_reached": {"en": "nobody reached it"},
    "response.nobody_known": {"en": "known in nobody"},
    "response.selected_note": {
        "en": "{label}: who came to this time point lived and responded to come to it. Those alone "
        "are a selection by what happened later, and are not compared; of all enrolled they are."
    },
    "response.unknown": {
        "en": "{label}, {group}: for {n} of {of} it is not known. If none of them responded it is "
        "{worst}, if all did {best}."
    },
    "response.recorded": {
        "en": "Remission {label}. {note} A remission recorded otherwise does not count here, "
        "whatever was true of it: read it as a rule of recording first."
    },
    "response.selected": {"en": "a selection: {n} of {of} never came"},
    "response.nobody_was_sampled": {"en": "nobody sampled"},
    "nobody.enrolled": {"en": "nobody counted"},
    "nobody.started": {"en": "no start is recorded"},
    "nobody.sampled": {"en": "nobody sampled"},
    "nobody.evaluable": {"en": "known in nobody"},
    "response.one_group": {"en": "Only {cohort} is shown: there is nothing to compare it with."},
    "response.nobody_sampled": {
        "en": "{label}: nobody in this population was sampled there, so nothing is known of it."
    },
    "response.everybody": {"en": "{label}: everybody who is counted, in every group."},
    "response.nobody_responded": {"en": "{label}: nobody of those counted, in any group."},
    "response.title": {"en": "Response by cohort"},
    "response.title_difference": {"en": "Difference"},
    "response.axis": {"en": "Patients"},
    "response.axis_difference": {"en": "Percentage points"},
    "response.alt": {"en": "Proportions by cohort with 95 % intervals. {headline}"},
    "response.of": {"en": "{label}, {of}"},
    "response.rule": {"en": "{of}; {missing}"},
    "response.counted": {"en": "Counted: {of}."},
    "response.caption": {
        "en": "{rule} {windows}Wilson intervals, 95 %; differences by Newcombe's method."
    },
    "response.windows": {
        "en": "MRD: the last sample in the window of days from the block or event it is named "
        "after ({windows}), and before the next block; of two on one day {methods}. A result below "
        "a limit of detection or quantification is negative if that limit is at or below the "
        "threshold, else indeterminate. "
    },
    "response.window": {"en": "{label}: {first} to {last}"},
    "response.methods": {"en": "{first} before {others}"},
    "response.any_method": {"en": "either"},
    "response.card": {"en": "{n} of {of}, 95 % {limits}"},
    "response.card_others": {"en": "The others of {of}: {parts}."},
    "response.card_left_out": {"en": "The others of {of}: {parts} ({n} of them not counted)."},
    "response.table_shares": {"en": "Response"},
    "response.table_responses": {"en": "Where everybody stood at the landmark (adds to N)"},
    "response.table_classes": {"en": "Where everybody's MRD was at each time point (adds to N)"},
    "response.table_bounds": {
        "en": "Of all enrolled, if every result that is missing were none, or were a response (not "
        "reached stays none)"
    },
    "response.not_judged": {
        "en": "Response is judged, and MRD shown, for: {lines}. It is not defined for: {others}."
    },
    "response.timepoint": {"en": "Response at"},
    "response.definition": {"en": "Remission"},
    "response.threshold": {"en": "MRD negative"},
    "response.denominator": {"en": "Of whom"},
    "response.missing": {"en": "Not known"},
    "response.effect": {"en": "Compared by"},
    "response.indeterminate": {
        "en": "{at}: the share of indeterminate results differs between the cohorts by more than "
        "10 points: the assays differ in what they can see."
    },
    "response.limits_differ": {
        "en": "{at}: the assays differ in how low they see (geometric mean of the limits of "
        "detection: {parts}). The lower one finds more that is positive and more that is "
        "certainly negative."
    },
    "response.table_sentences": {"en": "In words"},
    "response.column_words": {"en": "Sentence"},
    "response.assumed": {
        "en": "{at}: in {n} undetectable results the detection limit is the study's default for "
        "the method, not the export's."
    },
    "denominator_mrd.enrolled": {"en": "of all enrolled"},
    "denominator_mrd.started": {"en": "of those who came to the time point"},
    "denominator_mrd.sampled": {"en": "of those sampled"},
    "denominator_mrd.evaluable": {"en": "of those with a definite MRD result"},
    "denominator_remission.enrolled": {"en": "of all enrolled"},
    "denominator_remission.started": {"en": "of those who started treatment"},
    "denominator_remission.sampled": {"en": "of those assessed"},
    "denominator_remission.evaluable": {"en": "of those whose response is known"},
    "denominator_choice.enrolled": {"en": "all enrolled"},
    "denominator_choice.started": {"en": "started the block"},
    "denominator_choice.sampled": {"en": "sampled"},
    "denominator_choice.evaluable": {"en": "evaluable"},
    "missing.not_negative": {"en": "not known counts as no response"},
    "missing.left_out": {"en": "not known is left out"},
    "missing_choice.not_negative": {"en": "counts as no response"},
    "missing_choice.left_out": {"en": "is left out"},
    "effect_choice.difference": {"en": "difference"},
    "effect_choice.odds_ratio": {"en": "odds ratio"},
    "class.negative": {"en": "negative"},
    "class.positive": {"en": "positive"},
    "class.indeterminate": {"en": "indeter\u00adminate"},
    "class.not_evaluable": {"en": "not evaluable"},
    "class.not_sampled": {"en": "not sampled"},
    "class.in_doubt": {"en": "quaran\u00adtined"},
    "class.too_early": {"en": "too early"},
    "class.not_reached": {"en": "not reached"},
    "class.died": {"en": "died before it"},
    "class.remission": {"en": "{what}"},
    "class.other_remission": {"en": "{what}, not so confirmed"},
    "class.non_response": {"en": "no {what}"},
    "class.early_death": {"en": "died before"},
    "column.worst": {"en": "Unknown as none"},
    "column.best": {"en": "Unknown as response"},
    # ---------------------------------------------------------------- parts
    "part.lens": {"en": "Definitions"},
    "part.courses": {"en": "Courses of {block}"},
    "part.flow": {"en": "Flow of patients"},
    "part.subgroups": {"en": "Subgroups"},
    "part.patients": {"en": "Patients"},
    "part.title": {"en": "Look closer"},
    # ---------------------------------------------------------------- lens
    "lens.mrd_at": {"en": "MRD {at}"},
    "lens.title_classes": {"en": "{what}: everybody by class, under each definition"},
    "lens.title_strip": {
        "en": "{what}: {cohort} minus {comparator} under every combination at once"
    },
    "lens.alt_classes": {
        "en": "{what}: everybody by class under each definition, as stacked bars. The table has "
        "the numbers."
    },
    "lens.caption_classes": {
        "en": "Everybody of the population, by class; a bar is 100 % of its group. {notes}"
    },
    "lens.caption_strip": {
        "en": "Difference of the proportions with 95 % intervals by Newcombe's method, under every "
        "combination of definition, denominator and missing rule. The rows count the same patients "
        "in other ways and are not independent: they show how far the answer hangs on the rule, "
        "and are no search for the best one. {material}"
    },
    "lens.thresholds": {
        "en": "Indeterminate: the assay could not see so low. 'Below the assay's own limit' is "
        "not detected by the assay that was used, whatever it could see."
    },
    "lens.note": {"en": "Remission {label}: {note}"},
    "lens.rule": {"en": "{of}; {missing}"},
    "lens.shown": {"en": "{label} (shown above)"},
    "lens.all_changes": {"en": "any change"},
    "lens.change": {"en": "{one} → {other}"},
    "lens.between": {"en": "{one} → {other}"},
    "lens.of": {"en": "{n} of {of}"},
    "lens.column_between": {"en": "Definitions"},
    "lens.column_change": {"en": "Change of class"},
    "lens.column_rule": {"en": "Of whom, and who is not known"},
    "lens.column_by": {"en": "Definition"},
    "lens.table_changes": {"en": "Who changes class between two definitions"},
    "lens.table_classes": {"en": "Everybody by class (adds to N)"},
    "lens.table_strip": {"en": "Every combination of definition, denominator and missing rule"},
    "lens.sentence_all": {
        "en": "{cohort} minus {comparator}: from {lowest} to {highest} percentage points under the "
        "{n} combinations of definition, denominator and missing rule; {with_zero} of the {n} "
        "intervals include 0."
    },
    "lens.sentence": {
        "en": "{cohort} minus {comparator}: from {lowest} to {highest} percentage points under the "
        "{known} of {n} combinations of definition, denominator and missing rule in which both "
        "groups have enough patients; {with_zero} of these intervals include 0."
    },
    "lens.none": {
        "en": "{cohort} minus {comparator}: under no combination of definition, denominator and "
        "missing rule do both groups have enough patients."
    },
    "lens.alone": {
        "en": "One group, or groups that are not compared: the classes are shown, no difference."
    },
    # ---------------------------------------------------------------- courses
    "courses.everybody": {"en": "all"},
    "courses.before": {"en": "before"},
    "courses.during": {"en": "during"},
    "courses.after": {"en": "after"},
    "courses.course": {"en": "Course"},
    "courses.row": {"en": "{line}: {label}"},
    "courses.without": {"en": "without course {number} of {block}"},
    "courses.single_arm": {
        "en": "Kinds of line and cohorts are shown one by one: who lives to have such a course "
        "differs between them, so no difference is given and nothing is tested."
    },
    "courses.headline": {"en": "MRD {by} after course {number} of {block}. {parts}"},
    "courses.part": {"en": "{line}: {told}."},
    "courses.no_course": {"en": "nobody had one"},
    "courses.nobody": {"en": "Nobody of this population had course {number} of {block}."},
    "courses.title_paired": {"en": "{group}: MRD around course {number} of {block}"},
    "courses.title_response": {"en": "MRD negative after course {number} of {block}"},
    "courses.alt_paired": {
        "en": "{title}: one line a patient, {n} in all; {before} sampled before, {after} after, "
        "{both} both."
    },
    "courses.caption_paired": {
        "en": "One line a patient: the last marrow of the {days} days before the course, the last "
        "sample during it (hollow: another material, never classed), the last marrow from day "
        "{first} to {last} of it and before the next. Of {n}, {before} have a sample before, "
        "{after} after, {both} both. Undetectable is drawn in the band at the bottom, with its "
        "limit of detection where it was.{note}"
    },
    "courses.caption_response": {
        "en": "MRD negative in the last marrow from day {first} to {last} of the course and before "
        "the next (time points above have windows of their own), of those who began it; {missing}. "
        "All kinds of line are shown, whatever is ticked at the left. Disease before the "
        "course: blasts in the marrow, else MRD. Wilson intervals, 95 %."
    },
    "courses.table_response": {"en": "MRD negative after the course, by disease before it"},
    "courses.table_classes": {"en": "MRD after course {number} of {block} (adds to N)"},
    "burden.high": {"en": "blasts {limit} or more before"},
    "burden.mrd_positive": {"en": "MRD positive before"},
    "burden.mrd_negative": {"en": "MRD negative before"},
    "burden.unknown": {"en": "disease before not known"},
    "cells.planned": {"en": "cells planned"},
    "cells.not_planned": {"en": "cells not planned"},
    "cells.by_day": {"en": "at least one by day {day}"},
    "cells.none": {"en": "none by day {day}"},
    "cells.no_days": {"en": "no days of infusion are recorded"},
    "cells.table": {
        "en": "MRD negative after the course, by {cells}: planned or not, and by day {day} among "
        "those still on the course then"
    },
    "cells.table_exposure": {"en": "Infusions, and who was no longer on the course on day {day}"},
    "cells.column_courses": {"en": "Courses"},
    "cells.column_cells": {"en": "Infusions of cells"},
    "cells.column_other_cells": {"en": "Of other cells"},
    "cells.column_drug_days": {"en": "Days of infusion"},
    "cells.column_per_days": {"en": "Cells per 28 days"},
    "cells.column_died": {"en": "Died before"},
    "cells.column_stopped": {"en": "Stopped before"},
    "cells.note": {
        "en": "{cells}: a course that lasts longer collects more infusions, so their number says "
        "how long a course lasted. Descriptive only: planned or not is the protocol, and whether "
        "one was given by day {day} was decided by doctors. No test."
    },
    "paired.undetectable": {"en": "undetectable (tick: its detection limit)"},
    "paired.detected": {"en": "detected, not quantified"},
    "paired.not_seen": {"en": "undetectable"},
    "paired.failed": {"en": "failed"},
    "paired.threshold": {"en": "threshold"},
    "paired.too_many": {
        "en": "{n} courses are too many for a line each: dots are results, the thick line "
        "joins the medians, thin lines are quartiles."
    },
    "paired.far_too_many": {
        "en": "{n} courses are too many for a line or a dot each: the thick line joins the "
        "medians, thin lines are quartiles."
    },
    # ---------------------------------------------------------------- flow
    "flow.headline": {"en": "Every patient from enrollment on; the width of a band is patients."},
    "flow.nobody": {"en": "Nobody of this population has a response that is judged."},
    "flow.title": {"en": "{group}: all {n}"},
    "flow.enrolled": {"en": "Population"},
    "flow.all": {"en": "all"},
    "flow.at": {"en": "At {time}"},
    "flow.not_known": {"en": "not known"},
    "flow.started": {"en": "{what}"},
    "flow.in_doubt": {"en": "not known: a row is quarantined"},
    "flow.not_started": {"en": "no {what} in this line"},
    "flow.happened": {"en": "{what}"},
    "flow.not_happened": {"en": "no {what} in this line"},
    "flow.alive_without_event": {"en": "alive, no event"},
    "flow.alive_after_event": {"en": "alive after an event"},
    "flow.dead": {"en": "dead"},
    "flow.not_followed": {"en": "not followed so long"},
    "flow.unknown": {"en": "not known"},
    "flow.caption": {
        "en": "Counts of patients, no estimates: who is not followed to the last stage is a node "
        "of its own and counts as neither alive nor dead. Later stages are reached only by those "
        "who lived to reach them: a band says what happened, not what caused it. Blocks and "
        "events are those of this line of therapy: later lines may have brought them, and count in "
        "the last stage only. MRD not known: not sampled, failed, too early or quarantined."
    },
    "flow.words": {"en": "{group}, {n} patients. {stages}."},
    "flow.column_stage": {"en": "Stage"},
    "flow.column_node": {"en": "Where"},
    "flow.table": {"en": "Patients at each stage (adds to N)"},
    # ---------------------------------------------------------------- subgroups
    "subgroups.overall": {"en": "Everybody"},
    "subgroups.heading": {"en": "{label} (interaction: {p})"},
    "subgroups.title": {"en": "{what}, by subgroup"},
    "subgroups.title_ratio": {"en": "Odds ratio"},
    "subgroups.axis_ratio": {"en": "Odds ratio"},
    "subgroups.column_ratio": {"en": "{cohort} against {comparator}, odds ratio"},
    "subgroups.column_p": {"en": "Interaction"},
    "subgroups.table": {"en": "Response by subgroup"},
    "subgroups.headline": {
        "en": "Exploratory: {what} in {n} subgroups, by {of} ways to divide; {tests} interaction "
        "tests."
    },
    "subgroups.caption": {
        "en": "{rule} {n} subgroups are looked at: by chance alone one interval in twenty misses "
        "the truth. Dashed: everybody. Interaction: whether the comparison depends on the level "
        "(difference: Cochran's Q, which leans on levels where nobody of a cohort responded; odds "
        "ratio: likelihood ratio); 'not recorded' is no part of it. Second records of the same "
        "and characteristics of one level are in the table and not drawn."
    },
    "subgroups.note": {
        "en": "Exploratory. That no interaction is seen is no evidence of an equal effect: trials "
        "of this size find most interactions seldom."
    },
    # ---------------------------------------------------------------- patients
    "patients.viewer": {
        "en": "Single patients are shown to clinicians only. Who operates this board decides who "
        "is one."
    },
    "patients.headline": {"en": "{n} of {of} patients of this population: {what}, {who}."},
    "patients.title": {"en": "From the start of the line to the last contact"},
    "patients.caption": {
        "en": "One lane a patient, {n} of the {of} listed; an arrow: alive, or going on beyond the "
        "picture. Dashed: day {landmark}."
    },
    "patients.alt": {"en": "Swimmer plot of {n} of {of} patients; the list has all of them."},
    "patients.axis": {"en": "{unit}s since the start of the line"},
    "patients.course": {"en": "{block} {number}"},
    "patients.line": {"en": "{name} (line {line})"},
    "patients.unknown": {"en": "not in the records"},
    "patients.not_listed": {"en": "not among the lanes drawn"},
    "patients.mrd_negative": {"en": "MRD negative"},
    "patients.mrd_positive": {"en": "MRD positive"},
    "patients.day": {"en": "day {day}"},
    "patients.dated": {"en": "{date} (day {day})"},
    "patients.dead": {"en": "died"},
    "patients.alive": {"en": "alive when last seen"},
    "patients.everybody": {"en": "everybody"},
    "patients.table": {"en": "{what}: {who} ({n})"},
    "patients.column_patient": {"en": "Patient"},
    "patients.column_cohort": {"en": "Cohort"},
    "patients.column_line": {"en": "Line"},
    "patients.column_class": {"en": "Class"},
    "patients.column_class_day": {"en": "Seen on"},
    "patients.column_last_seen": {"en": "Last day of the line"},
    "patients.column_status": {"en": "Status"},
    "patients.who": {"en": "Who are they?"},
    "patients.sort": {"en": "Sorted by"},
    "patients.window": {"en": "Drawn"},
    "window_choice.year": {"en": "the first year"},
    "window_choice.all": {"en": "all of the follow-up"},
    "sort_choice.class": {"en": "class"},
    "sort_choice.follow_up": {"en": "follow-up"},
    "sort_choice.response_day": {"en": "day it was seen"},
    "patients.find": {"en": "Why is this patient (not) here? Type the identifier of the export"},
    "patients.find_help": {
        "en": "What you type stays on this screen: it is no part of the address and of no file."
    },
    "why.title": {"en": "{patient}: counted in '{what}'?"},
    "why.column_line": {"en": "Line or row"},
    "why.column_rule": {"en": "Rule"},
    "why.column_answer": {"en": "Passed"},
    "why.column_told": {"en": "Because"},
    "why.line": {"en": "{cohort}, line {number}: {kind}"},
    "why.where": {"en": "{file} row {row}"},
    "why.yes": {"en": "yes"},
    "why.no": {"en": "NO"},
    "why.known": {"en": "in the data"},
    "why.not_enrolled": {"en": "no enrollment of this snapshot has this identifier"},
    "why.quarantined": {"en": "kept out of every table"},
    "why.source": {"en": "read from this row"},
    "why.cohort": {"en": "cohort chosen"},
    "why.kind": {"en": "kind of line chosen"},
    "why.primary": {"en": "the first of its kind"},
    "why.primary_told": {"en": "of each kind of line only a patient's first is counted"},
    "why.judged": {"en": "response judged"},
    "why.counted": {"en": "in the denominator"},
    "why.counted_told": {"en": "class: {label}"},
    "why.response": {"en": "a response"},
}
