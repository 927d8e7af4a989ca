# The oracle of the CDISC pilot: a second way from the raw ADaM and SDTM files to the numbers shown.
# Written from the words of trial/studies/cdisc_pilot*.toml and STATISTICS.md, not from the Python.
# Debian: apt-get install r-base-core r-cran-survival r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/cdisc_pilot.R
# Writes tests/oracle/cdisc_pilot.json: for each export the rows of every file (read, left out by
# rule, kept out as not readable) and numbers. Days count from randomization; times are in days.
# A comparison is with placebo. Toxicity counts patients, each once a block and item, by their worst
# severity; items are terms, categories (body systems) or "any"; only items that somebody had. Both
# exports hold the same events: one is looked at by mild and severe, the other by moderate.
suppressMessages({library(survival); library(jsonlite)})

ARMS <- c("Placebo" = "placebo", "Xanomeline Low Dose" = "low", "Xanomeline High Dose" = "high")
TIMES <- c(6, 12, 24) * 7
TAUS <- c(24, 12) * 7
LANDMARK <- 98
ASSESSED_FROM <- 14
AFTER_LAST_DAY <- 30
AT_LEAST <- 10
BLOCKS <- c("BASELINE" = "weeks_0_2", "WEEK 2" = "weeks_2_24", "WEEK 24" = "weeks_24_26")
SEVERITY <- c("MILD" = 1, "MODERATE" = 2, "SEVERE" = 3)

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; x }

# ---------------------------------------------------------------- the records

records <- new.env()
records$list <- list()

emit <- function(statistic, ...) {
  row <- c(list(statistic = statistic), list(...))
  records$list[[length(records$list) + 1]] <- row[!vapply(row, function(x) is.null(x) || is.na(x), NA)]
}

taken <- function() { out <- records$list; records$list <- list(); out }

# ---------------------------------------------------------------- reading

read <- function(export, name) {
  path <- file.path("tests/fixtures/cdisc_pilot", export, paste0(name, ".csv.gz"))
  d <- read.csv(gzfile(path), colClasses = "character", na.strings = character(), encoding = "UTF-8")
  stopifnot(nrow(d) > 0)
  d
}

files_of <- function(export, names) sapply(names, function(name) read(export, name), simplify = FALSE)

# A partial date: a month without a day is its 15th, a year alone its 1 July. A time is cut off.
as_date <- function(text) {
  text <- sub("T.*", "", text)
  full <- ifelse(nchar(text) == 7, paste0(text, "-15"),
                 ifelse(nchar(text) == 4, paste0(text, "-07-01"), text))
  date <- as.Date(full, "%Y-%m-%d")
  stopifnot(is.na(date) == (text == ""))
  date
}

patients_of <- function(d, day_0, death, left) {
  d <- d[d$ARM != "Screen Failure", ]
  stopifnot(d$ARM %in% names(ARMS), !duplicated(d$USUBJID))
  age <- as.numeric(d$AGE)
  data.frame(
    id = d$USUBJID, cohort = factor(ARMS[d$ARM], ARMS), day_0 = as_date(d[[day_0]]),
    death = as_date(d[[death]]), contact = as_date(d$RFPENDTC),
    sex = c(F = "female", M = "male")[d$SEX],
    age = c("under_65", "from_65", "from_75", "from_85")[findInterval(age, c(0, 65, 75, 85))],
    race = c("WHITE" = "white", "BLACK OR AFRICAN AMERICAN" = "black")[d$RACE],
    ethnicity = ifelse(d$ETHNIC == "HISPANIC OR LATINO", "hispanic", "not_hispanic"), row.names = NULL)
}

in_days <- function(p) {
  stopifnot(!is.na(p$day_0))
  for (name in c("death", "contact")) p[[name]] <- as.numeric(p[[name]] - p$day_0)
  p$race[is.na(p$race)] <- "other"
  p
}

day_of <- function(p, id, text) as.numeric(as_date(text) - p$day_0[match(id, p$id)])

# The first (or last) day of some rows, by patient.
one_day <- function(p, id, day, f = min) {
  found <- tapply(day, factor(id, p$id), f)
  as.numeric(found[p$id])
}

account <- function(d, excluded, unreadable = rep(FALSE, nrow(d)))
  list(rows_in = nrow(d), excluded = sum(excluded), quarantined = sum(unreadable & !excluded))

# ---------------------------------------------------------------- the two exports

