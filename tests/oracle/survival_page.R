# The oracle of the survival page: head, endpoints, components, bridge, competing events.
# R with survival, cmprsk; written from the definitions, not from the Python. Reads a demo export as
# allrez.R does, and the public examples colon and myeloid.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk
# Run in the project's root:
#   Rscript tests/oracle/survival_page.R FOLDER [PATIENTS SEED] | gzip -9n > tests/oracle/survival_page.json.gz
#
# Keys of a record (those that do not apply, and numbers that R cannot give, are left out):
#   population  all (primary lines of first relapse) | default (derived S3, S4 of them) | colon | myeloid
#   cohort, comparator   of a difference or a ratio: cohort minus, or over, comparator
#   estimate, lower, upper (95 %), p_value; numerator of denominator; reason
# A cohort that nobody of has reached the time zero has no records; one alone is compared with none.
# Values of fewer than 10 patients are given here too, though no page shows them. A record with a
# reason has R's numbers beside it where there are any:
#   beyond_last_follow_up    later than the last time of a cohort, and somebody is left
#   beyond_common_window     follow-up is unequal and the time is later than the common window
#   no_interval, too_few_events, cannot_be_moved   no estimate
#
# Head, by endpoint of kind survival
#   n, events              numerator
#   window_days            by cohort (the last day with at least 10 at risk); without cohort: common
#   follow_up_unequal      estimate 1 or 0: the longest median follow-up (reverse Kaplan-Meier) is more
#                          than 1.25 times the shortest, in a study that is not randomised. If so,
#                          the next three are of follow-up cut at the common window.
#   log_rank_chi_square    of a pair; without cohorts: of all, denominator = degrees of freedom
#   hazard_ratio           one Cox model of all cohorts; item_code pair: of the two alone
#   proportionality_chi_square   cox.zph of that model on time > 0; without cohorts: global;
#                          numerator = events it is from. Under 30: too_few_events.
#   survival_difference    at the study's times
#   completeness           estimate; numerator and denominator in days. Only ALL-REZ has a cut-off.
#   fragility              at 3 years; cohort = whose children change, comparator = the other of the
#                          pair: estimate = number of changes, level_code = to_event | to_no_event, left out if
#                          as many of either do it
#   fragility_lost         numerator: of cohort, censored before the time
# Endpoints of kind survival and incidence, at the study's times
#   endpoint_n, endpoint_events   numerator (state 1)
#   endpoint_value, endpoint_difference   S(t), or incidence of state 1; log-log limits; MOVER
# Competing events, endpoints of kind incidence
#   window_days, follow_up_unequal, completeness   as in the head; a cohort's window is never before its
#                          first censoring: until then few are at risk since all others had an event
#   gray_chi_square, subdistribution_hazard_ratio   of state 1, on follow-up cut at the common window if
#                          it is unequal
# Components: endpoint states, level_code = number of the state | no_event
#   component              Aalen-Johansen, log-log limits
#   component_count        numerator of denominator: by time_days; without it: so far
# Bridge: endpoint to_transplant, os_transplant
#   bridge_incidence       level_code = number of the state | no_event
#   bridge_n, bridge_events, bridge_survival   level_code = negative | not_negative | not_known: MRD
#                          before transplant at 1e-4; without level_code: all
# to_transplant counts any transplant of the enrollment from the start of the line on, as its
# definition says (all enrolled); os_transplant starts at the first one while the line runs. So more
# reach it (refractory children in their next line) than have a survival from it.
source("tests/oracle/allrez.R")
suppressMessages(library(cmprsk))

KEYS <- c("population", "endpoint", "cohort", "comparator", "statistic", "time_days", "level_code",
          "item_code", "timepoint_code", "characteristic_code", "estimate", "lower", "upper", "p_value",
          "numerator", "denominator", "reason")
CUT_OFF <- as.Date("2021-12-31")
MONTH <- 365.25 / 12
THREE_YEARS <- 3 * 365.25
FIVE <- 1:5 * 365.25

tell <- function(statistic, ...) {
  row <- c(list(statistic = statistic), list(...))
  records$n <- records$n + 1
  records$rows[[records$n]] <- row[lengths(row) > 0 & !vapply(row, function(x) anyNA(x), NA)]
}

