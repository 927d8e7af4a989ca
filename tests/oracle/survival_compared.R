# The oracle of the survival page, second half: split by what is known only later, fair comparison,
# era, subgroups. R with survival, cmprsk; written from the definitions, not from the Python. Reads a
# demo export as survival_page.R does, and the public example myeloid.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk
# Run in the project's root:
#   Rscript tests/oracle/survival_compared.R FOLDER [PATIENTS SEED] | gzip -9n > tests/oracle/survival_compared.json.gz
#
# Keys of a record as in survival_page.R; a record with a reason has R's numbers beside it where there
# are any. Values of fewer than 10 patients are given here too, though no page shows them. Reasons:
#   beyond_last_follow_up, beyond_common_window   as in survival_page.R
#   no_event               no hazard ratio: nobody of one of the two had the event
#   one_group              only one of the two has patients
#   never_enough_at_risk   no curves: never 10 at risk in both states after a day
#   after_last_patient     nobody was followed in this state until then
#   two_levels_needed      no test of interaction
#   no_interval            one of the levels has no standard error, so neither has the whole
#
# Later. cohort = its code or all (rows of all together); item_code = split/LEVEL, or split for what
# compares the second level with the first: transplant no, yes; cd3_by_day_8 no, yes;
# mrd_after_blina1 not_negative, negative, and not_known beside them: of the last sample of the time
# point up to day L. timepoint_code = day_L: L days from the endpoint's time zero. time_days counts from the landmark.
#   landmark_count         numerator; level_code = n | events | dropped_events | dropped_censored.
#                          Dropped: event or censored on or before L, in the level they had then
#   landmark_survival      log-log limits; exact ones if nobody or everybody had it uncensored before
#   landmark_difference    MOVER
#   landmark_hazard_ratio  Cox, Efron, Wald; _stratified: all, by cohort; _adjusted: cohort a covariate
# Time-dependent: intervals (start, stop]; who switches on the last day or later never did; who
# switched on or before day 0 did from the start; the last day 0 becomes 0.5.
#   time_dependent_count   numerator; level_code = rows | switched | events_after
#   time_dependent_hazard_ratio, _stratified, _adjusted, mantel_byar_chi_square
#   simon_makuch_start     estimate = day: the first after which 10 are at risk in both states
#   simon_makuch_survival  item_code = transplant/no | transplant/yes; time_days from the endpoint's
#                          time zero, denominator = at risk then
#
# Fair: cohort against comparator; item_code = crude (everybody) | crude_used (without the levels of one
# cohort only) | overlap | newer; these with _complete: only who has no covariate missing.
#   fair_count             numerator; level_code = n | used | left_out | inside (common support) |
#                          parameters (coefficients without the intercept)
#   fair_survival, fair_survival_difference, fair_rmst, fair_rmst_difference (time_days = tau)
#   fair_hazard_ratio, fair_e_value (lower = of the limit that is nearer to 1): weighted and robust,
#                          or crude; _cut: on follow-up cut at the common window of everybody, where
#                          follow-up is unequal
#   fair_smd               characteristic_code; fair_effective_n; fair_largest_weight (of a sum of 1)
#   fair_rule              level_code = enough_patients | enough_per_parameter | enough_support: 1 or
#                          0; of the weighted: balanced | enough_effective | no_heavy_weight
#   stratified_log_rank_chi_square, stratified_hazard_ratio   crude, everybody, by strategic_group,
#                          missing a stratum; _cut as above
#
# Era: item_code = year of the relapse; cohort.
#   era_count              numerator; era_level: numerator of denominator by characteristic_code
#   era_samples            numerator: marrow MRD samples with a result, failed ones too, of the line by
#                          its number; _by_day: taken while it ran; level_code = method
#   era_lod_median, era_lod_mean   of the samples with a recorded limit (numerator); level_code = method,
#                          left out: all. _assumed: flow without a limit has the study's; _by_day
#   era_transplant         Aalen-Johansen at day 365; era_block: numerator of denominator, Wilson
#
# Subgroups: 3 years. Without characteristic_code: overall. SCALE = hazard_ratio | difference | rmst |
# hazard_ratio_cut.
#   subgroup_n, subgroup_events   numerator by cohort; missing is a level
#   subgroup_tau           estimate: the one time of all restricted means
#   subgroup_hazard_ratio, subgroup_difference, subgroup_rmst   _cut of the hazard ratio as above
#   subgroup_SCALE_shrunken       levels other than missing; level_code = mean: of all, and tau2.
#                          item_code as of the interaction
#   interaction            estimate (chi-square), denominator = degrees of freedom, p_value; of the
#                          hazard ratio by likelihood ratio in strata of the levels, else Cochran's Q.
#                          numerator = levels compared: those with patients in both cohorts, not
#                          missing; item_code = SCALE, or SCALE/at_least_10: with 10 patients in both
source("tests/oracle/survival_page.R")

