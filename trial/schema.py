"""The canonical tables, declared once: staging checks, DDL, comments and glossary come from here.

A snapshot has two files. Tables of `RESULTS` hold no source identifier, no calendar date finer
than a year and no raw text; tables of `RECORDS` hold what the clinician path needs. Columns whose
metadata says `volatile` describe the act of loading, not the data, and stay out of the content id.
"""

import functools
from dataclasses import dataclass, replace

import dataframely as dy

from trial.response import RESPONSE_CLASSES
from trial.study import DERIVED_MILESTONES, Study

# 1: one line an enrollment, milestones only. 2: lines, courses, samples, adverse events. 3: built
# tables carry the columns that a population is chosen by, and say who is left out and why.
# 4: finished times of the export; rows left out by rule; which snapshot came before.
SCHEMA_VERSION = 7
VOLATILE = {"volatile": True}


class Enrollment(dy.Schema):
    """One row per enrollment; baseline facts only. The study adds its own characteristics."""

    enrollment_key = dy.Int64(
        primary_key=True, description="Surrogate key of the enrollment: a keyed hash (HMAC)."
    )
    patient_key = dy.Int64(
        nullable=False, description="Surrogate key of the patient: a keyed hash (HMAC)."
    )
    cohort_code = dy.String(nullable=False, description="Cohort of the enrollment, from the study.")
    enrollment_year = dy.Int32(
        nullable=True, description="Calendar year of day 0; empty if the export has no dates."
    )
    entry_day = dy.Int32(
        nullable=True, description="Day of registration; empty if the export does not say."
    )
    potential_months = dy.Int32(
        nullable=True,
        min=0,
        description="Whole months from day 0 to the data cut-off, for how completely the living "
        "were followed; empty for the dead and without dates.",
    )


class Line(dy.Schema):
    """One row per line of therapy of an enrollment; an export without lines has one each."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose line.")
    line_number = dy.Int32(primary_key=True, min=1, description="1 for the first line.")
    entry_reason = dy.String(nullable=False, description="Why the line began, from the study.")
    start_day = dy.Int32(nullable=False, min=0, description="Its time zero.")
    protocol_as_treated = dy.String(
        nullable=True, description="Cohort code of the protocol that was in fact given."
    )
    intent = dy.String(nullable=True, description="curative or palliative.")
    is_primary = dy.Bool(
        nullable=False,
        description="First line of this kind of the patient: what pages count by default.",
    )


class MilestoneFact(dy.Schema):
    """One row per enrollment x milestone x instance that happened."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose milestone.")
    milestone_code = dy.String(primary_key=True, description="What happened, from the study.")
    instance = dy.Int32(primary_key=True, min=1, description="1 for the first, 2 for a second.")
    day = dy.Int32(nullable=False, min=0, description="Days since day 0 of the enrollment.")
    detail_code = dy.String(nullable=True, description="What kind: site, cause, donor ...")


class Course(dy.Schema):
    """One row per line x block given x number of the course."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose course.")
    line_number = dy.Int32(primary_key=True, min=1, description="In which line.")
    block_code = dy.String(primary_key=True, description="Block, from the study.")
    course_number = dy.Int32(primary_key=True, min=1, description="1 for the first of its kind.")
    start_day = dy.Int32(nullable=False, min=0, description="First day.")
    stop_day = dy.Int32(nullable=True, min=0, description="Last day; empty if not recorded.")
    is_planned = dy.Bool(nullable=True, description="Given as planned.")
    dose_percent = dy.Float64(nullable=True, min=0, description="Dose given, per cent of planned.")
    is_completed = dy.Bool(nullable=True, description="Given to its end.")
    ae_documented = dy.String(
        nullable=False, description="Adverse events documented: yes, no or unknown."
    )
    recovery_day = dy.Int32(nullable=True, min=0, description="Neutrophils recovered after it.")
    until_day = dy.Int32(
        nullable=True,
        min=0,
        description="Last day on which an adverse event is attributed to it, at most the day of "
        "death or last contact; empty: loaded before this was kept.",
    )
    until_code = dy.String(
        nullable=True,
        description="Why it ends there: death, relapse, next_course, window (its days of "
        "attribution passed) or censored (last contact).",
    )


class Infusion(dy.Schema):
    """One row per infusion segment or cell infusion."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose infusion.")
    infusion_number = dy.Int32(primary_key=True, min=1, description="In order of the day.")
    line_number = dy.Int32(nullable=False, description="In which line.")
    block_code = dy.String(nullable=False, description="In which block.")
    course_number = dy.Int32(nullable=False, description="In which course of it.")
    kind_code = dy.String(nullable=False, description="What was infused.")
    start_day = dy.Int32(nullable=False, min=0, description="First day.")
    stop_day = dy.Int32(nullable=True, min=0, description="Last day.")
    dose = dy.Float64(nullable=True, min=0, description="Dose in the unit of dose_basis.")
    dose_basis = dy.String(nullable=True, description="Unit of the dose.")
    step = dy.Int32(nullable=True, description="Dose step.")
    cell_source = dy.String(nullable=True, description="Whose cells.")


