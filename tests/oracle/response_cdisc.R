# The oracle of the response page for the CDISC pilot: both exports, no MRD, three arms.
# Base R; reads the files by the definitions of cdisc_pilot.R, counts by those of response.R.
# Debian: apt-get install r-base-core r-cran-survival r-cran-jsonlite
# Run in the project's root:
#   Rscript tests/oracle/response_cdisc.R > tests/oracle/response_cdisc.json
#
# Records as those of response.R, without population, by export: class_count, proportion,
# proportion_difference, proportion_worst, proportion_best, subgroup_*, interaction_* of the measure
# remission_recorded. started: at least one period of dosing. Each arm is compared with placebo, also
# in the interactions: one record a pair of arms.
source("tests/oracle/response.R")

# cdisc_pilot.R up to where it starts to compute.
pilot <- new.env()
for (step in as.list(parse("tests/oracle/cdisc_pilot.R"))) {
  if (identical(step[[2]], quote(about))) break
  eval(step, pilot)
}
COHORTS <- pilot$ARMS

# Response by the landmark; after it: none. Without one: death before it; seen by then and followed to
# it: none; died later: never seen; else nobody knows. In doubt: an assessment could not be read.
landmark_classes <- function(p, assessed, in_doubt) {
  seen <- p$id %in% assessed$id[assessed$day >= pilot$ASSESSED_FROM & assessed$day <= pilot$LANDMARK]
  followed <- pmax(p$contact, p$death, na.rm = TRUE) >= pilot$LANDMARK
  class <- rep("not_evaluable", nrow(p))
  class[!is.na(p$death)] <- "early_death"
  class[seen & followed %in% TRUE] <- "non_response"
  class[!is.na(p$death) & p$death < pilot$LANDMARK] <- "early_death"
  class[!is.na(p$response)] <- "non_response"
  class[!is.na(p$response) & p$response <= pilot$LANDMARK] <- "remission"
  class[p$id %in% in_doubt] <- "in_doubt"
  class
}

numbers_of_export <- function(export) {
  x <- pilot[[export]]()
  d <- x$p
  d$class <- landmark_classes(d, x$assessed, x$in_doubt)
  d$started <- d$id %in% x$courses$id
  from <- records$n + 1
  one_measure(d, REMISSION, measure_code = "remission_recorded")
  subgroups(d, REMISSION, pilot$LEVELS, measure_code = "remission_recorded")
  rows <- records$rows[from:records$n]
  sprintf('"%s": {"numbers": [\n%s]}', export, paste(vapply(rows, record_json, ""), collapse = ",\n"))
}

writeLines(sprintf(
  '{"about": {"R": "%s", "made_by": "Rscript tests/oracle/response_cdisc.R"},\n%s}', R.version.string,
  paste(vapply(c("adam", "sdtm"), numbers_of_export, ""), collapse = ",\n")))