COVARIATES <- c("timing", "site", "genetics")
SUBGROUPS <- c("sex", "age", "timing", "site", "strategic_group", "genetics", "immunophenotype",
               "on_frontline", "first_block_elsewhere", "risk_group")
TIGHT <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 200)
Z <- qnorm(0.975)
MRD_DAYS <- c(42, 56)

with_missing <- function(x) ifelse(is.na(x), "missing", x)
pair_of <- function(of) c(of, list(cohort = COHORTS[[2]], comparator = COHORTS[[1]]))

# Estimate, lower, upper, p_value of the hazard ratio of a model's first covariate.
first_ratio <- function(fit) {
  s <- summary(fit)
  c(s$conf.int[1, c(1, 3, 4)], s$coefficients[1, "Pr(>|z|)"])
}
ratio_of <- function(formula, d) first_ratio(coxph(formula, data = d, control = TIGHT))

tell_ratio <- function(of, statistic, x)
  tell_three(of, statistic, num(x), p_value = num(x[4]))

# ---------------------------------------------------------------- later: landmark

# The columns: level at the landmark; order: the levels, the second compared with the first.
landmark_part <- function(of, d, split, day, order, times) {
  here <- function(item) c(of, list(item_code = item, timepoint_code = paste0("day_", day)))
  stopifnot(d$level %in% order)
  after <- d[d$time > day, ]
  after$time <- after$time - day
  groups <- lapply(order, function(k) after[after$level == k, ])
  for (i in seq_along(order))
    landmark_group(here(paste0(split, "/", order[i])), d[d$level == order[i], ], groups[[i]], day, times)
  landmark_compared(here(split), groups[1:2], times)
}

landmark_group <- function(of, all, kept, day, times) {
  counts <- c(n = nrow(kept), events = sum(kept$event),
              dropped_events = sum(all$time <= day & all$event == 1),
              dropped_censored = sum(all$time <= day & all$event == 0))
  for (k in names(counts)) tell_of(of, "landmark_count", level_code = k, numerator = counts[[k]])
  if (nrow(kept)) curve(of, "landmark_survival", kept, survival_values(kept, times), times)
}

landmark_compared <- function(of, groups, times) {
  if (any(!vapply(groups, nrow, 0L))) return(tell_of(of, "landmark_hazard_ratio", reason = "one_group"))
  differences(of, "landmark_difference", groups, lapply(groups, survival_values, times), times, NULL)
  d <- do.call(rbind, groups)
  d$state <- rep(0:1, vapply(groups, nrow, 0L))
  ratios(of, "landmark_hazard_ratio", Surv(time, event) ~ state, d)
}

# Of all cohorts together also within cohorts, and with the cohort as a covariate.
ratios <- function(of, statistic, formula, d) {
  if (length(unique(d$state[d$event == 1])) < 2) return(tell_of(of, statistic, reason = "no_event"))
  tell_ratio(of, statistic, ratio_of(formula, d))
  if (length(unique(d$cohort)) < 2) return()
  tell_ratio(of, paste0(statistic, "_stratified"), ratio_of(update(formula, . ~ . + strata(cohort)), d))
  tell_ratio(of, paste0(statistic, "_adjusted"), ratio_of(update(formula, . ~ . + cohort), d))
}

# ---------------------------------------------------------------- later: time-dependent

# One or two rows a patient: (start, stop], state, event.
in_states <- function(d) {
  never <- is.na(d$switch) | d$switch >= d$time
  d$stop <- ifelse(d$time == 0, 0.5, d$time)
  before <- transform(d[never | d$switch > 0, ], start = 0, state = 0)
  split <- !never[never | d$switch > 0]
  before$stop[split] <- before$switch[split]; before$event[split] <- 0
  after <- d[!never, ]
  after <- transform(after, start = pmax(0, after$switch), state = rep(1, nrow(after)))
  p <- rbind(before, after)
  stopifnot(p$start < p$stop, sum(p$event) == sum(d$event), sum(p$stop - p$start) == sum(pmax(d$time, 0.5)))
  p
}

# Mantel & Byar: observed less expected events of the switched, over all days of events.
mantel_byar <- function(p) {
  parts <- vapply(unique(p$stop[p$event == 1]), function(u) {
    r <- p[p$start < u & p$stop >= u, ]
    n <- nrow(r); n1 <- sum(r$state); events <- r$event == 1 & r$stop == u; m <- sum(events)
    c(sum(events & r$state == 1) - m * n1 / n,
      if (n > 1) m * n1 * (n - n1) * (n - m) / (n^2 * (n - 1)) else 0)
  }, c(0, 0))
  sum(parts[1, ])^2 / sum(parts[2, ])
}

