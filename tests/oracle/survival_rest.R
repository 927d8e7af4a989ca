# The oracle of the survival page, third part: what survival_page.R and survival_compared.R leave out.
# R with survival, cmprsk; written from the definitions, not from the Python. Reads a demo export as
# they do.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk
# Run in the project's root:
#   Rscript tests/oracle/survival_rest.R FOLDER [PATIENTS SEED] | gzip -9n > tests/oracle/survival_rest.json.gz
#
# Keys of a record, and reasons, as in survival_compared.R; measure_code too. Values of fewer than 10
# patients are given here, though no page shows them. Populations: all, default; of the crude
# comparison within strata also female, under_6, combined, who are too few to adjust.
#
# Endpoints
#   day_0_proportion       numerator of denominator, Wilson: who has the event on day 0; endpoints in
#                          which anybody has
#   survival_after_day_0   at the study's times, of all others; denominator: these
#   endpoint_left_out      numerator of denominator: without the endpoint's time zero (level_code =
#                          without_origin); where there is anybody
# Components: level_code = number of the state | no_event; measure_code = alive | dead after the event,
# left out for no_event and for the two states that are deaths
#   component_after        by time_days. dead: Aalen-Johansen of death after the event, from survival
#                          times, deaths after other events competing; alive: that of the event less
#                          it. numerator of denominator: known so by then
# Bridge
#   bridge_count           numerator of denominator; level_code = reached (first, of all) | followed (of
#                          those: with a survival from it in this line) | followed_only (of those with
#                          a survival from it: another event came first)
#   bridge_wait            days from remission to transplant of those who reached it after one
#                          (denominator); level_code = lower_quartile | median | upper_quartile
#   bridge_incidence       at half a year, level_code as in survival_page.R
#   bridge_incidence_difference   level_code = 1; half a year and the study's times; MOVER
#   bridge_survival_difference    of the cohorts; and within a cohort with level_code = not_negative and
#                          comparator = negative: MRD before transplant
# Fair, by endpoint
#   covariate_count        numerator of denominator: all patients by characteristic_code and level_code
#   covariate_weighted     estimate: share of the weights (measure_code = overlap | newer), without
#                          the levels that only one cohort has
#   propensity_count       numerator of denominator: those used, by probability of the newer cohort,
#                          level_code = from_P_percent, ten percent each
#   stratified_log_rank_chi_square, stratified_hazard_ratio   crude, by strategic_group, missing a
#                          stratum; where follow-up is unequal cut at the common window (time_days)
# Era: item_code = year_Y | all_years
#   era_count, era_level, era_transplant, era_block   of all years, as in survival_compared.R
#   era_mrd_samples        numerator of denominator: samples that stand for a time point of a line, one
#                          that stands for several once; level_code = method
#   era_mrd_limit_mean, era_mrd_limit_median   geometric mean and median of their limits of detection,
#                          the study's for flow without one; denominator: with a limit
# Subgroups: cells as in survival_compared.R, of every characteristic; reason nobody: of this cohort
#   subgroup_value         S at 3 years;  subgroup_mean   restricted mean to the one tau
#   subgroup_events        numerator of denominator; item_code = hazard_ratio (by the common window where
#                          follow-up is unequal), difference (by 3 years), rmst (by tau)
source("tests/oracle/survival_compared.R")

KEYS <- c(KEYS, "measure_code")
HALF_YEAR <- 365.25 / 2
DEATHS <- c(2, 4)  # states of everybody that are deaths

# ---------------------------------------------------------------- endpoints

day_0_part <- function(of, d) {
  if (!any(d$time == 0 & d$event == 1)) return()
  for (g in by_group(d)) {
    here <- c(of, list(cohort = g$cohort[1]))
    failed <- g$time == 0 & g$event == 1
    limits <- wilson(sum(failed), nrow(g))
    tell_of(here, "day_0_proportion", time_days = 0, estimate = mean(failed), lower = limits[1],
            upper = limits[2], numerator = sum(failed), denominator = nrow(g))
    others <- g[!failed, ]
    value <- survival_values(others, YEARS)
    for (i in seq_along(YEARS))
      tell_three(here, "survival_after_day_0", value[, i], time_days = YEARS[i],
                 denominator = nrow(others), reason = reason_at(list(others), YEARS[i]))
  }
}