class Assessment(dy.Schema):
    """One row per sample day x material x method x measure; two results of one key are errors."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose sample.")
    sample_day = dy.Int32(primary_key=True, min=0, description="Day it was taken.")
    material_code = dy.String(primary_key=True, description="Material.")
    method_code = dy.String(primary_key=True, description="Method.")
    measure_code = dy.String(primary_key=True, description="What was measured.")
    qualifier = dy.String(
        nullable=True,
        description="= < > undetectable detected (below quantification) failed done (looked at, "
        "no result recorded); empty: no result.",
    )
    value = dy.Float64(nullable=True, min=0, description="Fraction from 0 to 1.")
    lod = dy.Float64(nullable=True, min=0, description="Detection limit, fraction.")
    loq = dy.Float64(nullable=True, min=0, description="Quantification limit, fraction.")
    is_lod_assumed = dy.Bool(
        nullable=False, description="The detection limit is the study's default."
    )


class AdverseEvent(dy.Schema):
    """One row per adverse event, with the course it belongs to, if any."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose event.")
    event_number = dy.Int32(primary_key=True, min=1, description="In order of the day.")
    term_code = dy.String(nullable=False, description="Term, from the study.")
    grade_low = dy.Int32(nullable=False, min=1, description="Grade; the lower end of '3-4'.")
    grade_high = dy.Int32(nullable=False, min=1, description="Grade; the upper end of '3-4'.")
    scale_code = dy.String(nullable=False, description="Grading scale; scales are kept apart.")
    onset_day = dy.Int32(nullable=False, min=0, description="First day.")
    end_day = dy.Int32(nullable=True, min=0, description="Last day; empty if it goes on.")
    is_serious = dy.Bool(nullable=True, description="Serious.")
    outcome_code = dy.String(nullable=True, description="recovered, ongoing, fatal or unknown.")
    infection_site_code = dy.String(nullable=True, description="Site of an infection.")
    pathogen_code = dy.String(nullable=True, description="Pathogen of an infection.")
    documentation_code = dy.String(nullable=True, description="How an infection is documented.")
    line_number = dy.Int32(nullable=True, description="Line of its course; empty outside any.")
    block_code = dy.String(nullable=True, description="Block of its course; empty outside any.")
    course_number = dy.Int32(nullable=True, description="Its course; empty outside any.")


class FinishedTime(dy.Schema):
    """One row per enrollment x endpoint whose time the export brings as it is."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose time.")
    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    time_days = dy.Int32(nullable=False, min=0, description="Time as the export says it, in days.")
    state = dy.Int8(
        nullable=False, min=0, description="0 censored, 1 event, 2 and more competing events."
    )


class Doubt(dy.Schema):
    """One row per enrollment x milestone (or table) that a quarantined row might have told of."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose milestone.")
    milestone_code = dy.String(
        primary_key=True, description="Which milestone, or which table, is in doubt."
    )


class BlockRow(dy.Schema):
    """One row per block of the study definition."""

    block_code = dy.String(primary_key=True, description="Block, from the study.")
    position = dy.Int32(nullable=False, description="Treatment order.")
    planned_days = dy.Int32(
        nullable=True, description="Days from its start to the next block, as planned."
    )


class TimepointRow(dy.Schema):
    """One row per time point of the study definition."""

    timepoint_code = dy.String(primary_key=True, description="Time point, from the study.")
    after_block = dy.String(nullable=True, description="Block whose first course starts it.")
    before_block = dy.String(nullable=True, description="Block whose first course ends it.")
    before_milestone = dy.String(nullable=True, description="Milestone that ends it.")
    from_day = dy.Int32(nullable=False, description="First day, from the anchor.")
    to_day = dy.Int32(nullable=False, description="Last day, from the anchor.")


class BlockGroupRow(dy.Schema):
    """One row per group of blocks x block in it."""

    group_code = dy.String(primary_key=True, description="Group of blocks, from the study.")
    block_code = dy.String(primary_key=True, description="Block in it.")