# The first day of a switch after which enough are at risk in both states; a start in the half day of
# the day-0 events comes after them.
first_day_of_both <- function(p) {
  days <- sort(unique(c(0, p$start[p$state == 1])))
  at_risk <- function(k, u) sum(p$start <= u & p$stop > max(u, 0.5) & p$state == k)
  enough <- vapply(days, function(u) min(at_risk(0, u), at_risk(1, u)) >= AT_LEAST, NA)
  days[enough][1]
}

simon_makuch <- function(of, p, times) {
  first <- first_day_of_both(p)
  tell_of(of, "simon_makuch_start", estimate = first, item_code = "transplant",
          reason = if (is.na(first)) "never_enough_at_risk")
  if (is.na(first)) return()
  p <- p[p$stop > max(first, 0.5), ]
  p$start <- pmax(p$start, first)
  for (k in 0:1) simon_makuch_curve(c(of, list(item_code = c("transplant/no", "transplant/yes")[k + 1])),
                                    p[p$state == k, ], times[times >= first])
}

simon_makuch_curve <- function(of, g, times) {
  fit <- survfit(Surv(start, stop, event) ~ 1, data = g, conf.type = "log-log")
  at <- summary(fit, times = times, extend = TRUE)
  for (i in seq_along(times))
    tell_three(of, "simon_makuch_survival", num(c(at$surv[i], at$lower[i], at$upper[i])),
               time_days = times[i], denominator = sum(g$start < times[i] & g$stop >= times[i]),
               reason = if (times[i] > max(g$stop)) "after_last_patient")
}

time_dependent_part <- function(of, d, times) {
  p <- in_states(d)
  here <- c(of, list(item_code = "transplant"))
  counts <- c(rows = nrow(p), switched = sum(p$state), events_after = sum(p$event[p$state == 1]))
  for (k in names(counts)) tell_of(here, "time_dependent_count", level_code = k, numerator = counts[[k]])
  ratios(here, "time_dependent_hazard_ratio", Surv(start, stop, event) ~ state, p)
  if (counts[["switched"]] > 0) {
    chi <- mantel_byar(p)
    tell_of(here, "mantel_byar_chi_square", estimate = chi, p_value = pchisq(chi, 1, lower.tail = FALSE))
  }
  simon_makuch(of, p, times)
}

# ---------------------------------------------------------------- later: the splits

# f(keys, rows): of each cohort, and of all together.
each_and_all <- function(of, d, f) {
  for (g in by_group(d)) f(c(of, list(cohort = g$cohort[1])), g)
  f(c(of, list(cohort = "all")), d)
}

yes_no <- function(is) ifelse(is, "yes", "no")

# d: rows with switch, the day from the endpoint's time zero, NA if never.
transplant_split <- function(of, d, days, times) each_and_all(of, d, function(of, g) {
  for (day in days) {
    g$level <- yes_no(!is.na(g$switch) & g$switch <= pmin(day, g$time))
    landmark_part(of, g, "transplant", day, c("no", "yes"), times)
  }
  time_dependent_part(of, g, times)
})

# The class of the last sample of the time point that was known on a day, counted from the first day of
# blinatumomab; NA if there is none.
mrd_known_by <- function(d, day, x) {
  samples <- mrd_samples(x)
  vapply(seq_len(nrow(d)), function(i) {
    ends <- sampling_window(d[i, ], TIMEPOINTS$after_blina1, x)
    known <- samples[samples$case_id == d$case_id[i] & samples$sample >= ends[1] &
                       samples$sample <= min(ends[2], d$blina[i] + day), ]
    if (nrow(known)) mrd_class(known[nrow(known), ], 1e-4) else NA_character_
  }, "")
}

# The first infusion of cells in the line, from the first day of blinatumomab on: the child's own, or of
# a source that is not known; a donor's do not count.
with_cells <- function(d, x) {
  i <- x$infusions[x$infusions$kind == "CD3" & !x$infusions$cell_source %in% "donor", ]
  d$cells <- vapply(seq_len(nrow(d)), function(r) first_day(i$start[
    i$case_id == d$case_id[r] & i$line_number == d$line_number[r] & i$start >= d$blina[r]]), 0)
  d
}

from_origin <- function(rows, d, column) d[[column]][match(rows$case_id, d$case_id)] - rows$origin