left_out_part <- function(of, d, origin) for (g in by_group(d)) {
  missing <- sum(is.na(g[[origin]]))
  if (missing) tell_of(c(of, list(cohort = g$cohort[1])), "endpoint_left_out",
                       level_code = "without_origin", numerator = missing, denominator = nrow(g))
}

endpoints_part <- function(population, d) for (code in c(names(PAGE), names(COMPETING))) {
  of <- list(population = population, endpoint = code)
  left_out_part(of, d, c(PAGE, COMPETING)[[code]]$origin)
  if (code %in% names(PAGE)) day_0_part(of, times_of(d, PAGE[[code]]))
}

# ---------------------------------------------------------------- components

# first: rows of the states; life: of the same patients, to death.
after_at <- function(of, first, life, t) {
  here <- c(of, list(time_days = t, denominator = nrow(first)))
  causes <- transform(life, state = ifelse(event == 1, first$state, 0))
  came <- function(k) first$state == k & first$time <= t
  gone <- life$event == 1 & life$time <= t
  reason <- c(reason_at(list(first), t), reason_at(list(life), t))
  tell_share <- function(k, estimate, who, measure = NULL)
    tell_of(here, "component_after", level_code = level_of(k), measure_code = measure,
            estimate = estimate, numerator = sum(who), reason = reason[1])
  tell_share(0, state_values(first, t, 0, 5)[1], first$state == 0 | first$time > t)
  for (k in 1:5) {
    event <- state_values(first, t, k, 5)[1]
    if (k %in% DEATHS) { tell_share(k, event, came(k)); next }
    dead <- state_values(causes, t, k, 5)[1]
    tell_share(k, event - dead, came(k) & !gone, "alive")
    tell_share(k, dead, came(k) & gone, "dead")
  }
}

after_part <- function(population, d) for (g in by_group(d)) {
  first <- times_of(g, EVERYBODY); life <- times_of(g, PAGE$os)
  # Every death has an event, on its day or before.
  stopifnot(first$case_id == life$case_id, life$event == 0 | first$state > 0 & first$time <= life$time)
  of <- list(population = population, endpoint = "states", cohort = g$cohort[1])
  for (t in YEARS) after_at(of, first, life, t)
}

# ---------------------------------------------------------------- bridge

# reach: rows of the endpoint to_transplant of the lines g.
bridge_counts <- function(of, g, reach) {
  reached <- reach$case_id[reach$state == 1]
  followed <- times_of(g, PAGE$os_transplant)$case_id
  tell_count <- function(level, who, of_whom) tell_of(of, "bridge_count", level_code = level,
                                                      numerator = length(who), denominator = length(of_whom))
  tell_count("reached", reached, reach$case_id)
  tell_count("followed", intersect(reached, followed), reached)
  tell_count("followed_only", setdiff(followed, reached), followed)
}

bridge_waits <- function(of, g, reach) {
  reached <- reach[reach$state == 1, ]
  days <- reached$time + reached$origin - g$remission[match(reached$case_id, g$case_id)]
  days <- days[!is.na(days) & days >= 0]
  found <- quantile(days, c(lower_quartile = 0.25, median = 0.5, upper_quartile = 0.75), names = FALSE)
  for (i in 1:3) tell_of(of, "bridge_wait", level_code = c("lower_quartile", "median", "upper_quartile")[i],
                         estimate = found[i], denominator = length(days))
}

mrd_differences <- function(of, after) {
  groups <- list(after[after$mrd == "negative", ], after[after$mrd == "not_negative", ])
  if (all(vapply(groups, nrow, 0L) > 0))
    differences(c(of, list(comparator = "negative", level_code = "not_negative",
                           timepoint_code = "before_transplant")),
                "bridge_survival_difference", groups, lapply(groups, survival_values, YEARS), YEARS, NULL)
}

