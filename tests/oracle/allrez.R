# The oracle of the ALL-REZ numbers: a second way from a clean demo export to every number shown.
# Base R and the survival package; written from the definitions, not from the Python.
# Debian: apt-get install r-base-core r-cran-survival
# Run in the project's root:
#   Rscript tests/oracle/allrez.R FOLDER [PATIENTS SEED] > tests/oracle/allrez.json
# FOLDER holds the eight CSV files of a demo export; PATIENTS and SEED (300, 20140) are only noted.
#
# All days count from the relapse date of the enrollment (day 0). Times and RMST are in days, shares
# in 0..1. A record leaves out the keys that do not apply and the numbers that R cannot give.
# A comparison has cohort = allrez2016 and comparator = allrez2014.
# Populations (primary lines of kind first_relapse): all; default (derived S3, S4); early_marrow.
#
# question overview
#   enrollments, children             numerator; by cohort, without cohort all
#   children_on_both_protocols        numerator
#   primary_lines                     numerator; cohort, level_code = kind of line
#   population_size                   numerator; population, cohort
#   recorded_high_risk_not_derived    numerator; population all, cohort
#   baseline_count                    numerator of denominator; characteristic_code, level_code
#                                     ("missing" is a level)
#   baseline_mean, baseline_sd        characteristic_code = age (completed years), age_exact
#                                     (days / 365.25)
#   standardized_difference           choices and bands of age, missing as a level (Yang & Dalton
#                                     2012)
#   standardized_difference_number    of the means of age and age_exact
# question response
#   response_count                    numerator of denominator; measure_code = response_at_landmark,
#                                     level_code = remission | non_response | early_death |
#                                     not_evaluable, late_remission (a part of non_response)
#   proportion                        measure_code = remission_by_landmark: estimate, Wilson limits
#   timepoint_count                   numerator of denominator; timepoint_code, level_code = sampled |
#                                     not_reached | died | too_early | not_sampled
#   lod_assumed_count                 numerator; timepoint_code: samples classed by the assay default
#   mrd_count                         numerator of denominator (sampled); timepoint_code, measure_code =
#                                     mrd_1e-4 | mrd_1e-3, level_code = negative | positive |
#                                     indeterminate | not_evaluable
#   proportion                        MRD negative of denominator_code = enrolled | sampled | evaluable
#                                     (negative or positive), Wilson limits
#   proportion_best                   of the enrolled; negative is also who may be: not positive, came
#                                     to the time point and did not die unsampled
#   proportion_difference             Newcombe limits, for each proportion
# question toxicity (populations all and default)
#   block_started, block_documented, block_undocumented   numerator; block_code
#   proportion                        patients whose worst grade is >= grade_min, of the documented;
#                                     item_code = term, category, any, or any_default (any but the
#                                     categories behind the switch: haematological); Wilson limits
#   proportion_difference             Newcombe limits
# question survival; endpoints efs, efs_found, os, rfs
#   n, events                         numerator
#   survival                          estimate, log-log limits; time_days, denominator = n; reason
#                                     beyond_last_follow_up: later than the last time and S > 0
#   at_risk, events_before, censored_before   numerator; at time_days, strictly before it
#   median_time, median_follow_up     estimate, lower, upper (log-log; reverse Kaplan-Meier)
#   rmst, rmst_se, rmst_difference    time_days = tau; normal limits; p_value
#   survival_difference               MOVER from the log-log limits
#   log_rank_chi_square               estimate, p_value
#   hazard_ratio                      Cox, Efron: estimate, limits, p_value (Wald)
# question survival; endpoints cir, trm, states
#   n                                 numerator
#   state_count                       numerator; level_code = state
#   incidence, incidence_se           Aalen-Johansen; time_days, level_code = state or event_free
#   at_risk
#   results_count                     endpoint = results: the BFM table, numerator of denominator;
#                                     level_code; all but late_remission (a part) add to the denominator
suppressMessages(library(survival))

COHORTS <- c("ALL-REZ 2014" = "allrez2014", "ALL-REZ 2016" = "allrez2016")
YEARS <- c(1, 2, 3, 5) * 365.25
LANDMARK <- 60
ASSESSED_FROM <- 10
FLOW_LOD <- 1e-4
THRESHOLDS <- c("mrd_1e-4" = 1e-4, "mrd_1e-3" = 1e-3)
TAUS <- c(3, 2, 1) * 365.25
AT_LEAST <- 10
AFTER_STOP <- 30
AFTER_TRANSPLANT <- 100

# ---------------------------------------------------------------- the records

records <- new.env()
records$rows <- vector("list", 2e4)
records$n <- 0

emit <- function(question, statistic, ...) {
  row <- c(list(question = question, statistic = statistic), list(...))
  records$n <- records$n + 1
  records$rows[[records$n]] <- row[lengths(row) > 0 & !vapply(row, function(x) anyNA(x), NA)]
}

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; x }

KEYS <- c("population", "cohort", "comparator", "question", "endpoint", "block_code", "item_code",
          "grade_min", "timepoint_code", "measure_code", "denominator_code", "characteristic_code",
          "level_code", "time_days", "statistic", "estimate", "lower", "upper", "p_value", "numerator", "denominator",
          "unit", "reason")

as_json <- function(x) {
  values <- if (is.character(x)) paste0('"', x, '"') else sprintf("%.17g", x)
  stopifnot(length(values) == 1)
  values
}

