# The oracle of the fair-comparison tests: glm, and survfit and coxph with weights, step by step.
# Debian: apt-get install r-base-core r-cran-survival r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/fair.R
suppressMessages({library(survival); library(jsonlite)})

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; I(x) }
z <- qnorm(0.975)

# ---- propensity: rows with a level of one cohort only go first, then glm

as_levels <- function(x) {
  levels <- c(sort(unique(as.character(x[!is.na(x)])), method = "radix"), if (anyNA(x)) "missing")
  factor(ifelse(is.na(x), "missing", as.character(x)), levels)
}

restrict <- function(d, covs) {
  kept <- rep(TRUE, nrow(d))
  repeat {
    one_sided <- rep(FALSE, nrow(d))
    for (v in covs) {
      both <- table(d[kept, v], factor(d$cohort[kept], 0:1))
      single <- rownames(both)[rowSums(both > 0) == 1]
      one_sided <- one_sided | (kept & d[[v]] %in% single)
    }
    if (!any(one_sided)) return(kept)
    kept <- kept & !one_sided
  }
}

propensity <- function(d, covs) {
  used <- covs[sapply(covs, function(v) nlevels(droplevels(d[[v]])) > 1)]
  for (v in used) {
    f <- droplevels(d[[v]])
    d[[v]] <- relevel(f, levels(f)[which.max(table(f))])
  }
  # glm's rank tolerance shrinks with epsilon: first what is aliased, then the tight fit.
  b <- coef(glm(reformulate(used, "cohort"), binomial, d))
  x <- model.matrix(reformulate(used), d)[, !is.na(b)]
  fit <- glm(d$cohort ~ x - 1, family = binomial, control = glm.control(epsilon = 1e-13))
  named <- unlist(lapply(used, function(v) paste0(v, " = ", levels(d[[v]])[-1])))
  names(b) <- c("intercept", named)
  # vcov(fit) stands one step before the last coefficients (3e-8 off): the information at these.
  se <- sqrt(diag(solve(crossprod(x * sqrt(fitted(fit) * (1 - fitted(fit)))))))
  stopifnot(all.equal(unname(se), unname(sqrt(diag(vcov(fit)))), tolerance = 1e-6))
  list(fit = fit, e = unname(fitted(fit)), summary = list(
    term = I(names(b)[!is.na(b)]), coefficient = num(coef(fit)), se = num(se),
    aliased = I(names(b)[is.na(b)]), log_likelihood = num(logLik(fit))))
}

support <- function(e, cohort) {
  range <- c(max(tapply(e, cohort, min)), min(tapply(e, cohort, max)))
  inside <- e >= range[1] - 1e-9 & e <= range[2] + 1e-9
  list(range = num(range), inside = I(as.integer(tapply(inside, cohort, sum))),
       quartiles = lapply(0:1, function(k) num(quantile(e[cohort == k], type = 1))))
}

weights_of <- function(e, cohort, target) {
  w <- if (target == "overlap") ifelse(cohort == 1, 1 - e, e) else ifelse(cohort == 1, 1, e / (1 - e))
  w / ave(w, cohort, FUN = sum)
}

# Yang & Dalton, one level left out and the mean covariance inverted; levels without weight dropped.
smd <- function(level, cohort, w) {
  p <- matrix(sapply(0:1, function(k)
    tapply(w * (cohort == k), level, sum, default = 0) / sum(w[cohort == k])), ncol = 2)
  p <- p[rowSums(p) > 0, , drop = FALSE]
  if (nrow(p) < 2) return(NA)
  q <- p[-1, , drop = FALSE]
  spread <- function(x) diag(x, length(x)) - outer(x, x)
  d <- q[, 2] - q[, 1]
  sqrt(drop(d %*% solve((spread(q[, 1]) + spread(q[, 2])) / 2, d)))
}

# ---- weighted survival

area <- function(day, height, tau, before = 1) {
  inside <- day < tau
  sum(diff(c(0, day[inside], tau)) * c(before, height[inside]))
}

# The derivative of the restricted mean by each weight, from two curves a little apart.
by_difference <- function(time, event, w, tau) {
  mean <- function(w) { f <- survfit(Surv(time, event) ~ 1, weights = w); area(f$time, f$surv, tau) }
  sapply(seq_along(w), function(i) {
    h <- w[i] * 1e-4
    w[i] * (mean(replace(w, i, w[i] + h)) - mean(replace(w, i, w[i] - h))) / (2 * h)
  })
}