bridge_part_rest <- function(population, d) {
  reach <- times_of(d, COMPETING$to_transplant); after <- times_of(d, PAGE$os_transplant)
  after$mrd <- d$mrd[match(after$case_id, d$case_id)]
  of <- function(code) list(population = population, endpoint = code)
  for (k in COHORTS) {
    here <- c(of("to_transplant"), list(cohort = k))
    g <- d[d$cohort == k, ]; rows <- reach[reach$cohort == k, ]
    bridge_counts(here, g, rows); bridge_waits(here, g, rows)
    for (state in 0:3)
      curve(c(here, list(level_code = level_of(state))), "bridge_incidence", rows,
            state_values(rows, HALF_YEAR, state, 3), HALF_YEAR)
    mrd_differences(c(of("os_transplant"), list(cohort = k)), after[after$cohort == k, ])
  }
  times <- c(HALF_YEAR, YEARS)
  both <- by_group(reach)
  differences(pair_of(c(of("to_transplant"), list(level_code = "1"))), "bridge_incidence_difference", both,
              lapply(both, state_values, times, 1, 3), times, windows_of(both))
  both <- by_group(after)
  differences(pair_of(of("os_transplant")), "bridge_survival_difference", both,
              lapply(both, survival_values, YEARS), YEARS, windows_of(both))
}

# ---------------------------------------------------------------- fair

covariate_counts <- function(of, rows) for (v in COVARIATES) for (level in unique(rows[[v]])) for (k in COHORTS)
  tell_of(c(of, list(cohort = k)), "covariate_count", characteristic_code = v, level_code = level,
          numerator = sum(rows$cohort == k & rows[[v]] == level), denominator = sum(rows$cohort == k))

propensity_part <- function(of, used, e) for (k in COHORTS) {
  here <- c(of, list(cohort = k)); mine <- used$cohort == k
  for (ten in 0:9)
    tell_of(here, "propensity_count", level_code = sprintf("from_%d_percent", 10 * ten),
            numerator = sum(mine & pmin(9, floor(10 * e)) == ten), denominator = sum(mine))
  for (target in c("overlap", "newer")) {
    w <- weights_of(e, used$newer, target)[mine]
    for (v in COVARIATES) for (level in unique(used[[v]]))
      tell_of(here, "covariate_weighted", characteristic_code = v, level_code = level,
              measure_code = target, estimate = sum(w[used[mine, v] == level]))
  }
}

fair_rest <- function(population, d, is_adjusted) for (code in c("efs", "os")) {
  of <- list(population = population, endpoint = code)
  rows <- with_baseline(times_of(d, PAGE[[code]]), d, c(COVARIATES, "strategic_group"))
  covariate_counts(of, rows)
  if (is_adjusted) {
    used <- rows[in_both(rows), ]
    propensity_part(of, used, propensity(used)$e)
    next
  }
  window <- windows_of(by_group(rows))
  rows$stratum <- rows$strategic_group
  here <- c(of, list(characteristic_code = "strategic_group"),
            if (window$unequal) list(time_days = window$common))
  stratified_part(pair_of(here), if (window$unequal) cut_at(rows, window$common) else rows)
}

# ---------------------------------------------------------------- era

# The samples that stand for a time point of the lines, each once, with the year of the enrollment.
standing_samples <- function(d, x) {
  samples <- mrd_samples(x)
  of_point <- function(point) do.call(rbind, lapply(seq_len(nrow(d)), function(i) {
    ends <- sampling_window(d[i, ], point, x)
    s <- samples[samples$case_id == d$case_id[i] & samples$sample >= ends[1] & samples$sample <= ends[2], ]
    if (is.finite(ends[2]) && nrow(s))
      data.frame(s[nrow(s), c("case_id", "sample", "method", "lod")], year = format(d$day_0[i], "%Y"))
  }))
  unique(do.call(rbind, lapply(TIMEPOINTS, of_point)))
}

