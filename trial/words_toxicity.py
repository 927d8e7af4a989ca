"""The strings of the toxicity page: its head, and the parts that show blocks beside each other."""

TEXTS: dict[str, dict[str, str]] = {
    "toxicity.none": {"en": "This study has no {lacking}: there is no toxicity by block to show."},
    "toxicity.lacks_blocks": {"en": "treatment blocks"},
    "toxicity.lacks_terms": {"en": "adverse events"},
    "toxicity.lacks_both": {"en": "treatment blocks and no adverse events"},
    "toxicity.block": {"en": "Block"},
    "toxicity.grade": {"en": "Grade at least"},
    "toxicity.severity": {"en": "Severity at least"},
    "toxicity.at_least_grade": {"en": "grade {grade} or higher"},
    "toxicity.at_least_step": {"en": "{step} or worse"},
    "toxicity.worst_grade": {"en": "Worst grade"},
    "toxicity.worst_severity": {"en": "Worst severity"},
    "toxicity.scale": {
        "en": "Scale: {scale} ({steps}). It has no CTCAE grades and is not turned into them."
    },
    "toxicity.extra": {"en": "All categories"},
    "toxicity.any": {"en": "Any event shown"},
    "toxicity.headline": {"en": "Block {block}, {at_least}, of those documented."},
    "toxicity.title": {"en": "Block {block}: patients with {at_least}"},
    "toxicity.title_difference": {"en": "Block {block}, {at_least}: difference"},
    "toxicity.title_blocks": {"en": "{group}: {at_least} by block"},
    "toxicity.alt_blocks": {
        "en": "Share of patients with an event, by block and category, {group}. The numbers are in "
        "the files of this page."
    },
    "toxicity.header": {"en": "{group} (documented: {n})"},
    "toxicity.caption": {
        "en": "{worst} per patient, {at_least}, over those who started {block} with all their "
        "events documented; who had no event is in it. Intervals of 95 %: Wilson, of differences "
        "Newcombe. An event belongs to the block in which it began: from its first day to the day "
        "before the next block, {until}the day of death, or {days} days after its end."
    },
    "toxicity.until": {"en": "the day of the {milestone}, "},
    "toxicity.only_some": {
        "en": "Nobody of {groups} started {block}: the others are shown alone, without comparison."
    },
    "toxicity.too_many": {
        "en": "The first {n} of {of} rows are drawn, all are in the table. Ask for a higher least "
        "frequency, or for a name."
    },
    "toxicity.not_given": {"en": "not given"},
    "toxicity.undocumented": {"en": "none documented"},
    "toxicity.undocumented_short": {"en": "no record"},
    "toxicity.too_undocumented": {
        "en": "Not compared: in {group} events are undocumented in more than one in five who "
        "started the block."
    },
    "toxicity.left_out": {
        "en": "Not counted, since not all their adverse events are documented, of those who "
        "started {block}: {parts}. Silence is not zero."
    },
    "toxicity.left_out_of": {"en": "{n} of {of} ({group})"},
    "toxicity.exploratory": {
        "en": "Many rows are looked at: intervals are given and no p-values; all but the primary "
        "measure is exploratory."
    },
    "toxicity.ranges": {
        "en": "A grade recorded as a range, such as 3-4, counts up to its lower end: for grade "
        "{grade} only if that is {grade} or higher. Grading scales are not converted into one "
        "another."
    },
    "toxicity.outside": {
        "en": "{n} adverse event{n:s} of {patients} patient{patients:s} began outside every block, "
        "in none of these rows."
    },
    "toxicity.block_note": {"en": "{block}: {note}"},
    "toxicity.table_items": {"en": "Patients with an event"},
    "toxicity.table_started": {"en": "Who started each block"},
    "toxicity.fatal": {"en": "Fatal adverse event"},
    "toxicity.possible": {"en": "[{n} more possible: a range or no grade]"},
    "toxicity.two_scales": {"en": "two grading scales: not compared"},
    "toxicity.scales_differ": {
        "en": "{term}: graded by scales that do not mean the same ({parts}). Patients are counted, "
        "the cohorts are not compared in this row; categories that hold it mix the scales."
    },
    "toxicity.events_in": {"en": "{n} event{n:s} in {courses} course{courses:s}"},
    "toxicity.big_rate": {"en": "{value} a course"},
    "toxicity.no_difference": {"en": "{cohort} minus {comparator}: {told}."},
    "toxicity.rate_difference": {"en": "{cohort} minus {comparator}: {told} events a course."},
    "toxicity.headline_events": {
        "en": "Block {block}, events of {at_least} a course, of those documented."
    },
    "toxicity.card": {"en": "{label}, {at_least}"},
    "toxicity.card_started": {"en": "{n} started the block; {undocumented} not documented"},
    "toxicity.nothing_found": {"en": "Nothing in this block is called '{find}' or is as frequent."},
    "toxicity.title_events": {"en": "Block {block}: events of {at_least} a course"},
    "toxicity.axis_events": {"en": "events a course"},
    "toxicity.axis_events_difference": {"en": "difference, events a course"},
    "toxicity.table_events": {"en": "Events a course"},
    "toxicity.caption_events": {
        "en": "Events of {at_least} in {block} over the courses of who started it with all adverse "
        "events documented; 95 % intervals by patient, since courses of one patient are alike. An "
        "event belongs to the course in which it began: up to the day before the next course, "
        "{until}the day of death, or {days} days after its end."
    },
    "toxicity.rare": {"en": "{n} rows that fewer than {least} % of every cohort had are left out."},
    "toxicity.false_discovery": {
        "en": "Sorted by the size of the difference, the first rows are the likeliest to be "
        "chance. The false discovery rate is the share of chance findings to expect among all "
        "rows with a rate up to this one (Fisher's p, Benjamini-Hochberg, terms and categories "
        "apart); it stands small beneath each name. Pinned rows stay on top in the study's order."
    },
    "toxicity.versions": {
        "en": "Graded by different versions of a scale in this block, all events: {parts}. "
        "Versions grade some terms differently (such as liver values that were raised before), so "
        "a difference between cohorts may be one of grading."
    },
    "toxicity.no_false_discovery": {
        "en": "Sorted by the size of the difference, the first rows are the likeliest to be "
        "chance. For events a course no false discovery rate is given: sort patients for one."
    },
    "toxicity.rate_short": {"en": "FDR {q}"},
    "toxicity.not_started": {"en": "did not start the block"},
    "toxicity.not_documented": {"en": "started it, adverse events not documented"},
    "toxicity.days_unknown": {"en": "not kept in these data"},
    "toxicity.table_left": {"en": "Who started each block, and what came instead"},
    "toxicity.title_left": {"en": "Who started each block, and who left before it"},
    "toxicity.alt_left": {
        "en": "For each block and cohort one bar: documented, not documented, and what came "
        "instead for those who did not start it; the numbers are in the table."
    },
    "toxicity.caption_left": {
        "en": "All patients of the population, block by block. Who did not start a block went on "
        "to a later one without it, or relapsed, left for another line without remission, or died "
        "before it, whichever came first. Later blocks hold those who lived and responded: "
        "cohorts differ in who that is."
    },
    "toxicity.unit": {"en": "Count"},
    "toxicity.order": {"en": "Order of rows"},
    "toxicity.open": {"en": "Terms of"},
    "toxicity.least": {"en": "At least in"},
    "toxicity.least_choice": {"en": "{least} % of a cohort"},
    "toxicity.least_any": {"en": "any patient"},
    "toxicity.find": {"en": "Find"},
    "toxicity.find_help": {"en": "Part of the name of a term or category. It is in the link."},
    "toxicity.item": {"en": "About"},
    "toxicity.nth": {"en": "Course"},
    "toxicity.more": {"en": "More about toxicity"},
    "unit_choice.patients": {"en": "patients"},
    "unit_choice.events": {"en": "events a course"},
    "order_choice.study": {"en": "as in the study"},
    "order_choice.difference": {"en": "largest difference"},
    "order_choice.rate": {"en": "most frequent"},
    "order_choice.name": {"en": "name"},
    "open_choice.none": {"en": "no category"},
    "open_choice.all": {"en": "all categories"},
    "more.blocks": {"en": "Block by block"},
    "more.compare": {"en": "Kinds of blocks"},
    "more.time": {"en": "When"},
    "more.burden": {"en": "Burden"},
    "more.infections": {"en": "Infections"},
    "more.deaths": {"en": "Deaths"},
    "more.list": {"en": "Events one by one"},
    "left.documented": {"en": "started, documented"},
    "left.undocumented": {"en": "started, not documented"},
    "left.later_block": {"en": "went on without it"},
    "left.relapsed": {"en": "relapsed before it"},
    "left.next_line": {"en": "left for another line"},
    "left.died": {"en": "died before it"},
    "left.ongoing": {"en": "did not have it: none of these"},
    "left.in_doubt": {"en": "not known"},
    "blocks.headline": {"en": "Any event shown of {at_least} in {block}: {parts}."},
    "blocks.with_days": {"en": "{told} in {days} days at risk each"},
    "blocks.nobody": {"en": "Nobody of this population started a block."},
    "blocks.days": {"en": "{n}\u00a0d"},
    "blocks.beneath": {"en": "mean days at risk"},
    "blocks.beneath_difference": {"en": "difference of mean days at risk"},
    "blocks.not_compared": {"en": "not compared"},
    "blocks.few": {"en": "few"},
    "blocks.title_difference": {"en": "{title}, percentage points"},
    "blocks.alt_difference": {
        "en": "For each block and category the difference, {title}; the numbers are in the table."
    },
    "blocks.table": {"en": "Every block and category"},
    "blocks.caption": {
        "en": "Patients with {at_least} over those who started the block with all adverse events "
        "documented. Beneath each block the mean days at risk of a patient: a longer block "
        "collects more events. Who starts a later block is a selection. A column without cells is "
        "a block that nobody of a cohort started. A difference is tinted by its size, not by how "
        "sure it is: its interval is under the pointer and in the table."
    },
}