courses_of <- function(p, id, visit, start, stop) {
  stopifnot(visit %in% names(BLOCKS), id %in% p$id)
  data.frame(id = id, block = unname(BLOCKS[visit]), start = day_of(p, id, start), stop = day_of(p, id, stop))
}

events_of <- function(p, d, onset) {
  stopifnot(d$AESEV %in% names(SEVERITY), d$USUBJID %in% p$id)
  data.frame(id = d$USUBJID, term = d$AEDECOD, category = d$AEBODSYS, grade = unname(SEVERITY[d$AESEV]),
             onset = day_of(p, d$USUBJID, d[[onset]]))
}

adam <- function() {
  x <- files_of("adam", c("adsl", "adex", "adae", "adrs_onco", "adtte_onco"))
  p <- in_days(patients_of(x$adsl, "RANDDT", "DTHDT"))
  outside <- lapply(x, function(d) !d$USUBJID %in% p$id)
  ends <- x$adsl[match(p$id, x$adsl$USUBJID), ]
  end <- as.numeric(as_date(ends$EOSDT) - p$day_0)
  p$completed <- ifelse(ends$EOSSTT == "COMPLETED", end, NA)
  p$left <- ifelse(ends$EOSSTT == "DISCONTINUED", end, NA)
  r <- x$adrs_onco[x$adrs_onco$USUBJID %in% p$id, ]
  seen <- r[r$PARAMCD == "OVR", ]
  yes <- r[r$PARAMCD == "RSP" & r$AVALC == "Y", ]
  p$response <- one_day(p, yes$USUBJID, day_of(p, yes$USUBJID, yes$ADT))
  dosing <- x$adex[x$adex$PARAMCD == "DURD", ]
  emerged <- x$adae[x$adae$TRTEMFL == "Y", ]
  finished <- function(code) {
    d <- x$adtte_onco[x$adtte_onco$PARAMCD == code, ]
    stopifnot(sort(d$USUBJID) == sort(p$id), d$CNSR %in% c("0", "1"))
    data.frame(cohort = p$cohort[match(d$USUBJID, p$id)], time = as.numeric(d$AVAL),
               event = 1 - as.numeric(d$CNSR))
  }
  list(
    p = p, assessed = data.frame(id = seen$USUBJID, day = day_of(p, seen$USUBJID, seen$ADT)),
    in_doubt = character(),
    courses = courses_of(p, dosing$USUBJID, dosing$VISIT, dosing$ASTDT, dosing$AENDT),
    events = events_of(p, emerged, "ASTDT"), grades = c(1, 3),
    survival = list(retention = first_of(p, c("left", "death"), "completed"),
                    os = finished("OS"), pfs = finished("PFS")),
    incidence = list(),
    files = list(
      adsl = account(x$adsl, outside$adsl),
      adex = account(x$adex, outside$adex | x$adex$PARAMCD != "DURD"),
      adae = account(x$adae, outside$adae | x$adae$TRTEMFL != "Y"),
      adrs_onco = account(x$adrs_onco, outside$adrs_onco | !x$adrs_onco$PARAMCD %in% c("OVR", "RSP")),
      adtte_onco = account(x$adtte_onco, outside$adtte_onco | x$adtte_onco$PARAMCD == "RSD")))
}

RESPONSES <- c("CR", "PR", "SD", "PD", "NE", "NON-CR/NON-PD")