record_json <- function(row) {
  stopifnot(names(row) %in% KEYS)
  row <- row[intersect(KEYS, names(row))]
  paste0("{", paste0('"', names(row), '": ', vapply(row, as_json, ""), collapse = ", "), "}")
}

# ---------------------------------------------------------------- reading

read_table <- function(folder, name) {
  d <- read.csv(file.path(folder, paste0(name, ".csv")), colClasses = "character", na.strings = "",
                fileEncoding = "UTF-8")
  stopifnot(d$data_origin == "SYNTHETIC")
  for (column in grep("_date$", names(d), value = TRUE)) {
    day <- as.Date(d[[column]], "%d.%m.%Y")
    stopifnot(is.na(day) == is.na(d[[column]]))
    d[[column]] <- day
  }
  d
}

TABLES <- c("patients", "lines", "courses", "infusions", "assessments", "adverse_events", "followup",
            "transplants")

# Dates of every table but patients become days: start_date -> start, from day 0 of the case.
read_export <- function(folder) {
  x <- sapply(TABLES, function(name) read_table(folder, name), simplify = FALSE)
  for (name in setdiff(TABLES, "patients")) {
    row <- match(x[[name]]$case_id, x$patients$case_id)
    stopifnot(!is.na(row))
    for (column in grep("_date$", names(x[[name]]), value = TRUE))
      x[[name]][[column]] <- as.numeric(x[[name]][[column]] - x$patients$relapse_date[row])
    names(x[[name]]) <- sub("_date$", "", names(x[[name]]))
  }
  x
}

# ---------------------------------------------------------------- what is known at enrollment

add_months <- function(date, months) {
  parts <- as.POSIXlt(date)
  month <- (parts$year + 1900) * 12 + parts$mon + months
  first <- function(m) as.Date(sprintf("%04d-%02d-01", m %/% 12, m %% 12 + 1), "%Y-%m-%d")
  pmin(first(month) + parts$mday - 1, first(month + 1) - 1)
}

code <- function(x) gsub(" ", "_", tolower(x))
site_code <- function(x)
  ifelse(x == "BM", "marrow", ifelse(grepl("^BM\\+", x), "combined", "extramedullary"))

completed_years <- function(birth, day) {
  years <- as.POSIXlt(day)$year - as.POSIXlt(birth)$year
  years - (add_months(birth, 12 * years) > day)
}

timing_of <- function(relapse, diagnosis, end, on_therapy) {
  late <- !is.na(end) & relapse >= add_months(end, 6)
  early <- on_therapy %in% "yes" | !is.na(end) & relapse < add_months(end, 6)
  later <- ifelse(late, "late", ifelse(early, "early", NA))
  ifelse(is.na(diagnosis), NA, ifelse(relapse < add_months(diagnosis, 18), "very_early", later))
}

GROUPS <- matrix(c("s2", "s4", "s4", "s2", "s2", "s3", "s1", "s2", "s2"), 3, byrow = TRUE,
                 dimnames = list(c("very_early", "early", "late"),
                                 c("extramedullary", "combined", "marrow")))

baseline <- function(p) {
  timing <- timing_of(p$relapse_date, p$diagnosis_date, p$frontline_end_date, p$on_frontline_therapy)
  site <- site_code(p$site)
  group <- GROUPS[cbind(match(timing, rownames(GROUPS)), match(site, colnames(GROUPS)))]
  age <- completed_years(p$birth_date, p$relapse_date)
  data.frame(
    case_id = p$case_id, patient_id = p$patient_id, cohort = unname(COHORTS[p$protocol]),
    day_0 = p$relapse_date,
    sex = c(f = "female", m = "male")[p$sex],
    age_years = age, age_exact = as.numeric(p$relapse_date - p$birth_date) / 365.25,
    age = c("under_6", "from_6_to_9", "from_10_to_12", "from_13")[findInterval(age, c(0, 6, 10, 13))],
    on_frontline = p$on_frontline_therapy, timing = timing, site = site, strategic_group = group,
    risk_group = ifelse(group %in% c("s3", "s4"), "high", ifelse(is.na(group), NA, "not_high")),
    timing_recorded = code(p$timing_recorded), strategic_group_recorded = code(p$risk_recorded),
    genetics = code(p$genetics), immunophenotype = code(p$immunophenotype),
    relapse_number = c("1" = "first", "2" = "second")[p$relapse_number],
    first_block_elsewhere = p$first_block_elsewhere, row.names = NULL)
}

CHARACTERISTICS <- list(
  sex = c("female", "male"), age = c("under_6", "from_6_to_9", "from_10_to_12", "from_13"),
  on_frontline = c("yes", "no"), timing = c("very_early", "early", "late"),
  site = c("marrow", "combined", "extramedullary"), strategic_group = c("s1", "s2", "s3", "s4"),
  risk_group = c("high", "not_high"), timing_recorded = c("very_early", "early", "late"),
  strategic_group_recorded = c("s1", "s2", "s3", "s4"),
  genetics = c("favourable", "unfavourable", "other"), immunophenotype = c("b", "t"),
  relapse_number = c("first", "second"), first_block_elsewhere = c("yes", "no"))

# ---------------------------------------------------------------- lines, response, what happened