# of: the keys that all records of a place share.
tell_of <- function(of, statistic, ...) do.call(tell, c(list(statistic), of, list(...)))

tell_three <- function(of, statistic, x, ...)
  tell_of(of, statistic, estimate = x[1], lower = x[2], upper = x[3], ...)

# ---------------------------------------------------------------- times

# Origin and censoring: columns of the lines. events: columns, the earlier in the list on one day.
PAGE <- list(
  efs = list(origin = "start", censor = "assessed", events = FAILURES),
  efs_found = list(origin = "start", censor = "assessed", events = sub("non_response", "found", FAILURES)),
  os = list(origin = "start", censor = "contact", events = "death"),
  rfs = list(origin = "remission", censor = "assessed", events = c("relapse", "death")),
  os_blina = list(origin = "blina", censor = "contact", events = "death"),
  os_transplant = list(origin = "transplant", censor = "contact", events = "death"),
  efs_transplant = list(origin = "transplant", censor = "assessed",
                        events = c("relapse", "death", "second")))
FROM_REMISSION <- list(origin = "remission", censor = "assessed",
                       events = c("relapse", "death_in_remission", "second"))
COMPETING <- list(
  cir = c(FROM_REMISSION, list(states = c(1, 2, 3))),
  trm = c(FROM_REMISSION, list(states = c(2, 1, 3))),
  to_transplant = list(origin = "start", censor = "contact", states = c(1, 2, 3),
                       events = c("any_transplant", "relapse", "death")))
EVERYBODY <- list(origin = "start", censor = "assessed", events = FAILURES, states = c(1, 3, 2, 4, 5))

first_day <- function(days) if (length(days)) min(days) else NA_real_

with_days <- function(d, x) {
  one <- function(i, of, when) {
    days <- of[[when]][of$case_id == d$case_id[i]]
    days[days >= d$start[i]]
  }
  each <- seq_len(nrow(d))
  d$transplant <- vapply(each, function(i) {
    days <- one(i, x$transplants, "transplant")
    first_day(days[days < d$next_line[i]])
  }, 0)
  d$any_transplant <- vapply(each, function(i) first_day(one(i, x$transplants, "transplant")), 0)
  d$blina <- vapply(each, function(i) first_day(one(
    i, x$courses[x$courses$block == "BLINA" & x$courses$line_number == d$line_number[i], ], "start")), 0)
  day_0 <- as.POSIXlt(d$day_0); end <- as.POSIXlt(CUT_OFF)
  d$months <- 12 * (end$year - day_0$year) + end$mon - day_0$mon - (end$mday < day_0$mday)
  d
}

times_of <- function(d, e) {
  d <- d[!is.na(d[[e$origin]]), ]
  first <- first_of(d[e$events], d[[e$censor]])
  states <- if (is.null(e$states)) rep(1, length(e$events)) else e$states
  out <- data.frame(cohort = d$cohort, case_id = d$case_id, origin = d[[e$origin]],
                    time = first$time - d[[e$origin]], state = c(0, states)[first$state + 1],
                    months = d$months, died = !is.na(d$death))
  stopifnot(!is.na(out$time), out$time >= 0)
  out$event <- as.integer(out$state == 1)
  out
}

# ---------------------------------------------------------------- values and differences

AJ <- function(g, states) survfit(Surv(time, factor(state, 0:states)) ~ 1, data = g, conf.type = "log-log")

# A column a time: estimate, lower, upper. Where the estimate is 0 or 1: exact limits if nobody was
# censored before, else none.
with_exact <- function(value, g, times) {
  for (i in which(value[1, ] < 1e-12 | value[1, ] > 1 - 1e-12)) {
    n <- nrow(g); lost <- any(g$time < times[i] & g$state == 0)
    value[2:3, i] <- if (lost) NA else num(binom.test(round(n * value[1, i]), n)$conf.int)
  }
  value
}

survival_values <- function(g, times) {
  at <- summary(fit_of(g$time, g$event), times = times, extend = TRUE)
  with_exact(rbind(num(at$surv), num(at$lower), num(at$upper)), g, times)
}

# Of a state, or of 0: no event.
state_values <- function(g, times, state, states) {
  at <- summary(AJ(g, states), times = times, extend = TRUE)
  k <- state + 1
  with_exact(rbind(num(at$pstate[, k]), num(at$lower[, k]), num(at$upper[, k])), g, times)
}