sdtm <- function() {
  x <- files_of("sdtm", c("dm", "ds", "ex", "ae", "suppae", "rs_onco"))
  p <- in_days(patients_of(x$dm, "RFSTDTC", "DTHDTC"))
  outside <- lapply(x, function(d) !d$USUBJID %in% p$id)
  disposed <- x$ds[x$ds$DSCAT == "DISPOSITION EVENT" & !outside$ds, ]
  stopifnot(sort(disposed$USUBJID) == sort(p$id))
  disposed <- disposed[match(p$id, disposed$USUBJID), ]
  day <- as.numeric(as_date(disposed$DSSTDTC) - p$day_0)
  why <- disposed$DSDECOD
  p$completed <- ifelse(why == "COMPLETED", day, NA)
  p$left_for_event <- ifelse(why == "ADVERSE EVENT", day, NA)
  p$left_otherwise <- ifelse(!why %in% c("COMPLETED", "ADVERSE EVENT", "DEATH"), day, NA)
  stopifnot(x$suppae$QNAM == "AETRTEM", x$suppae$IDVAR == "AESEQ")
  flag <- x$suppae$QVAL[match(paste(x$ae$USUBJID, x$ae$AESEQ), paste(x$suppae$USUBJID, x$suppae$IDVARVAL))]
  emerged <- flag %in% "Y"
  other <- x$rs_onco$RSEVAL != "INVESTIGATOR" | x$rs_onco$RSTESTCD != "OVRLRESP"
  unknown <- !x$rs_onco$RSORRES %in% RESPONSES
  r <- x$rs_onco[!other & !unknown & !outside$rs_onco, ]
  r$day <- day_of(p, r$USUBJID, r$RSDTC)
  of <- function(codes) one_day(p, r$USUBJID[r$RSORRES %in% codes], r$day[r$RSORRES %in% codes])
  p$response <- of(c("CR", "PR"))
  p$progression <- of("PD")
  p$last_assessed <- one_day(p, r$USUBJID, r$day, max)
  doubt <- x$rs_onco$USUBJID[!other & unknown & !outside$rs_onco]
  sure <- p[!p$id %in% doubt, ]
  leaving <- c("left_for_event", "left_otherwise", "death")
  list(
    p = p, assessed = data.frame(id = r$USUBJID, day = r$day), in_doubt = doubt,
    courses = courses_of(p, x$ex$USUBJID, x$ex$VISIT, x$ex$EXSTDTC, x$ex$EXENDTC),
    events = events_of(p, x$ae[emerged, ], "AESTDTC"), grades = 2,
    survival = list(retention = first_of(p, leaving, "completed"),
                    os = first_of(p, "death", "contact"),
                    pfs = first_of(sure, c("progression", "death"), "last_assessed")),
    incidence = list(left_for_event = first_state(p, leaving, "completed")),
    files = list(
      dm = account(x$dm, outside$dm),
      ds = account(x$ds, outside$ds | x$ds$DSCAT != "DISPOSITION EVENT" | x$ds$DSDECOD == "DEATH"),
      ex = account(x$ex, outside$ex), ae = account(x$ae, outside$ae | !emerged),
      rs_onco = account(x$rs_onco, outside$rs_onco | other, unknown)))
}

# ---------------------------------------------------------------- times

# The first of some days (the earlier in the list on one day), or the day of censoring; a patient
# with neither is left out.
first_state <- function(p, events, censor) {
  days <- do.call(cbind, lapply(events, function(e) ifelse(is.na(p[[e]]), Inf, p[[e]])))
  happened <- apply(days, 1, function(d) any(is.finite(d)))
  d <- data.frame(cohort = p$cohort, time = ifelse(happened, apply(days, 1, min), p[[censor]]),
                  state = factor(ifelse(happened, events[apply(days, 1, which.min)], "censored"),
                                 c("censored", events)))
  d[!is.na(d$time), ]
}

first_of <- function(p, events, censor) {
  d <- first_state(p, events, censor)
  data.frame(cohort = d$cohort, time = d$time, event = as.numeric(d$state != "censored"))
}

# ---------------------------------------------------------------- proportions

wilson <- function(x, n) num(suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int)

# Newcombe 1998, method 10: the other cohort minus the reference.
newcombe <- function(x0, n0, x, n) {
  p <- x / n; p0 <- x0 / n0; l <- wilson(x, n); l0 <- wilson(x0, n0)
  c(p - p0, p - p0 - sqrt((p - l[1])^2 + (l0[2] - p0)^2), p - p0 + sqrt((l[2] - p)^2 + (p0 - l0[1])^2))
}

by_cohort <- function(cohort) as.numeric(table(factor(cohort, ARMS)))

emit_proportions <- function(x, n, ...) {
  for (i in which(n > 0)) {
    limits <- wilson(x[i], n[i])
    emit("proportion", ..., cohort = ARMS[[i]], estimate = x[i] / n[i], lower = limits[1], upper = limits[2],
         numerator = x[i], denominator = n[i])
  }
  for (i in 2:3) if (n[1] > 0 && n[i] > 0) {
    d <- newcombe(x[1], n[1], x[i], n[i])
    emit("proportion_difference", ..., cohort = ARMS[[i]], comparator = ARMS[[1]], estimate = d[1],
         lower = d[2], upper = d[3])
  }
}

# ---------------------------------------------------------------- overview, response, toxicity

LEVELS <- list(sex = c("female", "male"), age = c("under_65", "from_65", "from_75", "from_85"),
               race = c("white", "black", "other"), ethnicity = c("hispanic", "not_hispanic"))