# A line runs from its start to the day before the next line of the case. The primary line of a child
# and a kind is the first one by the calendar.
lines_of <- function(x, cases) {
  d <- x$lines
  d$line_number <- as.integer(d$line_number)
  d <- d[order(d$case_id, d$line_number), ]
  last <- c(d$case_id[-1] != d$case_id[-nrow(d)], TRUE)
  d$next_line <- ifelse(last, Inf, c(d$start[-1], NA))
  stopifnot(d$start < d$next_line)
  d$kind <- code(d$entry_reason)
  facts <- c("case_id", "line_number", "kind", "start", "next_line", "remission")
  d <- merge(d[facts], cases, by = "case_id")
  d <- d[order(d$day_0 + d$start, d$case_id, d$line_number), ]
  d$primary <- !duplicated(d[c("patient_id", "kind")])
  d
}

# The last marrow with a result between day 10 and the landmark, by case.
last_marrow <- function(x, case_id) {
  a <- x$assessments
  seen <- a$material == "BM" & !is.na(a$result) & a$result != "failed" &
    a$sample >= ASSESSED_FROM & a$sample <= LANDMARK
  vapply(case_id, function(id) max(-Inf, a$sample[seen & a$case_id == id]), 0, USE.NAMES = FALSE)
}

# remission: day of the remission of the line; class: response at the landmark; found: the day on
# which non-response was seen; early_death and death_in_remission: the day of death, by what it was.
with_response <- function(lines, x) {
  f <- x$followup[match(lines$case_id, x$followup$case_id), ]
  d <- cbind(lines, death = f$death, contact = f$last_contact, assessed = f$last_disease_assessment,
             relapse = f$relapse, relapse_site = site_code(f$relapse_site), second = f$second_malignancy,
             status = f$status)
  dead <- ifelse(is.na(d$death), Inf, d$death)
  d$remission[!is.na(d$remission) & (d$remission >= dead | d$remission >= d$next_line)] <- NA
  marrow <- last_marrow(x, d$case_id)
  alive <- pmax(d$contact, d$death, na.rm = TRUE) >= LANDMARK
  d$class <- ifelse(
    !is.na(d$remission), ifelse(d$remission <= LANDMARK, "remission", "non_response"),
    ifelse(dead < LANDMARK, "early_death",
           ifelse(alive & is.finite(marrow), "non_response",
                  ifelse(is.finite(dead), "early_death", "not_evaluable"))))
  d$late <- !is.na(d$remission) & d$remission > LANDMARK
  failed <- d$class == "non_response"
  d$non_response <- ifelse(failed, 0, NA)
  d$found <- ifelse(failed, ifelse(is.finite(marrow), marrow, LANDMARK), NA)
  d$early_death <- ifelse(d$class == "early_death", d$death, NA)
  relapsed <- !is.na(d$relapse) & d$relapse <= dead
  d$death_in_remission <- ifelse(!is.na(d$remission) & !relapsed, d$death, NA)
  d
}

# The first of some events, the earlier in the list on one day; state 0 is censored.
first_of <- function(events, censor) {
  days <- do.call(cbind, lapply(events, function(d) ifelse(is.na(d), Inf, d)))
  state <- apply(days, 1, which.min)
  day <- apply(days, 1, min)
  data.frame(time = ifelse(is.finite(day), day, censor), state = ifelse(is.finite(day), state, 0))
}

from_remission <- function(d, events) {
  d <- d[!is.na(d$remission), ]
  out <- first_of(d[events], d$assessed)
  data.frame(cohort = d$cohort, case_id = d$case_id, time = out$time - d$remission, state = out$state)
}

from_relapse <- function(d, events, censor = "assessed") {
  out <- first_of(d[events], d[[censor]])
  data.frame(cohort = d$cohort, case_id = d$case_id, time = out$time - d$start, state = out$state)
}

FAILURES <- c("non_response", "relapse", "early_death", "death_in_remission", "second")
STATES <- c(relapse = "relapse", death_in_remission = "death_in_remission", second = "second_malignancy",
            non_response = "non_response", early_death = "early_death")

# Each endpoint: a function of the lines, and for incidences the states in the study's order.
SURVIVAL <- list(
  efs = function(d) from_relapse(d, FAILURES),
  efs_found = function(d) from_relapse(d, sub("non_response", "found", FAILURES)),
  os = function(d) from_relapse(d, "death", "contact"),
  rfs = function(d) from_remission(d, c("relapse", "death")))
INCIDENCE <- list(
  cir = list(of = from_remission, events = c("relapse", "death_in_remission", "second"),
             states = c("relapse", "death_in_remission", "second")),
  trm = list(of = from_remission, events = c("relapse", "death_in_remission", "second"),
             states = c("death_in_remission", "relapse", "second")),
  states = list(of = from_relapse, events = FAILURES,
                states = c("non_response", "early_death", "relapse", "death_in_remission", "second")))

# ---------------------------------------------------------------- statistics

wilson <- function(x, n) num(suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int)

# Newcombe 1998, method 10: the second minus the first.
newcombe <- function(x0, n0, x, n) {
  p <- x / n; p0 <- x0 / n0; l <- wilson(x, n); l0 <- wilson(x0, n0)
  c(p - p0, p - p0 - sqrt((p - l[1])^2 + (l0[2] - p0)^2), p - p0 + sqrt((l[2] - p)^2 + (p0 - l0[1])^2))
}

