"""Flaws of real registries that a demo can be given, one at a time, each known by name.

A flaw is what a comparison of two consecutive protocols stumbles over. The demo without a flaw is
what the methods of the program assume; with one, the page must warn or the estimate must be off.
"""

from dataclasses import replace

from etl.demo.plan import CaseMix, DemoError, Nature, Observation, Plan

FLAWS = {
    "late_referral": (
        "A third of the children on ALL-REZ 2014 are registered 15-75 days after the relapse, and "
        "those who died before are not in the export."
    ),
    "death_reporting_lag": (
        "Deaths reach the export 60-400 days late, and all others count as alive at the cut-off."
    ),
    "transplant_dependent_loss": (
        "A third of the transplanted children are lost to follow-up within 400 days of the "
        "transplant, hardly any of the others."
    ),
    "assay_limit_by_year": (
        "The limit of detection of MRD is 1e-3 up to 2015, 1e-4 in 2016-2017 and 1e-5 later."
    ),
    "underreported_adverse_events": (
        "Half of the adverse events on ALL-REZ 2014 are not in the export, though marked as "
        "documented."
    ),
    "transplant_wait_by_mrd": (
        "A child with MRD of 1e-4 or more waits 30-120 days longer for the transplant."
    ),
    "cd3_tied_to_course_length": (
        "CD3+ cells are given only in blinatumomab courses that have run for three weeks."
    ),
    "same_child": (
        "Every child that can be is enrolled again on ALL-REZ 2016 after relapsing on ALL-REZ 2014."
    ),
    "case_mix_shift": (
        "ALL-REZ 2016 enrolls fewer very early relapses, younger children and more favorable "
        "genetics than ALL-REZ 2014."
    ),
}

_SHIFTED = CaseMix((0.00, 0.15, 0.68, 0.17), (0.32, 0.05, 0.63), 2.6)


def plan(flaw: str | None) -> Plan:
    """How to make a demo with `flaw` (None: without). Raises DemoError if there is no such flaw."""
    if flaw is None:
        return Plan()
    if flaw not in FLAWS:
        known = ", ".join(sorted(FLAWS))
        raise DemoError(f"no flaw '{flaw}'. Known: {known}. Name one of them, or leave it out.")
    if flaw == "transplant_wait_by_mrd":
        return Plan(nature=Nature(wait_for_mrd=True))
    if flaw == "case_mix_shift":
        return Plan(nature=Nature(case_mix=(Nature().case_mix[0], _SHIFTED)))
    if flaw == "same_child":
        return Plan(observation=Observation(same_child=1.0))
    return Plan(observation=replace(Observation(), **{flaw: True}))