blina_splits <- function(of, d, x) {
  rows <- times_of(d, PAGE$os_blina)
  rows$cells <- from_origin(rows, d, "cells")
  lines <- d[match(rows$case_id, d$case_id), ]
  for (day in MRD_DAYS) rows[[paste0("mrd_", day)]] <- mrd_known_by(lines, day, x)
  each_and_all(of, rows, function(of, g) {
    for (day in MRD_DAYS) {
      class <- g[[paste0("mrd_", day)]]
      known <- !is.na(class) & class != "not_evaluable"
      g$level <- ifelse(!known, "not_known", ifelse(class == "negative", "negative", "not_negative"))
      landmark_part(of, g, "mrd_after_blina1", day, c("not_negative", "negative", "not_known"), YEARS)
    }
    g$level <- yes_no(!is.na(g$cells) & g$cells <= 8)
    landmark_part(of, g, "cd3_by_day_8", 8, c("no", "yes"), YEARS)
  })
}

later_part <- function(d, population, x) {
  for (code in c("rfs", "os")) {
    rows <- times_of(d, PAGE[[code]])
    rows$switch <- pmax(0, from_origin(rows, d, "transplant"))
    transplant_split(list(population = population, endpoint = code), rows, c(90, 120, 180), YEARS)
  }
  blina_splits(list(population = population, endpoint = "os_blina"), d, x)
}

myeloid_later <- function() {
  m <- example("myeloid")
  died <- ifelse(m$death == 1, m$futime, NA)
  rows <- function(day, origin) {
    d <- data.frame(cohort = tolower(m$trt), time = ifelse(is.na(day), m$futime, day) - origin,
                    event = as.integer(!is.na(day)), switch = pmax(0, m$txtime - origin))
    d$state <- d$event
    d[order(d$cohort), ][!is.na(origin[order(d$cohort)]), ]
  }
  of <- function(code) list(population = "myeloid", endpoint = code)
  transplant_split(of("os"), rows(died, 0 * m$id), c(90, 180), FIVE)
  transplant_split(of("rfs"), rows(pmin(died, m$rltime, na.rm = TRUE), m$crtime), c(90, 180), FIVE)
}

# ---------------------------------------------------------------- fair: weights

# Levels that only one cohort has go, again and again until both have each that is left.
in_both <- function(d) {
  kept <- rep(TRUE, nrow(d))
  repeat {
    gone <- rep(FALSE, nrow(d))
    for (v in COVARIATES) for (k in unique(d[[v]]))
      if (length(unique(d$cohort[kept & d[[v]] == k])) == 1) gone <- gone | kept & d[[v]] == k
    if (!any(gone)) return(kept)
    kept <- kept & !gone
  }
}

# e: the probability of the newer cohort. An aliased coefficient is no parameter.
propensity <- function(d) {
  used <- COVARIATES[vapply(COVARIATES, function(v) length(unique(d[[v]])) > 1, NA)]
  formula <- if (length(used)) reformulate(used) else ~ 1
  b <- coef(glm(update(formula, newer ~ .), binomial, d))
  X <- model.matrix(formula, d)[, !is.na(b), drop = FALSE]
  fit <- glm(d$newer ~ X - 1, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100))
  list(e = unname(fitted(fit)), parameters = ncol(X) - 1)
}

# Each cohort's weights add to 1.
weights_of <- function(e, newer, target) {
  w <- switch(target, overlap = ifelse(newer == 1, 1 - e, e), newer = ifelse(newer == 1, 1, e / (1 - e)))
  w / ave(w, newer, FUN = sum)
}

weighted_smd <- function(d, w, v) {
  shares <- lapply(0:1, function(k) tapply(w * (d$newer == k), d[[v]], sum) / sum(w[d$newer == k]))
  standardized_difference(shares[[1]], shares[[2]])
}

inside_support <- function(e, newer) {
  ends <- c(max(tapply(e, newer, min)), min(tapply(e, newer, max)))
  e >= ends[1] - 1e-9 & e <= ends[2] + 1e-9
}

# ---------------------------------------------------------------- fair: outcomes

area <- function(day, height, tau, before = 1) {
  inside <- day < tau
  sum(diff(c(0, day[inside], tau)) * c(before, height[inside]))
}

# survival: rows estimate, lower, upper; rmst: mean and standard error. w NULL: crude.
outcome <- function(g, w, tau) {
  if (is.null(w)) return(list(survival = survival_values(g, YEARS), rmst = restricted_mean(g, tau)))
  fit <- survfit(Surv(time, event) ~ 1, data = g, weights = w, cluster = seq_along(w), robust = TRUE,
                 conf.type = "log-log", influence = 1)
  at <- summary(fit, times = YEARS, extend = TRUE)
  moved <- apply(fit$influence.surv, 1, function(x) area(fit$time, x, tau, 0))
  list(survival = rbind(num(at$surv), num(at$lower), num(at$upper)),
       rmst = c(area(fit$time, fit$surv, tau), sqrt(sum(moved^2))))
}