# x and n by cohort, the reference first: a proportion each, and their difference.
emit_proportions <- function(question, x, n, statistic = "proportion", ...) {
  for (i in which(n > 0)) {
    limits <- wilson(x[i], n[i])
    emit(question, statistic, ..., cohort = COHORTS[[i]], estimate = x[i] / n[i], lower = limits[1],
         upper = limits[2], numerator = x[i], denominator = n[i])
  }
  if (all(n > 0)) {
    d <- newcombe(x[1], n[1], x[2], n[2])
    emit(question, paste0(statistic, "_difference"), ..., cohort = COHORTS[[2]],
         comparator = COHORTS[[1]], estimate = d[1], lower = d[2], upper = d[3])
  }
}

# Yang & Dalton 2012: the first level used left out, the matrix inverted.
standardized_difference <- function(a, b) {
  used <- a + b > 0
  p <- (a / sum(a))[used][-1]; q <- (b / sum(b))[used][-1]
  if (length(p) == 0) return(0)
  S <- (diag(p, length(p)) - p %o% p + diag(q, length(q)) - q %o% q) / 2
  sqrt(as.numeric(t(p - q) %*% solve(S, p - q, tol = 0)))
}

# ---------------------------------------------------------------- overview

by_cohort <- function(d, f) vapply(unname(COHORTS), function(k) as.numeric(f(d[d$cohort == k, ])), 0)
split_cohorts <- function(d) lapply(unname(COHORTS), function(k) d[d$cohort == k, ])

overview <- function(cases, lines) {
  on <- unique(cases[c("patient_id", "cohort")])
  emit("overview", "enrollments", numerator = nrow(cases))
  emit("overview", "children", numerator = length(unique(cases$patient_id)))
  emit("overview", "children_on_both_protocols", numerator = sum(table(on$patient_id) == 2))
  for (k in COHORTS) {
    emit("overview", "enrollments", cohort = k, numerator = sum(cases$cohort == k))
    emit("overview", "children", cohort = k, numerator = sum(on$cohort == k))
    for (kind in c("first_relapse", "refractory", "second_relapse", "molecular"))
      emit("overview", "primary_lines", cohort = k, level_code = kind,
           numerator = sum(lines$primary & lines$cohort == k & lines$kind == kind))
    first <- lines[lines$primary & lines$cohort == k & lines$kind == "first_relapse", ]
    emit("overview", "recorded_high_risk_not_derived", population = "all", cohort = k,
         numerator = sum(first$strategic_group_recorded %in% c("s3", "s4") &
                           !first$risk_group %in% "high"))
  }
}

baseline_table <- function(d, population) {
  for (k in COHORTS)
    emit("overview", "population_size", population = population, cohort = k,
         numerator = sum(d$cohort == k))
  for (name in names(CHARACTERISTICS)) {
    level <- ifelse(is.na(d[[name]]), "missing", d[[name]])
    known <- c(CHARACTERISTICS[[name]], "missing")
    stopifnot(level %in% known)
    counts <- table(factor(d$cohort, COHORTS), factor(level, known))
    for (k in COHORTS) for (l in known)
      emit("overview", "baseline_count", population = population, cohort = k, characteristic_code = name,
           level_code = l, numerator = counts[k, l], denominator = sum(counts[k, ]))
    emit("overview", "standardized_difference", population = population, cohort = COHORTS[[2]],
         comparator = COHORTS[[1]], characteristic_code = name,
         estimate = num(standardized_difference(counts[1, ], counts[2, ])))
  }
  for (name in c("age_years", "age_exact")) {
    label <- sub("_years", "", name)
    values <- lapply(split_cohorts(d), function(g) g[[name]])
    for (i in 1:2) for (f in c("mean", "sd"))
      emit("overview", paste0("baseline_", f), population = population, cohort = COHORTS[[i]],
           characteristic_code = label, unit = "years", estimate = match.fun(f)(values[[i]]),
           denominator = length(values[[i]]))
    gap <- abs(mean(values[[2]]) - mean(values[[1]]))
    emit("overview", "standardized_difference_number", population = population, cohort = COHORTS[[2]],
         comparator = COHORTS[[1]], characteristic_code = label,
         estimate = gap / sqrt((var(values[[1]]) + var(values[[2]])) / 2))
  }
}

# ---------------------------------------------------------------- response

# kind of anchor, block, and the window's days from it. The window after a block ends at the start
# of the next course (or conditioning) of the case; both ends belong to it.
TIMEPOINTS <- list(
  after_f1 = list(after = TRUE, block = "F1", days = c(10, 28)),
  after_induction = list(after = TRUE, block = "F2", days = c(10, 42)),
  before_blina = list(after = FALSE, block = "BLINA", days = c(-21, 0)),
  after_blina1 = list(after = TRUE, block = "BLINA", days = c(14, 56)),
  before_transplant = list(after = FALSE, block = "transplant", days = c(-30, 0)))

# The day of the block's course 1 in this line, or of the first transplant while the line runs.
anchor_day <- function(line, point, x) {
  if (point$block == "transplant") {
    t <- x$transplants
    t <- t[t$case_id == line$case_id, ]
    days <- t$transplant[t$transplant >= line$start & t$transplant < line$next_line]
  } else {
    k <- x$courses
    k <- k[k$case_id == line$case_id & k$line_number == line$line_number, ]
    days <- k$start[k$block == point$block & k$course_number == "1"]
  }
  min(Inf, days)
}