class ScaleRow(dy.Schema):
    """One row per grading scale of the study definition."""

    scale_code = dy.String(primary_key=True, description="Scale, from the study.")
    family_code = dy.String(nullable=False, description="Scales of one family are alike.")


class DeathRuleRow(dy.Schema):
    """One row per cause of death that the study says something of; '' if it names none."""

    cause_code = dy.String(primary_key=True, description="Cause, a detail of the death.")
    is_toxic = dy.Bool(
        nullable=False,
        description="A fatal adverse event should tell of it; else it is a death of the disease.",
    )
    transplant_code = dy.String(nullable=True, description="Milestone of a transplant.")
    malignancy_code = dy.String(nullable=True, description="Milestone of a second malignancy.")


class TermRow(dy.Schema):
    """One row per adverse-event term of the study definition."""

    term_code = dy.String(primary_key=True, description="Term, from the study.")
    category_code = dy.String(nullable=False, description="Its category.")
    is_default = dy.Bool(nullable=False, description="Its category is shown without being asked.")


class ResponseRuleRow(dy.Schema):
    """One row per kind of line whose response is judged."""

    entry_reason = dy.String(primary_key=True, description="Kind of line.")
    landmark_day = dy.Int32(nullable=False, description="Day of the line by which to respond.")
    assessed_from_day = dy.Int32(nullable=False, description="First day of an assessment.")
    remission_code = dy.String(nullable=False, description="Milestone of remission.")
    relapse_code = dy.String(nullable=True, description="Milestone of relapse.")
    death_code = dy.String(nullable=False, description="Milestone of death.")
    contact_code = dy.String(nullable=False, description="Milestone of last contact.")
    material_code = dy.String(nullable=True, description="Material that counts; empty: any.")
    measure_code = dy.String(nullable=True, description="Measure of MRD; empty: none.")
    needs_sample = dy.Bool(nullable=False, description="Only who was sampled is assessed.")


class ResponseDefinitionRow(dy.Schema):
    """One row per definition of remission x detail of a remission that it accepts."""

    definition_code = dy.String(primary_key=True, description="Definition, from the study.")
    detail_code = dy.String(primary_key=True, description="Detail; '' if it accepts any.")
    is_default = dy.Bool(nullable=False, description="The definition that decides endpoints.")


class CourseRuleRow(dy.Schema):
    """One row: the block whose courses MRD is compared before and after; none if no such rule."""

    block_code = dy.String(primary_key=True, description="Block, from the study.")
    before_days = dy.Int32(nullable=False, description="How long before a course a sample counts.")
    after_from_day = dy.Int32(nullable=False, description="First day of the window after it.")
    after_to_day = dy.Int32(nullable=False, description="Last day of that window.")
    material_code = dy.String(nullable=True, description="Material that counts; empty: any.")
    measure_code = dy.String(nullable=False, description="Measure of MRD.")
    high_measure = dy.String(nullable=True, description="Measure of disease; empty: none.")
    drug_code = dy.String(nullable=True, description="Kind of infusion that the block gives.")
    cells_code = dy.String(nullable=True, description="Kind of infusion of cells beside it.")
    cells_by_day = dy.Int32(nullable=False, description="Day of the course of the landmark.")
    cells_not_after = dy.String(nullable=True, description="Milestone after which cells differ.")
    death_code = dy.String(nullable=False, description="Milestone of death.")
    contact_code = dy.String(nullable=False, description="Milestone of last contact.")


class OtherSourceRow(dy.Schema):
    """One row per source of cells that are counted apart."""

    source_code = dy.String(primary_key=True, description="Source of cells, from the study.")


class MethodRow(dy.Schema):
    """One row per method, in order of preference for two samples of one day."""

    method_code = dy.String(primary_key=True, description="Method.")
    position = dy.Int32(nullable=False, description="1 is preferred.")


class EndpointLineRow(dy.Schema):
    """One row per endpoint x kind of line it is defined for."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    entry_reason = dy.String(primary_key=True, description="Kind of line.")


class EndpointNeedRow(dy.Schema):
    """One row per endpoint x milestone of the export that must be known to derive it."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    milestone_code = dy.String(primary_key=True, description="Milestone that must be known.")


