# The oracle of the toxicity page for the CDISC pilot: both exports, a severity scale, three arms.
# Reads the files by the definitions of cdisc_pilot.R, counts by those of toxicity.R.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk r-cran-jsonlite
# Run in the project's root:
#   Rscript tests/oracle/toxicity_cdisc.R | gzip -9n > tests/oracle/toxicity_cdisc.json.gz
#
# Records as those of toxicity.R, without population, by export: blocks, patients, events of "any" and
# categories, time ("any" and one category), burden. Codes of terms and categories are the export's
# own words. All categories are default ones, so that any = all. Grades 1, 2, 3 = mild, moderate,
# severe; both exports hold the same events: ADaM is looked at by 1 and 3, SDTM by 2. Each arm is
# compared with placebo; fdr runs over the terms (categories) of the whole export. Gray's test is one
# of three arms. A period whose last day was not recorded ends its window 30 days after its first.
source("tests/oracle/toxicity.R")

# cdisc_pilot.R up to where it starts to compute.
pilot <- new.env()
for (step in as.list(parse("tests/oracle/cdisc_pilot.R"))) {
  if (identical(step[[2]], quote(about))) break
  eval(step, pilot)
}
COHORTS <- pilot$ARMS
TIMED <- c("any", "category/SKIN AND SUBCUTANEOUS TISSUE DISORDERS")

# The treatment-emergent events of the randomized, with what cdisc_pilot.R does not need. Of two rows
# that say the same in all that the mapping reads one is loaded, the other reported as its copy.
emergent <- list(
  adam = function(p) { e <- pilot$read("adam", "adae"); e[e$TRTEMFL == "Y" & e$USUBJID %in% p$id, ] },
  sdtm = function(p) {
    e <- pilot$read("sdtm", "ae"); s <- pilot$read("sdtm", "suppae")
    flag <- s$QVAL[match(paste(e$USUBJID, e$AESEQ), paste(s$USUBJID, s$IDVARVAL))]
    e[flag %in% "Y" & e$USUBJID %in% p$id, ]
  })
DATES <- list(adam = c("ASTDT", "AENDT"), sdtm = c("AESTDTC", "AEENDTC"))
SEVERITIES <- list(adam = c(1, 3), sdtm = 2)

courses_of_arms <- function(x) {
  k <- x$courses
  last <- ifelse(is.na(k$stop), k$start, k$stop)
  with_ends(
    data.frame(case = k$id, line = k$id, block = k$block, number = 1, start = k$start, stop = last,
               documented = TRUE, attribution = pilot$AFTER_LAST_DAY, until_relapse = FALSE),
    data.frame(case = x$p$id, death = x$p$death, relapse = NA_real_, contact = x$p$contact))
}

events_of_arms <- function(export, p, k) {
  d <- emergent[[export]](p)
  d <- d[!duplicated(d[c("USUBJID", "AEDECOD", "AEBODSYS", "AESEV", "AESER", "AEOUT", DATES[[export]])]), ]
  day <- function(column) pilot$day_of(p, d$USUBJID, d[[column]])
  grade <- unname(pilot$SEVERITY[d$AESEV])
  e <- data.frame(case = d$USUBJID, term = d$AEDECOD, category = d$AEBODSYS, low = grade, high = grade,
                  fatal = d$AEOUT == "FATAL", onset = day(DATES[[export]][1]), end = day(DATES[[export]][2]))
  stopifnot(!is.na(grade), !is.na(e$onset), is.na(e$end) | e$end >= e$onset)
  with_courses(e, k)
}

study_of <- function(export, e) {
  categories <- lapply(split(e$term, e$category), function(terms) sort(unique(terms)))
  stopifnot(!duplicated(unlist(categories)), !grepl('["\\\\]', unlist(categories)))
  grades <- SEVERITIES[[export]]
  blocks <- unname(pilot$BLOCKS)
  timed <- expand.grid(item = TIMED, grade = grades, stringsAsFactors = FALSE)
  list(blocks = blocks, categories = categories, default = names(categories), grades = grades,
       events = c("any", "category", "fatal"), timed = setNames(rep(list(timed), length(blocks)), blocks))
}

numbers_of_arms <- function(export) {
  x <- pilot[[export]]()
  k <- courses_of_arms(x)
  e <- events_of_arms(export, x$p, k)
  d <- data.frame(case = x$p$id, line = x$p$id, cohort = as.character(x$p$cohort))
  study <- study_of(export, e)
  from <- records$n + 1
  for (question in list(blocks_question, items_question, time_question, burden_question))
    question(d, k, e, study, list())
  sprintf('"%s": {"numbers": [\n%s]}', export,
          paste(vapply(records$rows[from:records$n], record_json, ""), collapse = ",\n"))
}

writeLines(sprintf(
  '{"about": {"R": "%s", "survival": "%s", "cmprsk": "%s", "made_by": "Rscript tests/oracle/toxicity_cdisc.R"},\n%s}',
  R.version.string, packageVersion("survival"), packageVersion("cmprsk"),
  paste(vapply(c("adam", "sdtm"), numbers_of_arms, ""), collapse = ",\n")))