curve <- function(time, event, w, id, times, tau) {
  fit <- survfit(Surv(time, event) ~ 1, weights = w, cluster = id, robust = TRUE,
                 conf.type = "log-log", influence = 1)
  at <- summary(fit, times = times, extend = TRUE)
  influence <- apply(fit$influence.surv, 1, function(x) area(fit$time, x, tau, 0))
  if (length(influence) == length(id)) influence <- tapply(influence, id, sum)
  se <- sqrt(sum(influence^2))
  numeric <- sqrt(sum(tapply(by_difference(time, event, w, tau), id, sum)^2))
  stopifnot(abs(se - numeric) < 1e-5 * (1 + se))
  list(survival = num(at$surv), se = num(at$std.err), lower = num(at$lower), upper = num(at$upper),
       last = max(time), n = length(time), sum_survival = sum(fit$surv), sum_se = sum(fit$std.err),
       rmst = num(c(area(fit$time, fit$surv, tau), se)))
}

difference <- function(one, other) {
  d <- other$survival - one$survival
  means <- other$rmst[1] - one$rmst[1]
  se <- sqrt(one$rmst[2]^2 + other$rmst[2]^2)
  list(survival = num(d),
       lower = num(d - sqrt((other$survival - other$lower)^2 + (one$upper - one$survival)^2)),
       upper = num(d + sqrt((other$upper - other$survival)^2 + (one$survival - one$lower)^2)),
       rmst = num(c(means, means - z * se, means + z * se, 2 * pnorm(-abs(means / se)))))
}

e_value <- function(hr, lower, upper, common) {
  rr <- function(x) if (common) (1 - 0.5^sqrt(x)) / (1 - 0.5^sqrt(1 / x)) else x
  e <- function(x) { x <- rr(x); if (x < 1) x <- 1 / x; x + sqrt(x * (x - 1)) }
  c(e(hr), if (lower <= 1 && upper >= 1) 1 else e(if (lower > 1) lower else upper))
}

hazard_ratio <- function(d, w) {
  fit <- coxph(Surv(time, event) ~ cohort, d, weights = w * nrow(d) / 2, cluster = id, robust = TRUE,
               control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100))
  s <- summary(fit)
  c(s$conf.int[c(1, 3, 4)], s$coefficients[, "Pr(>|z|)"])
}

outcome <- function(d, w, covs, times, tau) {
  curves <- lapply(0:1, function(k) with(d[d$cohort == k, ],
    curve(time, event, w[d$cohort == k], id, times, tau)))
  hr <- hazard_ratio(d, w)
  list(curves = curves, difference = difference(curves[[1]], curves[[2]]), hazard_ratio = num(hr),
       e_value = num(e_value(hr[1], hr[2], hr[3], mean(d$event) > 0.15)),
       sum_squared_weights = sum(w^2), effective_n = num(tapply(w, d$cohort, function(x) sum(x)^2 / sum(x^2))),
       largest = num(tapply(w, d$cohort, max)),
       smd = num(sapply(covs, function(v) smd(d[[v]], d$cohort, w))))
}

compare <- function(d, covs, times, tau) {
  d[covs] <- lapply(d[covs], as_levels)
  all <- d
  kept <- restrict(d, covs)
  d <- d[kept, ]
  model <- propensity(d, covs)
  targets <- lapply(c(overlap = "overlap", newer = "newer"), function(target)
    outcome(d, weights_of(model$e, d$cohort, target), covs, times, tau))
  list(n = I(as.integer(table(all$cohort))), n_used = I(as.integer(table(d$cohort))),
       model = model$summary, score_sum = sum(model$e), score_squares = sum(model$e^2),
       score_first = num(head(model$e, 20)), support = support(model$e, d$cohort),
       smd_before = num(sapply(covs, function(v) smd(all[[v]], all$cohort, rep(1, nrow(all))))),
       targets = targets)
}

case <- function(d, covs, times, tau, about) {
  columns <- c("cohort", "time", "event", "id", covs)
  found <- list(about = about, covariates = I(covs), times = I(times), tau = tau,
                data = lapply(d[columns], I), result = compare(d, covs, times, tau))
  complete <- stats::complete.cases(d[covs])
  if (any(!complete)) found$complete_cases <- compare(d[complete, ], covs, times, tau)
  found
}

band <- function(x, breaks) as.integer(cut(x, c(-Inf, breaks, Inf)))
source <- "R package survival (LGPL >= 2), its own data sets"

set.seed(19780101)
without <- function(n, is) sample(which(rotterdam$hormon == 0 & is), n)
r <- rotterdam[sort(c(which(rotterdam$hormon == 1), without(240, rotterdam$nodes > 0),
                      without(21, rotterdam$nodes == 0))), ]