around <- function(x, se) c(x, x - Z * se, x + Z * se, 2 * pnorm(-abs(x / se)))

# VanderWeele & Ding 2017; a common outcome: more than 15 % have it.
e_value <- function(x, common) {
  of <- function(r) {
    if (common) r <- (1 - 0.5^sqrt(r)) / (1 - 0.5^sqrt(1 / r))
    r <- max(r, 1 / r)
    r + sqrt(r * (r - 1))
  }
  crosses <- x[2] <= 1 && x[3] >= 1
  c(of(x[1]), if (crosses) 1 else of(if (x[2] > 1) x[2] else x[3]))
}

tell_hazard <- function(of, d, w, suffix = "") {
  x <- if (is.null(w)) ratio_of(Surv(time, event) ~ newer, d) else {
    d$.w <- w * nrow(d) / 2; d$.id <- seq_along(w)
    first_ratio(coxph(Surv(time, event) ~ newer, data = d, weights = .w, cluster = .id, robust = TRUE,
                      control = TIGHT))
  }
  tell_ratio(of, paste0("fair_hazard_ratio", suffix), x)
  e <- e_value(x, mean(d$event) > 0.15)
  tell_of(of, paste0("fair_e_value", suffix), estimate = e[1], lower = e[2])
}

tell_outcomes <- function(of, d, w, tau, window) {
  groups <- by_group(d)
  found <- lapply(0:1, function(k) outcome(groups[[k + 1]], w[d$newer == k], tau))
  for (i in 1:2) {
    here <- c(of, list(cohort = COHORTS[[i]]))
    curve(here, "fair_survival", groups[[i]], found[[i]]$survival, YEARS)
    m <- found[[i]]$rmst
    tell_three(here, "fair_rmst", around(m[1], m[2]), time_days = tau)
  }
  pair <- pair_of(of)
  differences(pair, "fair_survival_difference", groups, lapply(found, `[[`, "survival"), YEARS, window)
  a <- found[[1]]$rmst; b <- found[[2]]$rmst
  x <- around(b[1] - a[1], sqrt(a[2]^2 + b[2]^2))
  tell_three(pair, "fair_rmst_difference", x, p_value = x[4], time_days = tau)
  tell_hazard(pair, d, w)
  if (window$unequal) tell_hazard(pair, cut_at(d, window$common), w, "_cut")
}

tell_balance <- function(of, d, w) {
  smd <- vapply(COVARIATES, function(v) weighted_smd(d, w, v), 0)
  for (v in COVARIATES) tell_of(pair_of(of), "fair_smd", characteristic_code = v, estimate = smd[[v]])
  effective <- tapply(w, d$newer, function(x) sum(x)^2 / sum(x^2))
  largest <- tapply(w, d$newer, max)
  for (i in 1:2) {
    here <- c(of, list(cohort = COHORTS[[i]]))
    tell_of(here, "fair_effective_n", estimate = effective[[i]], denominator = sum(d$newer == i - 1))
    tell_of(here, "fair_largest_weight", estimate = largest[[i]])
  }
  list(smd = smd, effective = effective, largest = largest)
}

tell_rules <- function(of, rules) for (k in names(rules))
  tell_of(pair_of(of), "fair_rule", level_code = k, estimate = as.integer(rules[[k]]))

tell_fair_counts <- function(of, all, d, inside, parameters) {
  for (i in 1:2) {
    here <- c(of, list(cohort = COHORTS[[i]]))
    n <- sum(all$newer == i - 1); used <- sum(d$newer == i - 1)
    counts <- c(n = n, used = used, left_out = n - used, inside = sum(inside & d$newer == i - 1))
    for (k in names(counts)) tell_of(here, "fair_count", level_code = k, numerator = counts[[k]])
  }
  tell_of(pair_of(of), "fair_count", level_code = "parameters", numerator = parameters)
  n <- table(d$newer)
  tell_rules(of, list(enough_patients = all(n >= 40), enough_per_parameter = min(n) >= 10 * parameters,
                      enough_support = mean(inside) >= 0.8))
}

weighted_part <- function(of, d, e, targets, tau, window, suffix = "") for (target in targets) {
  here <- c(of, list(item_code = paste0(target, suffix)))
  w <- weights_of(e, d$newer, target)
  tell_outcomes(here, d, w, tau, window)
  b <- tell_balance(here, d, w)
  n <- as.numeric(table(d$newer))
  tell_rules(here, list(balanced = all(b$smd <= if (sum(n) < 100) 0.2 else 0.1),
                        enough_effective = all(b$effective >= pmax(30, n / 2)),
                        no_heavy_weight = all(b$largest <= 0.1)))
}