overview <- function(p) {
  n <- by_cohort(p$cohort)
  for (i in 1:3) emit("population_size", cohort = ARMS[[i]], numerator = n[i])
  for (name in names(LEVELS)) for (level in LEVELS[[name]]) {
    x <- by_cohort(p$cohort[p[[name]] == level])
    for (i in 1:3) emit("baseline_count", characteristic_code = name, level_code = level,
                        cohort = ARMS[[i]], numerator = x[i], denominator = n[i])
  }
}

# Response on or before the landmark; without one: death before it; seen by the landmark and alive
# on it: none; else nobody knows.
response <- function(p, assessed, in_doubt) {
  seen <- p$id %in% assessed$id[assessed$day >= ASSESSED_FROM & assessed$day <= LANDMARK]
  dead <- ifelse(is.na(p$death), Inf, p$death)
  followed <- pmax(p$contact, p$death, na.rm = TRUE) >= LANDMARK
  class <- ifelse(!is.na(p$response) & p$response <= LANDMARK, "remission",
           ifelse(!is.na(p$response), "non_response",
           ifelse(dead < LANDMARK, "early_death",
           ifelse(seen & followed, "non_response",
           ifelse(is.finite(dead), "early_death", "not_evaluable")))))
  class[p$id %in% in_doubt] <- "in_doubt"
  n <- by_cohort(p$cohort)
  for (level in c("remission", "non_response", "early_death", "not_evaluable", "in_doubt")) {
    x <- by_cohort(p$cohort[class == level])
    for (i in 1:3) emit("response_count", level_code = level, cohort = ARMS[[i]], numerator = x[i],
                        denominator = n[i])
  }
  emit_proportions(by_cohort(p$cohort[class == "remission"]), n, question = "response", time_days = LANDMARK)
}

# An event belongs to the last begun period of dosing, up to the day before the next one, or 30 days
# after the last recorded day of the period.
attributed <- function(courses, events) {
  courses <- courses[order(courses$id, courses$start), ]
  last_day <- ifelse(is.na(courses$stop), courses$start, courses$stop) + AFTER_LAST_DAY
  following <- ave(courses$start, courses$id, FUN = function(s) c(s[-1], Inf))
  courses$last <- pmin(last_day, following - 1)
  events$block <- vapply(seq_len(nrow(events)), function(i) {
    onset <- events$onset[i]
    k <- courses[courses$id == events$id[i] & courses$start <= onset & onset <= courses$last, ]
    if (nrow(k)) k$block[which.max(k$start)] else NA_character_
  }, "")
  events
}

toxicity <- function(p, courses, events, grades) {
  events <- attributed(courses, events)
  for (block in BLOCKS) {
    started <- p[p$id %in% courses$id[courses$block == block], ]
    n <- by_cohort(started$cohort)
    for (i in 1:3) emit("block_started", block_code = block, cohort = ARMS[[i]], numerator = n[i])
    here <- events[events$block %in% block, ]
    patients <- function(e) by_cohort(started$cohort[started$id %in% e$id])
    for (grade in grades) {
      worst <- here[here$grade >= grade, ]
      emit_proportions(patients(worst), n, block_code = block, grade_min = grade, item = "any")
      for (category in sort(unique(worst$category)))
        emit_proportions(patients(worst[worst$category == category, ]), n, block_code = block,
                         grade_min = grade, item = category)
      for (term in sort(unique(worst$term))) {
        x <- patients(worst[worst$term == term, ])
        for (i in which(x > 0)) emit("term_count", block_code = block, grade_min = grade, item = term,
                                     cohort = ARMS[[i]], numerator = x[i], denominator = n[i])
      }
    }
  }
  emit("events_outside_blocks", numerator = sum(is.na(events$block)))
}

# ---------------------------------------------------------------- survival

fit_of <- function(time, event) survfit(Surv(time, event) ~ 1, conf.type = "log-log")

quantile_of <- function(statistic, fit, ...) {
  q <- quantile(fit, 0.5)
  emit(statistic, ..., estimate = num(q$quantile), lower = num(q$lower), upper = num(q$upper))
}