mover <- function(a, b) {
  d <- b[1, ] - a[1, ]
  rbind(d, d - sqrt((b[1, ] - b[2, ])^2 + (a[3, ] - a[1, ])^2),
        d + sqrt((b[3, ] - b[1, ])^2 + (a[1, ] - a[2, ])^2))
}

# Whether a cohort was followed less long than t while somebody was left.
is_beyond <- function(groups, t) any(vapply(groups, function(g)
  t > max(g$time) && survival_at_end(g) > 1e-12, NA))
survival_at_end <- function(g) prod(vapply(sort(unique(g$time)), function(u)
  1 - sum(g$time == u & g$state > 0) / sum(g$time >= u), 0))

reason_at <- function(groups, t, window = NULL) {
  if (is_beyond(groups, t)) return("beyond_last_follow_up")
  if (!is.null(window) && window$unequal && t > window$common) "beyond_common_window"
}

by_group <- function(d) split(d, factor(d$cohort, unique(d$cohort)))

# ---------------------------------------------------------------- head

# The last day with at least so many at risk; nobody is at risk after the own time.
last_day_at_risk <- function(g) if (nrow(g) >= AT_LEAST) sort(g$time, decreasing = TRUE)[AT_LEAST] else NA_real_

# Or the last day with nobody censored before it; Inf if nobody ever is.
last_day_known <- function(g) max(last_day_at_risk(g), min(Inf, g$time[g$state == 0]))

# Median follow-up: the Kaplan-Meier curve of censoring; every state ends the follow-up needed.
follow_up_of <- function(g)
  unname(quantile(survfit(Surv(time, state == 0) ~ 1, data = g), 0.5)$quantile)

# Randomised arms are followed alike by design.
windows_of <- function(groups, is_randomised = FALSE) {
  days <- vapply(groups, last_day_known, 0)
  medians <- if (is_randomised) numeric() else vapply(groups, follow_up_of, 0)
  medians <- medians[!is.na(medians)]
  list(days = days, common = min(days),
       unequal = length(medians) > 1 && max(medians) > 1.25 * min(medians))
}

tell_windows <- function(of, w) {
  for (k in names(w$days))
    tell_of(of, "window_days", cohort = k, estimate = if (is.finite(w$days[[k]])) w$days[[k]] else NA)
  tell_of(of, "window_days", estimate = w$common)
  tell_of(of, "follow_up_unequal", estimate = as.integer(w$unequal))
}

cut_at <- function(d, day) {
  late <- d$time > day
  d$event[late] <- 0; d$state[late] <- 0; d$time <- pmin(d$time, day)
  d
}

cox_of <- function(d) coxph(Surv(time, event) ~ group, data = d, control = coxph.control(
  eps = 1e-12, toler.chol = 1e-14, iter.max = 100))

log_rank <- function(of, d) {
  d$group <- droplevels(d$group)
  test <- survdiff(Surv(time, event) ~ group, data = d)
  df <- nlevels(d$group) - 1
  tell_of(of, "log_rank_chi_square", estimate = num(test$chisq), denominator = df,
          p_value = num(pchisq(test$chisq, df, lower.tail = FALSE)))
}

hazard_ratios <- function(of, d, ...) {
  d$group <- droplevels(d$group)
  found <- summary(cox_of(d))
  k <- levels(d$group)
  for (i in seq_along(k)[-1])
    tell_of(of, "hazard_ratio", cohort = k[i], comparator = k[1], ...,
            estimate = num(found$conf.int[i - 1, 1]), lower = num(found$conf.int[i - 1, 3]),
            upper = num(found$conf.int[i - 1, 4]), p_value = num(found$coefficients[i - 1, "Pr(>|z|)"]))
}

proportionality <- function(of, d) {
  d <- d[d$time > 0, ]
  events <- sum(d$event)
  k <- levels(d$group)
  few <- events < 30
  found <- if (!few) cox.zph(cox_of(d), transform = "km", terms = FALSE)$table
  for (i in seq_along(k)) {
    row <- if (i == 1) length(k) else i - 1  # of all, then of each pair
    pair <- if (i == 1) list() else list(cohort = k[i], comparator = k[1])
    if (few) tell_of(c(of, pair), "proportionality_chi_square", numerator = events, reason = "too_few_events")
    else tell_of(c(of, pair), "proportionality_chi_square", numerator = events,
                 estimate = num(found[row, "chisq"]), p_value = num(found[row, "p"]))
  }
}

