"""The README of a demo: what it is, and above all what it is not."""

from etl.demo.flaws import FLAWS

_TEXT = """SYNTHETIC DATA. No patient.

Every row of this folder was made by a program. No child in it exists, and no number in it is a
result of ALL-REZ 2014, of ALL-REZ 2016 or of any hospital. Every row says so in a column of
its own.

How it was made
  By python -m etl demo: {patients} patients, seed {seed}, {flaw}, {defects}.
  The same arguments make the same bytes.
  Children with a risk group, then induction, remission, blocks, transplant, relapse and death are
  drawn from probabilities and hazards; then visits, loss to follow-up and the data cut-off
  (31.12.2021) decide what of it the files show.

What is beside it
  truth.json    what an analysis without error would estimate, by a million simulated children of
                each protocol, with its target population and definitions
  planted.csv   every finding that a load of this folder must give, and no other: file, row (the
                header is row 1), column, text, rule, severity; `because` names the planted row
                that a finding follows from. Files and rows are those of the eight CSV files; an
                export of another shape has the same children elsewhere, and repairs of its own

Where the probabilities come from (published results of other trials; none of ALL-REZ)
  Brown et al., JAMA 2021;325:833 (COG AALL1331): age, sex, genetics, induction, disease-free and
    overall survival after high-risk first relapse, adverse events by cycle
  Locatelli et al., JAMA 2021;325:843: blinatumomab before transplant, MRD, time to transplant
  Parker et al., Lancet 2010;376:2009 (ALL R3); Eckert et al., J Clin Oncol 2013;31:2736 (ALL-REZ
    BFM 2002): intermediate risk
  Locatelli et al., Blood Adv 2022;6:1004 (RIALTO); von Stackelberg et al., J Clin Oncol
    2016;34:4381 (MT103-205): no remission, second relapse
  Peters et al., J Clin Oncol 2021;39:295 (FORUM): death and relapse after transplant
  Hijiya et al., Blood 2011;118:6043: toxicity of clofarabine
  Risk groups S1-S4 as ALL-REZ BFM defines them; block names after ALL-REZ BFM 2002. What the blocks
  of ALL-REZ 2014 and 2016 hold is not published and not meant here.
"""


def readme(patients: int, seed: int, flaw: str | None, defects: bool) -> str:
    """The text of about/README.txt."""
    return _TEXT.format(
        patients=patients,
        seed=seed,
        flaw=f"flaw {flaw} ({FLAWS[flaw].rstrip('.')})" if flaw else "no flaw",
        defects="with planted defects" if defects else "no planted defects",
    )