sampling_window <- function(line, point, x) {
  anchor <- anchor_day(line, point, x)
  ends <- anchor + point$days
  if (point$after && is.finite(anchor)) {
    begun <- c(x$courses$start[x$courses$case_id == line$case_id],
               x$transplants$conditioning[x$transplants$case_id == line$case_id])
    ends[2] <- min(ends[2], begun[begun > anchor])
  }
  ends
}

mrd_fraction <- function(result, unit) as.numeric(sub("^<", "", result)) / ifelse(unit == "%", 100, 1)

# The class of one MRD result at a threshold; equal means equal to nine digits.
mrd_class <- function(s, threshold) {
  at_most <- function(a, b) !is.na(a) && a <= b * (1 + 1e-9)
  if (s$result == "failed") return("not_evaluable")
  if (s$result == "undetectable") return(if (at_most(s$lod, threshold)) "negative" else "indeterminate")
  if (s$result == "detected") return(if (at_most(s$loq, threshold)) "negative" else "indeterminate")
  value <- mrd_fraction(s$result, s$unit)
  stopifnot(is.finite(value))
  if (grepl("^<", s$result)) return(if (at_most(value, threshold)) "negative" else "indeterminate")
  if (at_most(threshold, value)) return("positive")
  # A quantified value says by itself that the limit of quantification is at or below it.
  if (is.na(s$loq) || at_most(s$loq, threshold)) "negative" else "indeterminate"
}

mrd_samples <- function(x) {
  a <- x$assessments
  a <- a[a$material == "BM" & a$measure == "MRD" & !is.na(a$result), ]
  a$assumed <- is.na(a$lod) & a$method == "flow"
  a$lod <- ifelse(a$assumed, FLOW_LOD, as.numeric(a$lod))
  a$loq <- as.numeric(a$loq)
  a[order(a$sample, a$method == "PCR"), ]
}

# Why there is no sample of a line in a window that ends on a day, infinite if it never opened. Who
# died by then had no sample to give: no gap.
unsampled <- function(line, last_day) {
  if (!is.finite(last_day)) return("not_reached")
  if (!is.na(line$death)) return(if (line$death <= last_day) "died" else "not_sampled")
  if (line$contact < last_day) "too_early" else "not_sampled"
}

# One row a line: status, and the class of the representing sample at each threshold.
at_timepoint <- function(lines, point, x, samples) {
  one <- function(i) {
    line <- lines[i, ]
    ends <- sampling_window(line, point, x)
    s <- samples[samples$case_id == line$case_id, ]
    s <- tail(s[s$sample >= ends[1] & s$sample <= ends[2], ], 1)
    status <- if (is.finite(ends[2]) && nrow(s) > 0) "sampled" else unsampled(line, ends[2])
    classes <- lapply(THRESHOLDS, function(thr) if (status == "sampled") mrd_class(s, thr) else NA)
    used <- status == "sampled" && s$assumed && s$result == "undetectable"
    data.frame(cohort = line$cohort, case_id = line$case_id, status = status, assumed = used, classes,
               check.names = FALSE)
  }
  do.call(rbind, lapply(seq_len(nrow(lines)), one))
}

response_at_landmark <- function(d, population) {
  n <- by_cohort(d, nrow)
  levels <- list(remission = d$class == "remission", non_response = d$class == "non_response",
                 late_remission = d$late, early_death = d$class == "early_death",
                 not_evaluable = d$class == "not_evaluable")
  for (name in names(levels)) {
    x <- by_cohort(d[levels[[name]], ], nrow)
    for (i in 1:2)
      emit("response", "response_count", population = population, cohort = COHORTS[[i]],
           measure_code = "response_at_landmark", level_code = name, numerator = x[i],
           denominator = n[i])
  }
  emit_proportions("response", by_cohort(d[d$class == "remission", ], nrow), n, population = population,
                   measure_code = "remission_by_landmark", denominator_code = "enrolled",
                   time_days = LANDMARK)
}

response_by_mrd <- function(t, population, timepoint) {
  n <- by_cohort(t, nrow)
  sampled <- by_cohort(t, function(g) sum(g$status == "sampled"))
  for (i in 1:2) {
    g <- t[t$cohort == COHORTS[[i]], ]
    for (status in c("sampled", "not_reached", "died", "too_early", "not_sampled"))
      emit("response", "timepoint_count", population = population, cohort = COHORTS[[i]],
           timepoint_code = timepoint, level_code = status,
           numerator = sum(g$status == status), denominator = n[i])
    emit("response", "lod_assumed_count", population = population, cohort = COHORTS[[i]],
         timepoint_code = timepoint, numerator = sum(g$assumed), denominator = sampled[i])
  }
  for (measure in names(THRESHOLDS)) {
    count <- function(class) by_cohort(t, function(g) sum(g[[measure]] %in% class))
    for (class in c("negative", "positive", "indeterminate", "not_evaluable"))
      for (i in 1:2)
        emit("response", "mrd_count", population = population, cohort = COHORTS[[i]],
             timepoint_code = timepoint, measure_code = measure, level_code = class,
             numerator = count(class)[i], denominator = sampled[i])
    of <- list(enrolled = n, sampled = sampled, evaluable = count(c("negative", "positive")))
    for (name in names(of))
      emit_proportions("response", count("negative"), of[[name]], population = population,
                       timepoint_code = timepoint, measure_code = measure, denominator_code = name)
    never <- by_cohort(t, function(g) sum(g$status %in% c("not_reached", "died")))
    emit_proportions("response", n - count("positive") - never, n, "proportion_best",
                     population = population, timepoint_code = timepoint, measure_code = measure,
                     denominator_code = "enrolled")
  }
}