class PopulationRow(dy.Schema):
    """One row per line, with all that a population is chosen by and described with (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose line.")
    line_number = dy.Int32(primary_key=True, description="1 for the first line.")
    cohort_code = dy.String(nullable=False, description="Cohort of the enrollment.")
    entry_reason = dy.String(nullable=False, description="Why the line began, from the study.")
    is_primary = dy.Bool(nullable=False, description="First line of this kind of the patient.")
    start_day = dy.Int32(nullable=False, description="Time zero of the line.")


class Response(dy.Schema):
    """One row per line whose response is judged at the landmark x definition of it (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose response.")
    line_number = dy.Int32(primary_key=True, description="Of which line.")
    definition_code = dy.String(primary_key=True, description="Definition of remission.")
    is_default = dy.Bool(nullable=False, description="By the definition that decides endpoints.")
    has_started = dy.Bool(nullable=False, description="Began at least one course of any block.")
    response_code = dy.String(
        nullable=False,
        description="remission, other_remission (of no accepted detail), non_response, "
        "early_death or not_evaluable at the landmark; "
        "in_doubt if a quarantined row might have told.",
    )
    remission_day = dy.Int32(nullable=True, description="First remission by the definition.")
    first_remission_day = dy.Int32(nullable=True, description="First remission of any kind.")
    is_late = dy.Bool(nullable=False, description="Remission first reached after the landmark.")
    failure_day = dy.Int32(
        nullable=True,
        description="Without remission by the landmark: the last assessment by then, "
        "else the landmark.",
    )
    start_day = dy.Int32(nullable=False, description="Start of the line.")


class ResponseSample(dy.Schema):
    """One row per line x time point: the MRD sample that stands for it (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose sample.")
    line_number = dy.Int32(primary_key=True, description="In which line.")
    timepoint_code = dy.String(primary_key=True, description="Time point, from the study.")
    status = dy.String(
        nullable=False,
        description="sampled, not_sampled, not_reached, died, too_early or in_doubt.",
    )
    is_reached = dy.Bool(nullable=False, description="What the window is anchored to has come.")
    sample_day = dy.Int32(nullable=True, description="Day of the sample.")
    method_code = dy.String(nullable=True, description="Its method.")
    qualifier = dy.String(nullable=True, description="As in fct_assessment.")
    value = dy.Float64(nullable=True, description="Fraction.")
    lod = dy.Float64(nullable=True, description="Detection limit, fraction.")
    loq = dy.Float64(nullable=True, description="Quantification limit, fraction.")
    is_lod_assumed = dy.Bool(nullable=True, description="The limit is the study's default.")


class CourseSample(dy.Schema):
    """One row per course of the course rule's block x moment: the sample that stands there (built).

    During a course any material is kept, to be drawn and never classed.
    """

    enrollment_key = dy.Int64(primary_key=True, description="Whose course.")
    line_number = dy.Int32(primary_key=True, description="In which line.")
    course_number = dy.Int32(primary_key=True, description="Number of the course.")
    moment_code = dy.String(primary_key=True, description="before, during or after.")
    status = dy.String(
        nullable=False, description="sampled, not_sampled, died, too_early or in_doubt."
    )
    sample_day = dy.Int32(nullable=True, description="Day of the sample.")
    material_code = dy.String(nullable=True, description="Its material.")
    method_code = dy.String(nullable=True, description="Its method.")
    qualifier = dy.String(nullable=True, description="As in fct_assessment.")
    value = dy.Float64(nullable=True, description="Fraction.")
    lod = dy.Float64(nullable=True, description="Detection limit, fraction.")
    loq = dy.Float64(nullable=True, description="Quantification limit, fraction.")
    is_lod_assumed = dy.Bool(nullable=True, description="The limit is the study's default.")


class CourseGiven(dy.Schema):
    """One row per course of the course rule's block: disease before, what was infused (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose course.")
    line_number = dy.Int32(primary_key=True, description="In which line.")
    course_number = dy.Int32(primary_key=True, description="Number of the course.")
    high_value = dy.Float64(nullable=True, description="The measure of disease before it.")
    drug_days = dy.Int32(nullable=False, description="Days of infusion with a recorded end.")
    n_cells = dy.Int32(nullable=False, description="Infusions of cells in it.")
    n_cells_by_day = dy.Int32(nullable=False, description="Of these up to the landmark's day.")
    n_other_cells = dy.Int32(
        nullable=False, description="Infusions of cells of other sources, or later than allowed."
    )
    landmark_code = dy.String(
        nullable=False, description="On the landmark's day: on_course, died or stopped."
    )


class WorstGrade(dy.Schema):
    """One row per course x term: the worst grade (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose course.")
    line_number = dy.Int32(primary_key=True, description="In which line.")
    block_code = dy.String(primary_key=True, description="Block.")
    course_number = dy.Int32(primary_key=True, description="Course.")
    term_code = dy.String(primary_key=True, description="Term.")
    grade_low = dy.Int32(nullable=False, description="Worst grade that is certain.")
    grade_high = dy.Int32(nullable=False, description="Worst grade that is possible.")
    is_fatal = dy.Bool(nullable=False, description="An event of grade 5, or with a fatal outcome.")


class BlockGiven(dy.Schema):
    """One row per line x block that was started in it (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Who started it.")
    line_number = dy.Int32(primary_key=True, description="In which line.")
    block_code = dy.String(primary_key=True, description="Block.")
    n_courses = dy.Int32(nullable=False, description="Courses of it.")
    is_documented = dy.Bool(
        nullable=False,
        description="Every course says that its adverse events are documented, and none is in "
        "quarantine. Silence is not zero.",
    )
    is_in_doubt = dy.Bool(
        nullable=False,
        description="An adverse event or a course of the enrollment is in quarantine.",
    )
    n_days = dy.Int64(nullable=True, description="Days on which events are attributed to it.")


class BlockLeft(dy.Schema):
    """One row per line x block of the study: started, or what came before it (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose line.")
    line_number = dy.Int32(primary_key=True, description="Which line.")
    block_code = dy.String(primary_key=True, description="Block.")
    class_code = dy.String(
        nullable=False,
        description="documented or undocumented (started); later_block, relapsed, died, ongoing; "
        "in_doubt if a quarantined course, relapse or death might tell otherwise.",
    )


class BlockEvents(dy.Schema):
    """One row per population x documented block x item x grade x events x courses (built).

    How many lines had so many events of at least the grade in so many courses. A line without any
    is in no row.
    """

    block_code = dy.String(primary_key=True, description="Block.")
    item_code = dy.String(primary_key=True, description="Kind and code of the item.")
    grade_min = dy.Int8(primary_key=True, description="Events of at least this grade, certain.")
    n_events = dy.Int32(primary_key=True, description="Events of the line.")
    n_courses = dy.Int32(primary_key=True, description="Its courses of the block.")
    n = dy.Int64(nullable=False, min=1, description="Lines.")


class BlockScale(dy.Schema):
    """One row per population x documented block x term x scale: lines with an event (built)."""

    block_code = dy.String(primary_key=True, description="Block.")
    term_code = dy.String(primary_key=True, description="Term.")
    scale_code = dy.String(primary_key=True, description="Scale of the event's grade.")
    n = dy.Int64(nullable=False, min=1, description="Lines.")


class Death(dy.Schema):
    """One row per line of an enrollment that died, or that has a fatal event (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Who died.")
    line_number = dy.Int32(primary_key=True, description="Line of the enrollment, each of them.")
    day = dy.Int32(nullable=True, description="Day of death; empty: no death is recorded.")
    class_code = dy.String(
        nullable=False,
        description="early (by the line's landmark), with_disease, in_remission, "
        "in_remission_after_transplant, "
        "after_second_malignancy, unknown (a quarantined row might tell) or no_death.",
    )
    cause_code = dy.String(nullable=True, description="Cause; empty: not recorded.")
    block_code = dy.String(nullable=True, description="Block whose course held the day of death.")
    match_code = dy.String(
        nullable=False,
        description="Against fatal adverse events: matched, no_fatal_event, other_cause, no_death "
        "or not_toxic (neither).",
    )


class BlockBurden(dy.Schema):
    """One row per population x documented block x item x grade-days: how many lines (built).

    The item is `any` event of the categories shown by default, or `all`.
    """

    block_code = dy.String(primary_key=True, description="Block.")
    item_code = dy.String(primary_key=True, description="any or all.")
    grade_days = dy.Int64(primary_key=True, min=0, description="Grade-days of the line.")
    n_open = dy.Int64(primary_key=True, min=0, description="Events without a recorded end.")
    n_late = dy.Int64(primary_key=True, min=0, description="Events after the last contact.")
    n = dy.Int64(nullable=False, min=1, description="Lines.")


class BlockGrade(dy.Schema):
    """One row per population x documented block x item x worst grade: how many lines (built).

    An item is a term (`term/sepsis`), a category (`category/infection`), `any` event of the
    categories shown by default, `all`, or `fatal` (grade 5 or outcome). A population is one set of
    what populations are chosen by, so that a count adds few rows up.
    """

    block_code = dy.String(primary_key=True, description="Block.")
    item_code = dy.String(primary_key=True, description="Kind and code of the item.")
    grade_low = dy.Int8(primary_key=True, description="Worst grade that is certain.")
    grade_high = dy.Int8(primary_key=True, description="Worst grade that is possible.")
    n = dy.Int64(nullable=False, min=1, description="Lines.")


class EndpointRow(dy.Schema):
    """One row per endpoint of the study definition."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    origin_code = dy.String(
        nullable=False, description="Milestone that starts the clock, or 'enrollment' (day 0)."
    )
    censor_code = dy.String(
        nullable=False, description="Milestone up to which an enrollment is observed."
    )
    is_finished = dy.Bool(nullable=False, description="The export brings its times as they are.")


class BlockMilestoneRow(dy.Schema):
    """One row per milestone of the study that is the start of a block."""

    milestone_code = dy.String(primary_key=True, description="Milestone, from the study.")
    block_code = dy.String(nullable=False, description="The block whose first course starts it.")


class EndpointEventRow(dy.Schema):
    """One row per endpoint x milestone that ends it."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    milestone_code = dy.String(primary_key=True, description="Milestone that ends it.")
    state = dy.Int8(nullable=False, min=1, description="1 the event, 2 and more competing.")
    priority = dy.Int32(
        nullable=False, description="Which milestone counts when two fall on one day; 1 wins."
    )


# Why a line has no time of an endpoint: the endpoint is not of its kind; a quarantined row might
# have told; the origin never came; there is neither an event nor a day of observation.
LEFT_OUT = ("not_defined", "in_doubt", "without_origin", "without_day")


class TimeToEvent(dy.Schema):
    """One row per line x endpoint: its time, or why it has none (built in the warehouse)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose time.")
    line_number = dy.Int32(primary_key=True, description="Of which line.")
    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    time_days = dy.Int32(
        nullable=True, min=0, description="Days from the origin to the event or to censoring."
    )
    state = dy.Int8(
        nullable=True, min=0, description="0 censored, 1 event, 2 and more competing events."
    )
    reason = dy.String(
        nullable=False, description=f"Milestone that ended the time, or {', '.join(LEFT_OUT)}."
    )
    entry_days = dy.Int32(
        nullable=True, description="Days from the origin to registration; empty if not known."
    )
    origin_day = dy.Int32(
        nullable=True, description="Day of the origin; empty without one and of a finished time."
    )


class Load(dy.Schema):
    """One row: the load that built the snapshot."""

    study_code = dy.String(primary_key=True, description="Study of the snapshot.")
    mapping_code = dy.String(nullable=False, description="Mapping the export was read with.")
    data_cutoff = dy.String(
        nullable=False,
        description="Declared data cut-off (ISO date), else the year of the latest date in the "
        "data, else 'undated'.",
    )
    schema_version = dy.Int32(nullable=False, description="Version of these tables.")
    rows_in = dy.Int64(nullable=False, min=0, description="Data rows read.")
    rows_loaded = dy.Int64(nullable=False, min=0, description="Rows that reached a table.")
    rows_quarantined = dy.Int64(nullable=False, min=0, description="Rows kept out, with a rule.")
    rows_excluded = dy.Int64(nullable=False, min=0, description="Rows left out by rule.")
    is_synthetic = dy.Bool(nullable=False, description="The rows say that they are synthetic.")
    loaded_at = dy.String(
        nullable=False, metadata=VOLATILE, description="When the snapshot was built (UTC)."
    )
    program_version = dy.String(
        nullable=False, metadata=VOLATILE, description="Version of the program that built it."
    )
    previous_snapshot_id = dy.String(
        nullable=True,
        metadata=VOLATILE,
        description="Current snapshot of the study when this one was built; empty for the first.",
    )


class LoadedFile(dy.Schema):
    """One row per table of the export and source of the mapping that reads it.

    rows_in = rows_loaded + rows_quarantined + rows_excluded.
    """

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    source_code = dy.String(nullable=False, description="Source of the mapping that read it.")
    is_enrolling = dy.Bool(nullable=False, description="Its rows enroll patients.")
    rows_in = dy.Int64(nullable=False, min=0, description="Data rows read.")
    rows_loaded = dy.Int64(nullable=False, min=0, description="Rows that reached a table.")
    rows_quarantined = dy.Int64(nullable=False, min=0, description="Rows kept out, with a rule.")
    rows_excluded = dy.Int64(nullable=False, min=0, description="Rows left out by rule.")


# The rule of a finding that says why the mapping left a row out: this, then the reason.
EXCLUDED = "excluded: "


class Issue(dy.Schema):
    """One row per file x severity x rule x column: how many findings, in how many rows."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    severity = dy.String(
        primary_key=True,
        description="error (row quarantined), warning, repair (value changed) or info.",
    )
    rule = dy.String(primary_key=True, description="Code of the check.")
    column_name = dy.String(primary_key=True, description="Column of the export; '' for the row.")
    n_findings = dy.Int64(nullable=False, min=1, description="Findings.")
    n_rows = dy.Int64(nullable=False, min=1, description="Rows with such a finding.")


class StudyRow(dy.Schema):
    """One row: the study definition the snapshot was built with."""

    study_code = dy.String(primary_key=True, description="Study of the snapshot.")
    definition = dy.String(nullable=False, description="The study definition, TOML, verbatim.")


class RecordEnrollment(dy.Schema):
    """One row per enrollment: the way back to the source."""

    enrollment_key = dy.Int64(primary_key=True, description="Key in the results file.")
    source_patient_id = dy.String(nullable=False, description="Patient identifier, as exported.")
    origin_date = dy.Date(nullable=True, description="Calendar date of day 0, if exported.")


class RecordFact(dy.Schema):
    """One row per source row x fact that was taken from it."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    source_row = dy.Int64(primary_key=True, description="Row in the file; the header is row 1.")
    table_name = dy.String(
        primary_key=True,
        description="Canonical table the fact went to; 'none' if the row says nothing happened.",
    )
    item_code = dy.String(primary_key=True, description="Milestone code; '' for baseline.")
    enrollment_key = dy.Int64(nullable=False, description="Whose fact.")


class RecordFile(dy.Schema):
    """One row per file of the export: its name."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    file_name = dy.String(
        nullable=False, metadata=VOLATILE, description="Name of the file, without its folder."
    )


class Finding(dy.Schema):
    """One row per finding of a check."""

    finding_number = dy.Int64(primary_key=True, description="Number of the finding.")
    file_number = dy.Int32(nullable=False, description="Number of the file within the load.")
    source_row = dy.Int64(nullable=False, description="Row in the file; 0 for the whole file.")
    source_enrollment_id = dy.String(
        nullable=True, description="Whose row it is, as exported; empty if it does not say."
    )
    column_name = dy.String(nullable=False, description="Column of the export; '' for the row.")
    raw_text = dy.String(nullable=False, description="What stood there.")
    rule = dy.String(nullable=False, description="Code of the check.")
    severity = dy.String(nullable=False, description="error, warning, repair or info.")
    message = dy.String(nullable=False, description="What is wrong and what to do.")


class Quarantine(dy.Schema):
    """One row per row of the export that was kept out of every table."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    source_row = dy.Int64(primary_key=True, description="Row in the file; the header is row 1.")
    row_text = dy.String(nullable=False, description="The row as JSON, as exported.")


@dataclass(frozen=True)
class TableSpec:
    """A canonical table: its name, its schema and the file it lives in.

    A table of `by_sql` is built in the warehouse from the others. `carries` then says that it gets
    the columns a population is chosen by, so that a count needs no join; `order` is how its rows
    lie, so that a scan can skip most of them. One that `sums` has no line in it, but counts them.
    `codes` lists the values of a coded column. One that is an `account` tells of the loading, not
    of the patients: two formats of one export differ there.
    """

    name: str
    schema: type[dy.Schema]
    database: str
    by_sql: bool = False
    carries: bool = False
    sums: bool = False
    order: tuple[str, ...] = ()
    is_account: bool = False
    codes: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _results(name: str, schema: type[dy.Schema]) -> TableSpec:
    return TableSpec(name, schema, "results")


def _built(name: str, schema: type[dy.Schema], *order: str) -> TableSpec:
    """A table that pages count: it carries the population."""
    return TableSpec(name, schema, "results", by_sql=True, carries=True, order=order)


TABLES = (
    _results("dim_enrollment", Enrollment),
    _results("dim_endpoint", EndpointRow),
    _results("dim_endpoint_event", EndpointEventRow),
    _results("dim_endpoint_line", EndpointLineRow),
    _results("dim_endpoint_need", EndpointNeedRow),
    _results("dim_block_milestone", BlockMilestoneRow),
    _results("dim_block", BlockRow),
    _results("dim_timepoint", TimepointRow),
    _results("dim_term", TermRow),
    _results("dim_block_group", BlockGroupRow),
    _results("dim_scale", ScaleRow),
    _results("dim_death_rule", DeathRuleRow),
    _results("dim_method", MethodRow),
    _results("dim_response_rule", ResponseRuleRow),
    _results("dim_response_definition", ResponseDefinitionRow),
    _results("dim_course_rule", CourseRuleRow),
    _results("dim_other_source", OtherSourceRow),
    _results("dim_line", Line),
    _results("fct_milestone", MilestoneFact),
    _results("fct_course", Course),
    _results("fct_infusion", Infusion),
    _results("fct_assessment", Assessment),
    _results("fct_adverse_event", AdverseEvent),
    _results("fct_finished_time", FinishedTime),
    _results("fct_doubt", Doubt),
    TableSpec("dim_population", PopulationRow, "results", by_sql=True),
    _built("fct_response", Response, "definition_code"),
    _built("fct_response_sample", ResponseSample, "timepoint_code"),
    _built("fct_course_sample", CourseSample, "moment_code"),
    _built("fct_course_given", CourseGiven),
    TableSpec("fct_worst_grade", WorstGrade, "results", by_sql=True),
    _built("fct_block", BlockGiven, "block_code"),
    replace(_built("fct_block_grade", BlockGrade, "grade_high"), sums=True),
    replace(_built("fct_block_events", BlockEvents, "block_code"), sums=True),
    replace(_built("fct_block_burden", BlockBurden, "block_code"), sums=True),
    replace(_built("fct_block_scale", BlockScale), sums=True),
    _built("fct_block_left", BlockLeft, "block_code"),
    _built("fct_death", Death),
    _built("fct_time_to_event", TimeToEvent, "endpoint_code"),
    TableSpec("load", Load, "results", is_account=True),
    TableSpec("file", LoadedFile, "results", is_account=True),
    TableSpec("issue", Issue, "results", is_account=True),
    _results("study", StudyRow),
    TableSpec("record_enrollment", RecordEnrollment, "records"),
    TableSpec("record_fact", RecordFact, "records"),
    TableSpec("record_file", RecordFile, "records"),
    TableSpec("finding", Finding, "records"),
    TableSpec("quarantine", Quarantine, "records"),
)


def _value_columns(study: Study) -> dict[str, dy.Column]:
    return {
        x.code: dy.Float64(nullable=True, description=f"{x.label} ({x.unit}).")
        for x in study.characteristics
        if x.kind == "number"
    }


def _level_columns(study: Study) -> dict[str, dy.Column]:
    return {
        x.level_column: dy.String(
            nullable=True, description=f"{x.label}: level code; empty if not recorded."
        )
        for x in study.characteristics
    }


def _chosen_by() -> dict[str, dy.Column]:
    columns = PopulationRow.columns()
    return {name: columns[name] for name in ("cohort_code", "entry_reason", "is_primary")}


def population_columns(study: Study) -> tuple[str, ...]:
    """The columns that a population is chosen by: what every counted table carries."""
    return (*_chosen_by(), *_level_columns(study))


def _codes(study: Study) -> dict[str, tuple[str, ...]]:
    """The values of the coded columns of built tables, by column."""
    blocks, terms = study.blocks, study.toxicity
    items = [f"term/{t.code}" for t in terms.terms]
    items += [*(f"category/{c.code}" for c in terms.categories), "any", "all", "fatal"]
    milestones = tuple(m.code for m in study.milestones)
    return {
        "cohort_code": tuple(c.code for c in study.cohorts),
        "entry_reason": tuple(line.code for line in study.lines),
        "endpoint_code": tuple(e.code for e in study.endpoints),
        "reason": tuple(dict.fromkeys((*milestones, *DERIVED_MILESTONES, *LEFT_OUT))),
        "block_code": tuple(b.code for b in blocks),
        "timepoint_code": tuple(p.code for p in study.timepoints),
        "item_code": tuple(items),
        "response_code": RESPONSE_CLASSES,
        "definition_code": tuple(d.code for d in study.response.definitions)
        if study.response
        else (),
        "moment_code": ("before", "during", "after"),
        "landmark_code": ("on_course", "died", "stopped"),
        "status": ("sampled", "not_sampled", "not_reached", "died", "too_early", "in_doubt"),
        "qualifier": ("=", "<", ">", "undetectable", "detected", "failed", "done"),
        **{x.level_column: tuple(level.code for level in x.levels) for x in study.characteristics},
    }


@functools.lru_cache(maxsize=64)
def tables_of(study: Study) -> tuple[TableSpec, ...]:
    """Every table of a snapshot of this study, with its characteristics where they belong."""
    numbers, levels = _value_columns(study), _level_columns(study)
    extra: dict[str, dict[str, dy.Column]] = {
        "dim_enrollment": {**numbers, **levels},
        "dim_population": {**numbers, **levels},
    }
    codes = _codes(study)
    found = []
    for table in TABLES:
        columns = {**_chosen_by(), **levels} if table.carries else extra.get(table.name, {})
        schema = table.schema
        if columns:
            schema = type(f"{schema.__name__}_{study.code}", (schema,), columns)
        coded = tuple((c, codes[c]) for c in schema.columns() if codes.get(c))
        found.append(replace(table, schema=schema, codes=coded if table.by_sql else ()))
    return tuple(found)