tests <- function(of, d) {
  if (nlevels(d$group) < 2) return()
  log_rank(of, d); hazard_ratios(of, d); proportionality(of, d)
  k <- levels(d$group)
  for (other in k[-1]) {
    two <- d[d$group %in% c(k[1], other), ]
    log_rank(c(of, list(cohort = other, comparator = k[1])), two)
    if (length(k) > 2) hazard_ratios(of, two, item_code = "pair")
  }
}

completeness <- function(of, g) {
  # Nobody of the demo is dead and censored: what such a child could have been followed is not asked.
  stopifnot(g$state > 0 | !g$died)
  could <- ifelse(g$state > 0, g$time, pmax(g$time, (g$months + 0.5) * MONTH - g$origin))
  tell_of(of, "completeness", estimate = sum(g$time) / sum(could), numerator = sum(g$time),
          denominator = sum(could))
}

# ---------------------------------------------------------------- fragility, by changing rows

# k children of g without event by t fail on t, or k who failed, the latest first, are free at t.
changed <- function(g, t, k, to_event) {
  free <- g$time > t | g$time == t & g$event == 0
  failed <- order(ifelse(g$event == 1 & g$time <= t, -g$time, Inf))
  who <- if (to_event) head(which(free), k) else head(failed, k)
  g$time[who] <- t; g$event[who] <- g$state[who] <- as.integer(to_event)
  g
}

side_of <- function(d) if (anyNA(d)) NA else if (d[2] > 0) 1 else if (d[3] < 0) -1 else 0

# one, other: the children of one change.
fewest_changes <- function(one, other, t) {
  fixed <- survival_values(other, t)
  side <- function(g) side_of(mover(fixed, survival_values(g, t)))
  before <- side(one)
  if (is.na(before) || is_beyond(list(one, other), t)) return(list(reason = "no_interval"))
  most <- c(to_event = sum(one$time > t | one$time == t & one$event == 0),
            to_no_event = sum(one$event == 1 & one$time <= t))
  for (k in seq_len(max(most))) {
    moved <- vapply(names(most), function(way)
      k <= most[[way]] && isTRUE(side(changed(one, t, k, way == "to_event")) != before), NA)
    if (any(moved)) return(list(estimate = k, level_code = if (sum(moved) == 1) names(most)[moved]))
  }
  list(reason = "cannot_be_moved")
}

fragility <- function(of, one, other, window) {
  t <- THREE_YEARS
  of <- c(of, list(cohort = one$cohort[1], comparator = other$cohort[1], time_days = t))
  found <- fewest_changes(one, other, t)
  if (is.null(found$reason)) found$reason <- reason_at(list(one, other), t, window)
  do.call(tell_of, c(list(of, "fragility"), found))
  tell_of(of, "fragility_lost", numerator = sum(one$time < t & one$event == 0))
}

head_of <- function(of, d, times, has_cut_off = TRUE) {
  groups <- by_group(d)
  window <- windows_of(groups, is_randomised = !has_cut_off)
  for (k in names(groups)) {
    here <- c(of, list(cohort = k))
    tell_of(here, "n", numerator = nrow(groups[[k]]))
    tell_of(here, "events", numerator = sum(groups[[k]]$event))
    if (has_cut_off) completeness(here, groups[[k]])
  }
  tell_windows(of, window)
  d$group <- factor(d$cohort, names(groups))
  tests(of, if (window$unequal) cut_at(d, window$common) else d)
  reference <- groups[[1]]
  values <- lapply(groups, survival_values, times)
  for (other in names(groups)[-1]) {
    pair <- c(of, list(cohort = other, comparator = names(groups)[1]))
    differences(pair, "survival_difference", list(reference, groups[[other]]),
                values[c(names(groups)[1], other)], times, window)
    fragility(of, reference, groups[[other]], window)
    fragility(of, groups[[other]], reference, window)
  }
}

differences <- function(of, statistic, groups, values, times, window) {
  d <- mover(values[[1]], values[[2]])
  for (i in seq_along(times))
    tell_three(of, statistic, d[, i], time_days = times[i], reason = reason_at(groups, times[i], window))
}