# ---------------------------------------------------------------- toxicity

CATEGORIES <- list(
  fever_neutropenia = "febrile neutropenia",
  infection = c("sepsis", "bacteraemia", "pneumonia", "invasive fungal infection", "viral infection",
                "other infection"),
  mucosal = c("oral mucositis", "vomiting"),
  hepatic = c("ALT increased", "bilirubin increased", "pancreatitis", "veno-occlusive disease"),
  neurologic = c("seizure", "neurotoxicity", "ICANS"), immune = c("CRS", "allergic reaction"),
  vascular = c("thrombosis", "hypotension"), metabolic = c("hypokalaemia", "fever"),
  haematological = c("anaemia", "neutropenia", "thrombocytopenia"))
TERMS <- unlist(CATEGORIES, use.names = FALSE)
ITEMS <- c(
  list(any = TERMS, any_default = setdiff(TERMS, CATEGORIES$haematological)), CATEGORIES,
  setNames(as.list(TERMS), sub("^veno_occlusive_disease$", "vod", sub(
    "^(invasive_fungal|viral)_infection$", "\\1", gsub("[ -]", "_", tolower(TERMS))))))

# Courses and transplants with the last day of their attribution.
attribution <- function(x) {
  k <- x$courses
  later <- function(days, from) min(Inf, days[!is.na(days) & days >= from])
  last <- vapply(seq_len(nrow(k)), function(i) {
    same <- x$transplants$case_id == k$case_id[i]
    starts <- k$start[k$case_id == k$case_id[i] & k$start > k$start[i]]
    relapse <- x$followup$relapse[x$followup$case_id == k$case_id[i]]
    stop <- if (is.na(k$stop[i])) Inf else k$stop[i] + AFTER_STOP
    conditioning <- later(x$transplants$conditioning[same], k$start[i])
    min(Inf, starts - 1, conditioning - 1, later(relapse, k$start[i]), stop)
  }, 0)
  courses <- data.frame(case_id = k$case_id, line_number = as.integer(k$line_number),
                        block = tolower(k$block), start = k$start, last = last,
                        documented = k$ae_documented)
  rbind(courses, transplant_windows(x))
}

# A transplant belongs to the line that runs when the conditioning begins.
transplant_windows <- function(x) {
  t <- x$transplants
  line <- vapply(seq_len(nrow(t)), function(i) {
    l <- x$lines[x$lines$case_id == t$case_id[i] & x$lines$start <= t$conditioning[i], ]
    as.integer(l$line_number[which.max(l$start)])
  }, 0L)
  data.frame(case_id = t$case_id, line_number = line, block = rep("transplant", nrow(t)),
             start = t$conditioning, last = t$transplant + AFTER_TRANSPLANT,
             documented = t$ae_documented)
}

# Each event with the latest begun course or transplant whose window holds its onset.
attributed <- function(x, windows) {
  e <- x$adverse_events
  stopifnot(e$term %in% TERMS, e$grade %in% as.character(1:5))
  row <- vapply(seq_len(nrow(e)), function(i) {
    holds <- which(windows$case_id == e$case_id[i] & windows$start <= e$onset[i] &
                     e$onset[i] <= windows$last)
    if (length(holds)) holds[which.max(windows$start[holds])] else NA_integer_
  }, 0L)
  found <- windows[row, c("line_number", "block", "start")]
  data.frame(case_id = e$case_id, term = e$term, grade = as.integer(e$grade), onset = e$onset,
             line_number = found$line_number, block = found$block, course_start = found$start)
}

BLOCKS <- c("prephase", "f1", "f2", "r1", "r2", "flu", "clo", "blina", "transplant", "maintenance")

toxicity <- function(d, population, windows, events) {
  key <- function(t) paste(t$case_id, t$line_number)
  for (block in BLOCKS) {
    given <- windows[windows$block == block, ]
    started <- d[key(d) %in% key(given), ]
    documented <- started[!key(started) %in% key(given[!given$documented %in% "yes", ]), ]
    n <- by_cohort(documented, nrow)
    for (i in 1:2) {
      of <- function(statistic, x) emit("toxicity", statistic, population = population,
                                        cohort = COHORTS[[i]], block_code = block, numerator = x)
      begun <- sum(started$cohort == COHORTS[[i]])
      of("block_started", begun); of("block_documented", n[i]); of("block_undocumented", begun - n[i])
    }
    here <- events[events$block %in% block, ]
    for (grade in 3:4) for (item in names(ITEMS)) {
      hit <- key(documented) %in% key(here[here$grade >= grade & here$term %in% ITEMS[[item]], ])
      emit_proportions("toxicity", by_cohort(documented[hit, ], nrow), n, population = population,
                       block_code = block, item_code = item, grade_min = grade)
    }
  }
}

# ---------------------------------------------------------------- survival