one_curve <- function(g, ...) {
  emit("n", ..., numerator = nrow(g))
  emit("events", ..., numerator = sum(g$event))
  at <- summary(fit_of(g$time, g$event), times = TIMES, extend = TRUE)
  for (i in seq_along(TIMES)) {
    beyond <- TIMES[i] > max(g$time) && at$surv[i] > 0
    if (beyond) emit("survival", ..., time_days = TIMES[i], reason = "beyond_last_follow_up")
    else emit("survival", ..., time_days = TIMES[i], estimate = num(at$surv[i]),
              lower = num(at$lower[i]), upper = num(at$upper[i]))
    emit("at_risk", ..., time_days = TIMES[i], numerator = sum(g$time >= TIMES[i]))
  }
  quantile_of("median_time", fit_of(g$time, g$event), ...)
  quantile_of("median_follow_up", fit_of(g$time, 1 - g$event), ...)
}

# Up to the largest tau with enough at risk in every cohort.
means <- function(groups, ...) {
  enough <- vapply(TAUS, function(t) all(vapply(groups, function(g) sum(g$time >= t), 0) >= AT_LEAST), NA)
  tau <- TAUS[enough][1]
  if (is.na(tau)) return(invisible())
  for (i in 1:3) {
    g <- groups[[i]]
    m <- num(survival:::survmean(fit_of(g$time, g$event), rmean = tau)[[1]][c("rmean", "se(rmean)")])
    limits <- if (any(g$event == 1 & g$time <= tau)) m[1] + c(-1, 1) * qnorm(0.975) * m[2] else c(NA, NA)
    emit("rmst", ..., cohort = ARMS[[i]], time_days = tau, estimate = m[1], lower = limits[1],
         upper = limits[2])
  }
}

# A cohort without events has no finite hazard ratio.
compare <- function(d, ...) {
  test <- survdiff(Surv(time, event) ~ cohort, data = d)
  emit("log_rank_chi_square", ..., estimate = num(test$chisq),
       p_value = pchisq(test$chisq, 2, lower.tail = FALSE))
  if (any(tapply(d$event, d$cohort, sum) == 0)) return(emit("no_hazard_ratio", ...))
  cox <- summary(coxph(Surv(time, event) ~ cohort, data = d,
                       control = coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 100)))
  for (i in 1:2)
    emit("hazard_ratio", ..., cohort = ARMS[[i + 1]], comparator = ARMS[[1]], estimate = cox$conf.int[i, 1],
         lower = cox$conf.int[i, 3], upper = cox$conf.int[i, 4], p_value = cox$coefficients[i, "Pr(>|z|)"])
}

survival_of <- function(endpoint, d) {
  groups <- split(d, d$cohort)
  for (k in ARMS) one_curve(groups[[k]], endpoint = endpoint, cohort = k)
  means(groups, endpoint = endpoint)
  compare(d, endpoint = endpoint)
}

incidence_of <- function(endpoint, d) for (k in ARMS) {
  g <- d[d$cohort == k, ]
  fit <- survfit(Surv(time, state) ~ 1, data = g, conf.type = "log-log")
  at <- summary(fit, times = TIMES, extend = TRUE)
  for (state in levels(g$state)[-1]) {
    column <- match(state, fit$states)
    emit("state_count", endpoint = endpoint, cohort = k, level_code = state,
         numerator = sum(g$state == state))
    for (i in seq_along(TIMES))
      emit("incidence", endpoint = endpoint, cohort = k, level_code = state, time_days = TIMES[i],
           estimate = num(at$pstate[i, column]), lower = num(at$lower[i, column]),
           upper = num(at$upper[i, column]))
  }
}

# ---------------------------------------------------------------- all of it

numbers_of <- function(x) {
  overview(x$p)
  response(x$p, x$assessed, x$in_doubt)
  toxicity(x$p, x$courses, x$events, x$grades)
  for (endpoint in names(x$survival)) survival_of(endpoint, x$survival[[endpoint]])
  for (endpoint in names(x$incidence)) incidence_of(endpoint, x$incidence[[endpoint]])
  list(files = x$files, numbers = taken())
}

about <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
              made_by = "Rscript tests/oracle/cdisc_pilot.R")
results <- list(adam = numbers_of(adam()), sdtm = numbers_of(sdtm()))
json <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA)
# A number a line, so that a change is seen.
lines_of <- function(x) paste0("[\n", paste(vapply(x, json, ""), collapse = ",\n"), "\n]")
parts <- vapply(names(results), function(name) sprintf(
  '"%s": {\n"files": %s,\n"numbers": %s}', name, json(results[[name]]$files),
  lines_of(results[[name]]$numbers)), "")
writeLines(sprintf('{"about": %s,\n%s}', json(about), paste(parts, collapse = ",\n")),
           "tests/oracle/cdisc_pilot.json")