# ---------------------------------------------------------------- the parts

curve <- function(of, statistic, g, value, times)
  for (i in seq_along(times))
    tell_three(of, statistic, value[, i], time_days = times[i], reason = reason_at(list(g), times[i]))

endpoint_part <- function(of, d, states = 1) {
  groups <- by_group(d)
  values <- lapply(groups, function(g)
    if (states > 1) state_values(g, YEARS, 1, states) else survival_values(g, YEARS))
  for (k in names(groups)) {
    here <- c(of, list(cohort = k))
    tell_of(here, "endpoint_n", numerator = nrow(groups[[k]]))
    tell_of(here, "endpoint_events", numerator = sum(groups[[k]]$event))
    curve(here, "endpoint_value", groups[[k]], values[[k]], YEARS)
  }
  if (length(groups) == 2)
    differences(c(of, list(cohort = COHORTS[[2]], comparator = COHORTS[[1]])), "endpoint_difference",
                groups, values, YEARS, windows_of(groups))
}

# All times a day later: crr gives G(0-) as G(0). At this tolerance the search may end in rounding and
# call itself not converged: then one of a wider tolerance, that did, is its witness.
fine_gray <- function(d) {
  at <- function(tolerance) crr(d$time + 1, d$state, cbind(d$cohort == COHORTS[[2]]) * 1, failcode = 1,
                                gtol = tolerance, maxiter = 50)
  fit <- at(1e-12); witness <- at(1e-9)
  stopifnot(witness$converged, abs(fit$coef - witness$coef) < 1e-7)
  list(coef = fit$coef, se = sqrt(fit$var[1, 1]))
}

competing <- function(of, d) {
  groups <- by_group(d)
  window <- windows_of(groups)
  tell_windows(of, window)
  for (k in names(groups)) completeness(c(of, list(cohort = k)), groups[[k]])
  if (length(groups) == 2) compare_states(c(of, list(cohort = COHORTS[[2]], comparator = COHORTS[[1]])),
                                          if (window$unequal) cut_at(d, window$common) else d)
}

compare_states <- function(of, d) {
  test <- cuminc(d$time, d$state, d$cohort)$Tests["1", ]
  tell_of(of, "gray_chi_square", estimate = test[["stat"]],
          p_value = pchisq(test[["stat"]], test[["df"]], lower.tail = FALSE))
  fit <- fine_gray(d)
  half <- qnorm(0.975) * fit$se
  tell_three(of, "subdistribution_hazard_ratio", num(exp(fit$coef + c(0, -half, half))),
             p_value = num(2 * pnorm(-abs(fit$coef / fit$se))))
}

level_of <- function(state) if (state == 0) "no_event" else as.character(state)

states_at <- function(of, statistic, g, states) for (k in 0:states)
  curve(c(of, list(level_code = level_of(k))), statistic, g, state_values(g, YEARS, k, states), YEARS)

components_part <- function(of, d) for (g in by_group(d)) {
  here <- c(of, list(cohort = g$cohort[1]))
  states_at(here, "component", g, 5)
  for (t in c(YEARS, NA)) for (k in 0:5) {
    came <- g$state > 0 & (is.na(t) | g$time <= t)
    tell_of(here, "component_count", time_days = t, level_code = level_of(k),
            numerator = if (k == 0) sum(!came) else sum(came & g$state == k), denominator = nrow(g))
  }
}

mrd_before_transplant <- function(lines, x) {
  found <- at_timepoint(lines, TIMEPOINTS$before_transplant, x, mrd_samples(x))
  class <- found[["mrd_1e-4"]]
  ifelse(class %in% "negative", "negative",
         ifelse(class %in% c("positive", "indeterminate"), "not_negative", "not_known"))
}

bridge_curve <- function(of, g) {
  tell_of(of, "bridge_n", numerator = nrow(g))
  tell_of(of, "bridge_events", numerator = sum(g$event))
  if (nrow(g) > 0) curve(of, "bridge_survival", g, survival_values(g, YEARS), YEARS)
}