fit_of <- function(time, event) survfit(Surv(time, event) ~ 1, conf.type = "log-log")

survival_at <- function(g) {
  at <- summary(fit_of(g$time, g$event), times = YEARS, extend = TRUE)
  data.frame(survival = num(at$surv), lower = num(at$lower), upper = num(at$upper))
}

# Restricted mean and its standard error by R's survmean.
restricted_mean <- function(g, tau)
  num(survival:::survmean(fit_of(g$time, g$event), rmean = tau)[[1]][c("rmean", "se(rmean)")])

emit_quantile <- function(statistic, fit, ...) {
  q <- quantile(fit, 0.5)
  none <- is.na(num(q$quantile))
  emit("survival", statistic, ..., estimate = num(q$quantile), lower = num(q$lower),
       upper = num(q$upper), unit = "days", reason = if (none) "not_reached")
}

one_curve <- function(g, ...) {
  emit("survival", "n", ..., numerator = nrow(g))
  emit("survival", "events", ..., numerator = sum(g$event))
  at <- survival_at(g)
  for (i in seq_along(YEARS)) {
    t <- YEARS[i]
    beyond <- t > max(g$time) && at$survival[i] > 0
    emit("survival", "survival", ..., time_days = t, estimate = at$survival[i], lower = at$lower[i],
         upper = at$upper[i], denominator = nrow(g), reason = if (beyond) "beyond_last_follow_up")
    emit("survival", "at_risk", ..., time_days = t, numerator = sum(g$time >= t))
    emit("survival", "events_before", ..., time_days = t, numerator = sum(g$time < t & g$event == 1))
    emit("survival", "censored_before", ..., time_days = t, numerator = sum(g$time < t & g$event == 0))
  }
  emit_quantile("median_time", fit_of(g$time, g$event), ...)
  emit_quantile("median_follow_up", fit_of(g$time, 1 - g$event), ...)
}

# The largest tau with enough at risk in both cohorts.
tau_for <- function(groups) {
  at_risk <- function(t) vapply(groups, function(g) sum(g$time >= t), 0L)
  enough <- vapply(TAUS, function(t) all(at_risk(t) >= AT_LEAST), NA)
  TAUS[enough][1]
}

compare_means <- function(groups, ...) {
  tau <- tau_for(groups)
  if (is.na(tau)) return(emit("survival", "rmst", ..., reason = "fewer_than_10_at_risk"))
  z <- qnorm(0.975)
  m <- lapply(groups, restricted_mean, tau)
  for (i in 1:2) {
    emit("survival", "rmst", ..., cohort = COHORTS[[i]], time_days = tau, estimate = m[[i]][1],
         lower = m[[i]][1] - z * m[[i]][2], upper = m[[i]][1] + z * m[[i]][2], unit = "days")
    emit("survival", "rmst_se", ..., cohort = COHORTS[[i]], time_days = tau, estimate = m[[i]][2],
         unit = "days")
  }
  d <- m[[2]][1] - m[[1]][1]
  se <- sqrt(m[[1]][2]^2 + m[[2]][2]^2)
  emit("survival", "rmst_difference", ..., cohort = COHORTS[[2]], comparator = COHORTS[[1]],
       time_days = tau, estimate = d, lower = d - z * se, upper = d + z * se,
       p_value = 2 * pnorm(-abs(d / se)), unit = "days")
}

# MOVER (Zou & Donner 2008) from survfit's own limits.
compare_survival <- function(groups, ...) {
  a <- survival_at(groups[[1]]); b <- survival_at(groups[[2]])
  d <- b$survival - a$survival
  lower <- d - sqrt((b$survival - b$lower)^2 + (a$upper - a$survival)^2)
  upper <- d + sqrt((b$upper - b$survival)^2 + (a$survival - a$lower)^2)
  for (i in seq_along(YEARS)) {
    ended <- vapply(groups, function(g) YEARS[i] > max(g$time), NA)
    beyond <- any(ended & c(a$survival[i], b$survival[i]) > 0)
    emit("survival", "survival_difference", ..., time_days = YEARS[i], estimate = d[i], lower = lower[i],
         upper = upper[i], reason = if (beyond) "beyond_last_follow_up")
  }
}

compare_curves <- function(d, ...) {
  d$group <- factor(d$cohort, COHORTS)
  test <- survdiff(Surv(time, event) ~ group, data = d)
  emit("survival", "log_rank_chi_square", ..., estimate = num(test$chisq),
       p_value = num(pchisq(test$chisq, 1, lower.tail = FALSE)))
  cox <- summary(coxph(Surv(time, event) ~ group, data = d,
                       control = coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 100)))
  emit("survival", "hazard_ratio", ..., estimate = num(cox$conf.int[, 1]),
       lower = num(cox$conf.int[, 3]), upper = num(cox$conf.int[, 4]),
       p_value = num(cox$coefficients[, "Pr(>|z|)"]))
}

survival_question <- function(lines, population) {
  for (endpoint in names(SURVIVAL)) {
    d <- SURVIVAL[[endpoint]](lines)
    stopifnot(!is.na(d$time), d$time >= 0)
    d$event <- as.integer(d$state > 0)
    groups <- split_cohorts(d)
    for (g in groups) one_curve(g, population = population, cohort = g$cohort[1], endpoint = endpoint)
    compare_means(groups, population = population, endpoint = endpoint)
    both <- list(population = population, cohort = COHORTS[[2]], comparator = COHORTS[[1]],
                 endpoint = endpoint)
    do.call(compare_survival, c(list(groups), both))
    do.call(compare_curves, c(list(d), both))
  }
}