stratified_part <- function(of, d, suffix = "") {
  test <- survdiff(Surv(time, event) ~ newer + strata(stratum), data = d)
  tell_of(of, paste0("stratified_log_rank_chi_square", suffix), estimate = num(test$chisq),
          p_value = num(pchisq(test$chisq, 1, lower.tail = FALSE)))
  tell_ratio(of, paste0("stratified_hazard_ratio", suffix),
             ratio_of(Surv(time, event) ~ newer + strata(stratum), d))
}

# Rows of an endpoint with what is known at enrollment; missing is a level.
with_baseline <- function(rows, d, names) {
  known <- d[match(rows$case_id, d$case_id), names]
  cbind(rows, lapply(known, with_missing), newer = as.integer(rows$cohort == COHORTS[[2]]))
}

# One way to leave out: suffix "" for all, _complete for who has every covariate.
fair_used <- function(of, all, tau, window, suffix) {
  kept <- in_both(all)
  d <- all[kept, ]
  model <- propensity(d)
  tell_fair_counts(c(of, list(item_code = paste0("used", suffix))), all, d,
                   inside_support(model$e, d$newer), model$parameters)
  tell_outcomes(c(of, list(item_code = paste0("crude_used", suffix))), d, NULL, tau, window)
  weighted_part(of, d, model$e, c("overlap", "newer"), tau, window, suffix)
}

fair_part <- function(d, population) for (code in c("efs", "os")) {
  of <- list(population = population, endpoint = code)
  rows <- with_baseline(times_of(d, PAGE[[code]]), d, c(COVARIATES, "strategic_group"))
  stopifnot(!duplicated(d$patient_id))
  groups <- by_group(rows)
  tau <- tau_for(groups); window <- windows_of(groups)
  crude <- c(of, list(item_code = "crude"))
  tell_outcomes(crude, rows, NULL, tau, window)
  tell_balance(crude, rows, 1 / ave(rows$newer, rows$newer, FUN = length))
  rows$stratum <- rows$strategic_group
  stratified_part(pair_of(of), rows)
  if (window$unequal) stratified_part(pair_of(of), cut_at(rows, window$common), "_cut")
  fair_used(of, rows, tau, window, "")
  complete <- rowSums(rows[COVARIATES] == "missing") == 0
  if (any(!complete)) fair_used(of, rows[complete, ], tau, window, "_complete")
}

# ---------------------------------------------------------------- era

# Marrow MRD samples of the lines: by the line's number in the export, or by day while the line runs.
line_samples <- function(d, x, by_day) {
  a <- x$assessments
  a <- a[a$material == "BM" & a$measure == "MRD" & !is.na(a$result), ]
  i <- match(a$case_id, d$case_id)
  stopifnot(!duplicated(d$case_id))
  a[!is.na(i) & if (by_day) a$sample >= d$start[i] & a$sample < d$next_line[i]
                else a$line_number == d$line_number[i], ]
}

tell_lod <- function(of, s, suffix) {
  lod <- as.numeric(s$lod)
  assumed <- ifelse(is.na(lod) & s$method == "flow", FLOW_LOD, lod)
  for (k in c("", "_assumed")) {
    known <- if (k == "") lod else assumed
    known <- known[!is.na(known)]
    if (!length(known)) next
    tell_of(of, paste0("era_lod_median", k, suffix), estimate = median(known), numerator = length(known))
    tell_of(of, paste0("era_lod_mean", k, suffix), estimate = mean(known), numerator = length(known))
  }
}

era_samples <- function(of, s, suffix) {
  for (method in sort(unique(s$method))) {
    here <- c(of, list(level_code = tolower(method)))
    tell_of(here, paste0("era_samples", suffix), numerator = sum(s$method == method))
    tell_lod(here, s[s$method == method, ], suffix)
  }
  tell_lod(of, s, suffix)
}

# What is of the patients of a year, or of all years.
era_patients <- function(of, d) {
  tell_of(of, "era_count", numerator = nrow(d))
  for (v in COVARIATES) for (k in c(CHARACTERISTICS[[v]], "missing"))
    tell_of(of, "era_level", characteristic_code = v, level_code = k,
            numerator = sum(with_missing(d[[v]]) == k), denominator = nrow(d))
  reach <- times_of(d, COMPETING$to_transplant)
  tell_three(c(of, list(endpoint = "to_transplant")), "era_transplant", state_values(reach, 365, 1, 3)[, 1],
             time_days = 365, denominator = nrow(d), reason = reason_at(list(reach), 365))
  started <- sum(!is.na(d$blina)); limits <- wilson(started, nrow(d))
  tell_of(of, "era_block", level_code = "blina", estimate = started / nrow(d), lower = limits[1],
          upper = limits[2], numerator = started, denominator = nrow(d))
}