bridge_part <- function(population, reach, after) {
  for (g in by_group(reach))
    states_at(list(population = population, endpoint = "to_transplant", cohort = g$cohort[1]),
              "bridge_incidence", g, 3)
  for (g in by_group(after)) {
    of <- list(population = population, endpoint = "os_transplant", cohort = g$cohort[1])
    bridge_curve(of, g)
    for (class in c("negative", "not_negative", "not_known"))
      bridge_curve(c(of, list(timepoint_code = "before_transplant", level_code = class)), g[g$mrd == class, ])
  }
}

# ---------------------------------------------------------------- everything

allrez_page <- function(d, population) {
  d <- d[order(match(d$cohort, COHORTS)), ]
  for (code in names(PAGE)) {
    of <- list(population = population, endpoint = code)
    times <- times_of(d, PAGE[[code]])
    head_of(of, times, YEARS); endpoint_part(of, times)
  }
  for (code in names(COMPETING)) {
    of <- list(population = population, endpoint = code)
    times <- times_of(d, COMPETING[[code]])
    endpoint_part(of, times, 3)
    competing(of, times)
  }
  components_part(list(population = population, endpoint = "states"), times_of(d, EVERYBODY))
  after <- times_of(d, PAGE$os_transplant)
  after$mrd <- d$mrd[match(after$case_id, d$case_id)]
  bridge_part(population, times_of(d, COMPETING$to_transplant), after)
}

example <- function(name) read.csv(file.path("etl/examples", paste0(name, ".csv")), na.strings = c("", "NA"))

# Days of the events, NA if none, and the day of censoring. Sorted by cohort, the reference first.
curve_rows <- function(cohort, order, day, censor) {
  d <- data.frame(cohort = cohort, time = ifelse(is.na(day), censor, day), event = as.integer(!is.na(day)))
  d$state <- d$event
  d[order(match(d$cohort, order)), ]
}

colon_page <- function() {
  both <- example("colon")
  death <- both[both$etype == 2, ]; recurrence <- both[both$etype == 1, ]
  recurrence <- recurrence[match(death$id, recurrence$id), ]
  arm <- c(Obs = "obs", Lev = "lev", "Lev+5FU" = "lev5fu")[death$rx]
  died <- ifelse(death$status == 1, death$time, NA); recurred <- ifelse(recurrence$status == 1, recurrence$time, NA)
  order <- c("obs", "lev", "lev5fu")
  head_of(list(population = "colon", endpoint = "os"), curve_rows(arm, order, died, death$time), FIVE, FALSE)
  head_of(list(population = "colon", endpoint = "rfs"),
          curve_rows(arm, order, pmin(died, recurred, na.rm = TRUE), recurrence$time), FIVE, FALSE)
}

myeloid_page <- function() {
  m <- example("myeloid")
  arm <- tolower(m$trt); died <- ifelse(m$death == 1, m$futime, NA)
  first <- pmin(died, m$rltime, na.rm = TRUE)
  tell_head <- function(code, day, censor, who = TRUE)
    head_of(list(population = "myeloid", endpoint = code),
            curve_rows(arm[who], c("a", "b"), day[who], censor[who]), FIVE, FALSE)
  tell_head("os", died, m$futime); tell_head("efs", first, m$futime)
  tell_head("rfs", first - m$crtime, m$futime - m$crtime, !is.na(m$crtime))
}

survival_page <- function(x) {
  lines <- lines_of(x, baseline(x$patients))
  first <- with_days(with_response(lines[lines$primary & lines$kind == "first_relapse", ], x), x)
  first$mrd <- mrd_before_transplant(first, x)
  allrez_page(first, "all")
  allrez_page(first[first$risk_group %in% "high", ], "default")
  colon_page(); myeloid_page()
}

page_main <- function(arguments) {
  made <- if (length(arguments) > 1) as.integer(arguments[2:3]) else c(300L, 20140L)
  survival_page(read_export(arguments[1]))
  writeLines(c(
    sprintf('{"made_from": {"patients": %d, "seed": %d, "sha256": {%s}},', made[1], made[2],
            sha256(arguments[1])),
    sprintf('"about": {"R": "%s", "survival": "%s", "cmprsk": "%s", "made_by": "Rscript tests/oracle/survival_page.R"},',
            R.version.string, packageVersion("survival"), packageVersion("cmprsk")),
    '"numbers": [', paste(vapply(records$rows[seq_len(records$n)], record_json, ""), collapse = ",\n"), "]}"))
}

if (sys.nframe() == 0) page_main(commandArgs(trailingOnly = TRUE))