one_incidence <- function(g, states, ...) {
  fit <- survfit(Surv(time, factor(state, 0:length(states))) ~ 1, data = g, conf.type = "log-log")
  at <- summary(fit, times = YEARS, extend = TRUE)
  names <- c("event_free", STATES[states])
  emit("survival", "n", ..., numerator = nrow(g))
  for (s in seq_along(names))
    emit("survival", "state_count", ..., level_code = names[s], numerator = sum(g$state == s - 1))
  for (i in seq_along(YEARS)) {
    emit("survival", "at_risk", ..., time_days = YEARS[i], numerator = sum(g$time >= YEARS[i]))
    beyond <- YEARS[i] > max(g$time) && at$pstate[i, 1] > 1e-12
    for (s in seq_along(names)) {
      emit("survival", "incidence", ..., time_days = YEARS[i], level_code = names[s],
           estimate = num(at$pstate[i, s]), lower = num(at$lower[i, s]), upper = num(at$upper[i, s]),
           denominator = nrow(g), reason = if (beyond) "beyond_last_follow_up")
      emit("survival", "incidence_se", ..., time_days = YEARS[i], level_code = names[s],
           estimate = num(at$std.err[i, s]))
    }
  }
}

incidence_question <- function(lines, population) {
  for (endpoint in names(INCIDENCE)) {
    e <- INCIDENCE[[endpoint]]
    d <- e$of(lines, e$events)
    stopifnot(!is.na(d$time), d$time >= 0)
    d$state <- match(c("none", e$events)[d$state + 1], c("none", e$states)) - 1
    for (g in split_cohorts(d))
      one_incidence(g, e$states, population = population, cohort = g$cohort[1], endpoint = endpoint)
  }
}

RESULTS <- c("early_death", "non_response", "late_remission", "not_evaluable", "relapse_marrow",
             "relapse_combined", "relapse_extramedullary", "relapse_unknown", "death_in_remission",
             "second_malignancy", "lost", "alive_in_remission")

result_of <- function(d) {
  first <- first_of(d[c("relapse", "death_in_remission", "second")], d$assessed)$state
  site <- paste0("relapse_", ifelse(is.na(d$relapse_site), "unknown", d$relapse_site))
  none <- ifelse(d$status == "lost", "lost", "alive_in_remission")
  other <- c("", "death_in_remission", "second_malignancy")[pmax(first, 1)]
  after <- ifelse(first == 0, none, ifelse(first == 1, site, other))
  ifelse(d$class == "remission", after, d$class)
}

results_table <- function(d, population) {
  result <- result_of(d)
  stopifnot(result %in% RESULTS)
  for (k in COHORTS) for (name in RESULTS) {
    x <- if (name == "late_remission") d$late else result == name
    emit("survival", "results_count", population = population, cohort = k, endpoint = "results",
         level_code = name, numerator = sum(x[d$cohort == k]), denominator = sum(d$cohort == k))
  }
}

# ---------------------------------------------------------------- everything

populations <- function(d) list(
  all = d, default = d[d$risk_group %in% "high", ],
  early_marrow = d[d$timing %in% "early" & d$site == "marrow", ])

everything <- function(x) {
  cases <- baseline(x$patients)
  lines <- lines_of(x, cases)
  first <- with_response(lines[lines$primary & lines$kind == "first_relapse", ], x)
  samples <- mrd_samples(x)
  points <- lapply(TIMEPOINTS, function(point) at_timepoint(first, point, x, samples))
  windows <- attribution(x)
  events <- attributed(x, windows)
  overview(cases, lines)
  groups <- populations(first)
  for (name in names(groups)) {
    d <- groups[[name]]
    baseline_table(d, name)
    response_at_landmark(d, name)
    for (p in names(points)) response_by_mrd(points[[p]][first$case_id %in% d$case_id, ], name, p)
    if (name != "early_marrow") toxicity(d, name, windows, events)
    survival_question(d, name)
    incidence_question(d, name)
    results_table(d, name)
  }
}

sha256 <- function(folder) {
  files <- paste0(sort(TABLES), ".csv")
  sums <- system2("sha256sum", shQuote(file.path(folder, files)), stdout = TRUE)
  paste0('"', files, '": "', substr(sums, 1, 64), '"', collapse = ", ")
}

main <- function(arguments) {
  folder <- arguments[1]
  made <- if (length(arguments) > 1) as.integer(arguments[2:3]) else c(300L, 20140L)
  everything(read_export(folder))
  rows <- vapply(records$rows[seq_len(records$n)], record_json, "")
  writeLines(c(
    sprintf('{"made_from": {"patients": %d, "seed": %d, "sha256": {%s}},', made[1], made[2],
            sha256(folder)),
    sprintf('"about": {"R": "%s", "survival": "%s", "made_by": "Rscript tests/oracle/allrez.R"},',
            R.version.string, packageVersion("survival")),
    '"numbers": [', paste(rows, collapse = ",\n"), "]}"))
}

if (sys.nframe() == 0) main(commandArgs(trailingOnly = TRUE))