era_of <- function(of, d, x) {
  era_patients(of, d)
  era_samples(of, line_samples(d, x, FALSE), "")
  era_samples(of, line_samples(d, x, TRUE), "_by_day")
}

era_part <- function(d, population, x) {
  year <- format(d$day_0, "%Y")
  for (k in COHORTS) for (y in sort(unique(year)))
    if (any(d$cohort == k & year == y))
      era_of(list(population = population, cohort = k, item_code = y), d[d$cohort == k & year == y, ], x)
}

# ---------------------------------------------------------------- subgroups

# Each scale: estimate, lower, upper, p_value (of the difference none), and its standard error.
SCALES <- list(
  hazard_ratio = function(d, tau) {
    if (any(tapply(d$event, d$newer, sum) == 0)) return(list(reason = "no_event"))
    fit <- coxph(Surv(time, event) ~ newer, data = d, control = TIGHT)
    list(x = ratio_of(Surv(time, event) ~ newer, d), y = num(coef(fit)), se = sqrt(fit$var[1, 1]))
  },
  difference = function(d, tau) {
    groups <- by_group(d)
    x <- mover(survival_values(groups[[1]], THREE_YEARS), survival_values(groups[[2]], THREE_YEARS))[, 1]
    list(x = c(x, NA), y = x[[1]], se = (x[[3]] - x[[2]]) / 2 / Z, reason = reason_at(groups, THREE_YEARS))
  },
  rmst = function(d, tau) {
    m <- lapply(by_group(d), restricted_mean, tau)
    x <- around(m[[2]][1] - m[[1]][1], sqrt(m[[1]][2]^2 + m[[2]][2]^2))
    list(x = x, y = x[1], se = sqrt(m[[1]][2]^2 + m[[2]][2]^2), reason = reason_at(by_group(d), tau))
  })

time_of_scale <- function(scale, tau) switch(scale, hazard_ratio = NA, difference = THREE_YEARS, rmst = tau)

subgroup_counts <- function(of, d) for (k in COHORTS) {
  g <- d[d$cohort == k, ]
  tell_of(c(of, list(cohort = k)), "subgroup_n", numerator = nrow(g))
  tell_of(c(of, list(cohort = k)), "subgroup_events", numerator = sum(g$event))
}

in_both_cohorts <- function(d, at_least = 1) min(table(factor(d$newer, 0:1))) >= at_least

# One row of the forest; a list of what each scale found.
forest_row <- function(of, d, tau, window) {
  subgroup_counts(of, d)
  if (!in_both_cohorts(d)) return(tell_of(pair_of(of), "subgroup_hazard_ratio", reason = "one_group"))
  for (scale in names(SCALES)) {
    found <- SCALES[[scale]](d, tau)
    tell_three(pair_of(of), paste0("subgroup_", scale), num(found$x[1:3]), p_value = num(found$x[4]),
               time_days = time_of_scale(scale, tau), reason = found$reason)
  }
  cut <- if (window$unequal) SCALES$hazard_ratio(cut_at(d, window$common))
  if (!is.null(cut)) tell_three(pair_of(of), "subgroup_hazard_ratio_cut", num(cut$x[1:3]),
                                p_value = num(cut$x[4]), reason = cut$reason)
}

# Normal effects around a mean, variance between them by restricted likelihood (root of its score).
shrunken <- function(y, se) {
  v <- se^2
  fit <- function(t) {
    w <- 1 / (v + t); m <- sum(w * y) / sum(w)
    list(w = w, m = m, score = sum(w^2 * (y - m)^2) - sum(w) + sum(w^2) / sum(w),
         log = sum(log(w)) - log(sum(w)) - sum(w * (y - m)^2))
  }
  grid <- c(0, max(v, var(y)) * 10^seq(-8, 3, by = 0.01))
  i <- which.max(vapply(grid, function(t) fit(t)$log, 0))
  t <- if (i == 1) 0 else uniroot(function(t) fit(t)$score, grid[i + c(-1, 1)], tol = 1e-15)$root
  f <- fit(t); share <- t / (t + v); of_mean <- 1 / sum(f$w)
  list(tau2 = t, mean = c(f$m, sqrt(of_mean)), y = share * y + (1 - share) * f$m,
       se = sqrt(share * v + (1 - share)^2 * of_mean))
}

likelihood_ratio <- function(d) {
  one <- coxph(Surv(time, event) ~ newer + strata(level), data = d, control = TIGHT)
  each <- suppressWarnings(coxph(Surv(time, event) ~ newer:factor(level) + strata(level), data = d,
                                 control = TIGHT))
  2 * (each$loglik[2] - one$loglik[2])
}

cochran <- function(y, se) { w <- 1 / se^2; sum(w * (y - sum(w * y) / sum(w))^2) }