era_limits <- function(of, s) {
  for (method in sort(unique(s$method)))
    tell_of(of, "era_mrd_samples", level_code = tolower(method), numerator = sum(s$method == method),
            denominator = nrow(s))
  lod <- as.numeric(s$lod[!is.na(s$lod)])
  tell_of(of, "era_mrd_limit_mean", estimate = exp(mean(log(lod))), denominator = length(lod))
  tell_of(of, "era_mrd_limit_median", estimate = median(lod), denominator = length(lod))
}

era_rest <- function(population, d, x) for (k in COHORTS) {
  of <- function(item) list(population = population, cohort = k, item_code = item)
  era_patients(of("all_years"), d[d$cohort == k, ])
  s <- standing_samples(d[d$cohort == k, ], x)
  era_limits(of("all_years"), s)
  for (year in sort(unique(s$year))) era_limits(of(paste0("year_", year)), s[s$year == year, ])
}

# ---------------------------------------------------------------- subgroups

subgroup_cell <- function(of, g, tau, window) {
  tell_cell <- function(statistic, time, values)
    tell_three(of, statistic, if (nrow(g)) values() else rep(NA, 3), time_days = time, denominator = nrow(g),
               reason = if (nrow(g)) reason_at(list(g), time) else "nobody")
  tell_cell("subgroup_value", THREE_YEARS, function() survival_values(g, THREE_YEARS)[, 1])
  tell_cell("subgroup_mean", tau, function() { m <- restricted_mean(g, tau); around(m[1], m[2])[1:3] })
  ends <- c(hazard_ratio = if (window$unequal) window$common else NA, difference = THREE_YEARS, rmst = tau)
  for (scale in names(ends)) {
    by <- if (is.na(ends[[scale]])) Inf else ends[[scale]]
    tell_of(of, "subgroup_events", item_code = scale, time_days = ends[[scale]],
            numerator = sum(g$event == 1 & g$time <= by), denominator = nrow(g))
  }
}

subgroups_rest <- function(population, d) for (code in c("efs", "os")) {
  rows <- with_baseline(times_of(d, PAGE[[code]]), d, names(CHARACTERISTICS))
  tau <- tau_for(by_group(rows)); window <- windows_of(by_group(rows))
  for (k in COHORTS) {
    of <- list(population = population, endpoint = code, cohort = k)
    g <- rows[rows$cohort == k, ]
    subgroup_cell(of, g, tau, window)
    for (v in names(CHARACTERISTICS)) for (level in unique(rows[[v]]))
      subgroup_cell(c(of, list(characteristic_code = v, level_code = level)), g[g[[v]] == level, ], tau, window)
  }
}

# ---------------------------------------------------------------- everything

rest_page <- function(x) {
  first <- first_lines(x)
  first$mrd <- mrd_before_transplant(first, x)
  for (population in c("all", "default")) {
    d <- if (population == "all") first else first[first$risk_group %in% "high", ]
    endpoints_part(population, d); after_part(population, d); bridge_part_rest(population, d)
    fair_rest(population, d, TRUE); era_rest(population, d, x); subgroups_rest(population, d)
  }
  few <- list(female = first$sex %in% "female", under_6 = first$age %in% "under_6",
              combined = first$site %in% "combined")
  for (population in names(few)) fair_rest(population, first[few[[population]], ], FALSE)
}

rest_main <- function(arguments) {
  made <- if (length(arguments) > 1) as.integer(arguments[2:3]) else c(300L, 20140L)
  rest_page(read_export(arguments[1]))
  writeLines(c(
    sprintf('{"made_from": {"patients": %d, "seed": %d, "sha256": {%s}},', made[1], made[2],
            sha256(arguments[1])),
    sprintf('"about": {"R": "%s", "survival": "%s", "made_by": "Rscript tests/oracle/survival_rest.R"},',
            R.version.string, packageVersion("survival")),
    '"numbers": [', paste(vapply(records$rows[seq_len(records$n)], record_json, ""), collapse = ",\n"), "]}"))
}

if (sys.nframe() == 0) rest_main(commandArgs(trailingOnly = TRUE))