r <- with(r, data.frame(cohort = hormon, time = dtime, event = death, id = seq_along(dtime),
                        age = band(age, c(45, 55, 65)), nodes = band(nodes, c(0, 3, 9)),
                        size = as.integer(size), grade = grade, meno = meno))
l <- with(lung, data.frame(cohort = sex - 1, time = time, event = status - 1, id = seq_along(time),
                           ecog = ph.ecog, age = c("to 55", "56-65", "66 up")[band(age, c(55, 65))],
                           loss = c("none", "some", "much")[band(wt.loss, c(0, 10))]))
v <- with(veteran, data.frame(cohort = trt - 1, time = time, event = status, id = seq_along(time),
                              cell = as.character(celltype), prior = prior,
                              karno = band(karno, c(40, 60))))
# Two rows a patient (relapse and death), some patients in both cohorts.
k <- colon[colon$rx %in% c("Obs", "Lev+5FU") & colon$id %% 4 == 0, ]
k <- with(k, data.frame(cohort = as.integer(rx == "Lev+5FU"), time = time, event = status,
                        id = ifelse(id %% 3 == 0, 40 * (id %/% 40), id), sex = sex, node4 = node4,
                        extent = pmax(extent, 2), whole = 1, twice = node4 + 5))
cases <- list(
  rotterdam = case(r, c("age", "nodes", "size", "grade", "meno"), c(365.25 * c(1, 3, 5, 8)),
                   5 * 365.25, "all with, some without hormone treatment; no nodes in those without only"),
  lung = case(l, c("ecog", "age", "loss"), c(5, 100, 182.5, 365.25, 883), 365.25,
              "men and women; missing values; ECOG 3 and ECOG missing in men only"),
  veteran = case(v, c("cell", "prior", "karno"), c(1, 30, 90, 180, 365), 365, "both treatments"),
  colon = case(k, c("sex", "twice", "node4", "extent", "whole"), c(365.25, 1000, 2000), 3 * 365.25,
               "repeated rows; `twice` tells node4, `whole` is the same for all"))

# ---- weighted curves alone: made cases

made <- function(time, event, w, id, times, tau)
  list(time = I(time), event = I(event), weight = I(w), id = I(id), times = I(times), tau = tau,
       result = curve(time, event, w, id, times, tau))
set.seed(20160101)
ties <- data.frame(time = rpois(300, 6), event = rbinom(300, 1, .5), w = round(rexp(300) + .01, 3),
                   id = sample(150, 300, TRUE))
curves <- list(
  day_0_and_to_0 = made(c(0, 0, 2, 2, 5, 5, 7), c(1, 0, 1, 0, 1, 1, 1), c(.5, 1, 2, .3, 1, .7, .9),
                        1:7, c(0, 1, 2, 5, 6, 7), 6),
  ties_everywhere = with(ties, made(time, event, w, seq_along(time), 0:12, 9)),
  ties_in_clusters = with(ties, made(time, event, w, id, 0:12, 9)),
  one_cluster_of_two = made(c(1, 4, 3, 6, 8), c(1, 0, 1, 1, 0), c(1, 2.5, .5, 1, 1), c(1, 1, 2, 3, 3),
                            c(1, 3, 5, 6), 7),
  all_events_one_day = made(c(4, 4, 4), c(1, 1, 1), c(.2, 1, 1.4), 1:3, c(3, 4), 6),
  all_censored = made(c(2, 5, 9), c(0, 0, 0), c(.2, 1, 1.4), 1:3, c(1, 5, 9), 8),
  heavy = made(c(3, 6, 6, 8, 11), c(1, 1, 0, 1, 0), c(1e-4, 1e4, 1, 10, .1), 1:5, c(3, 6, 8, 10), 10),
  one_patient = made(3, 1, .4, 1, c(2, 3), 4))

e_values <- lapply(list(c(.56, .46, .69, 1), c(.56, .46, .69, 0), c(1.8, 1.2, 2.7, 1), c(.9, .6, 1.3, 1),
                        c(1, .5, 2, 0), c(40, 8, 200, 1), c(.8, .64, 1, 0)), function(x)
  list(ratio = I(x[1:3]), common = x[4] == 1, e = num(e_value(x[1], x[2], x[3], x[4] == 1))))

compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null")
about <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
              made_by = "Rscript tests/oracle/fair.R", data_source = source)
each <- function(x) paste0('"', names(x), '": ', sapply(x, compact), collapse = ",\n")
writeLines(paste0('{"about": ', compact(about), ',\n"cases": {\n', each(cases), '},\n"curves": {\n',
                  each(curves), '},\n"e_values": ', compact(e_values), "}"), "tests/oracle/fair.json")