tell_shrunken <- function(of, scale, named, level, y, se, tau) {
  shown <- if (scale == "hazard_ratio") exp else identity
  s <- shrunken(y, se)
  tell_level <- function(k, y, se)
    tell_three(of, paste0("subgroup_", named, "_shrunken"), shown(around(y, se)[1:3]), level_code = k,
               time_days = time_of_scale(scale, tau))
  for (i in seq_along(level)) tell_level(level[i], s$y[i], s$se[i])
  tell_level("mean", s$mean[1], s$mean[2])
  tell_of(of, paste0("subgroup_", named, "_shrunken"), level_code = "tau2", estimate = s$tau2)
}

# d: rows of the levels that are compared; named: the scale, or hazard_ratio_cut.
interaction <- function(of, d, tau, scale, named, suffix) {
  here <- pair_of(c(of, list(item_code = paste0(named, suffix))))
  levels <- unique(d$level)
  if (length(levels) < 2) return(tell_of(here, "interaction", reason = "two_levels_needed"))
  found <- lapply(levels, function(k) SCALES[[scale]](d[d$level == k, ], tau))
  se <- vapply(found, function(f) if (is.null(f$se)) NA_real_ else f$se, 0)
  none <- anyNA(se) || any(se == 0)
  if (!none) y <- vapply(found, `[[`, 0, "y")
  chi <- if (scale == "hazard_ratio") likelihood_ratio(d) else if (!none) cochran(y, se) else NA
  df <- length(levels) - 1
  tell_of(here, "interaction", estimate = chi, p_value = pchisq(chi, df, lower.tail = FALSE),
          numerator = length(levels), denominator = df, reason = if (none) "no_interval")
  if (!none) tell_shrunken(here, scale, named, levels, y, se, tau)
}

# Of the levels with at least so many patients in both cohorts.
interactions <- function(of, rows, tau, window, at_least) {
  d <- compared_levels(rows, at_least)
  suffix <- if (at_least > 1) paste0("/at_least_", at_least) else ""
  for (scale in names(SCALES)) interaction(of, d, tau, scale, scale, suffix)
  if (window$unequal)
    interaction(of, cut_at(d, window$common), tau, "hazard_ratio", "hazard_ratio_cut", suffix)
}

compared_levels <- function(d, at_least) {
  levels <- setdiff(unique(d$level), "missing")
  enough <- vapply(levels, function(k) in_both_cohorts(d[d$level == k, ], at_least), NA)
  d[d$level %in% levels[enough], ]
}

subgroup_part <- function(d, population) for (code in c("efs", "os")) {
  of <- list(population = population, endpoint = code)
  rows <- with_baseline(times_of(d, PAGE[[code]]), d, SUBGROUPS)
  groups <- by_group(rows)
  tau <- tau_for(groups); window <- windows_of(groups)
  tell_of(of, "subgroup_tau", estimate = tau)
  forest_row(of, rows, tau, window)
  for (v in SUBGROUPS) {
    here <- c(of, list(characteristic_code = v))
    rows$level <- rows[[v]]
    for (k in intersect(c(CHARACTERISTICS[[v]], "missing"), rows$level))
      forest_row(c(here, list(level_code = k)), rows[rows$level == k, ], tau, window)
    for (at_least in c(1, AT_LEAST)) interactions(here, rows, tau, window, at_least)
  }
}

# ---------------------------------------------------------------- everything

# The primary lines of first relapse, the reference cohort first.
first_lines <- function(x) {
  lines <- lines_of(x, baseline(x$patients))
  first <- with_days(with_response(lines[lines$primary & lines$kind == "first_relapse", ], x), x)
  first[order(match(first$cohort, COHORTS)), ]
}

compared_page <- function(x) {
  first <- with_cells(first_lines(x), x)
  for (population in c("all", "default")) {
    d <- if (population == "all") first else first[first$risk_group %in% "high", ]
    later_part(d, population, x); fair_part(d, population)
    era_part(d, population, x); subgroup_part(d, population)
  }
  myeloid_later()
}

compared_main <- function(arguments) {
  made <- if (length(arguments) > 1) as.integer(arguments[2:3]) else c(300L, 20140L)
  compared_page(read_export(arguments[1]))
  writeLines(c(
    sprintf('{"made_from": {"patients": %d, "seed": %d, "sha256": {%s}},', made[1], made[2],
            sha256(arguments[1])),
    sprintf('"about": {"R": "%s", "survival": "%s", "made_by": "Rscript tests/oracle/survival_compared.R"},',
            R.version.string, packageVersion("survival")),
    '"numbers": [', paste(vapply(records$rows[seq_len(records$n)], record_json, ""), collapse = ",\n"), "]}"))
}

if (sys.nframe() == 0) compared_main(commandArgs(trailingOnly = TRUE))
