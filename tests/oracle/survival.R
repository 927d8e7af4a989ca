# The oracle of the survival tests: R's survival package on the example exports and on cases.json.
# Debian: apt-get install r-base-core r-cran-survival r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/survival.R
suppressMessages({library(survival); library(jsonlite)})

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; x }

one_group <- function(time, event, times, tau) {
  fit <- survfit(Surv(time, event) ~ 1, conf.type = "log-log")
  at <- summary(fit, times = times, extend = TRUE)
  median <- quantile(fit, 0.5)
  third <- quantile(fit, 0.25)
  reverse <- quantile(survfit(Surv(time, 1 - event) ~ 1, conf.type = "log-log"), 0.5)
  mean <- survival:::survmean(fit, rmean = tau)[[1]]
  list(
    n = length(time), events = sum(event), last = max(time),
    at = data.frame(
      t = times, survival = num(at$surv), se = num(at$std.err),
      lower = num(at$lower), upper = num(at$upper),
      at_risk = sapply(times, function(u) sum(time >= u)),
      events_before = sapply(times, function(u) sum(time < u & event == 1)),
      censored_before = sapply(times, function(u) sum(time < u & event == 0))),
    median = num(c(median$quantile, median$lower, median$upper)),
    quartile = num(c(third$quantile, third$lower, third$upper)),
    follow_up = num(c(reverse$quantile, reverse$lower, reverse$upper)),
    rmst = num(mean[c("rmean", "se(rmean)")]))
}

# MOVER (Zou & Donner 2008) from survfit's own limits: the second group minus the first.
mover <- function(one, other) {
  d <- other$survival - one$survival
  data.frame(t = one$t, difference = d,
             lower = d - sqrt((other$survival - other$lower)^2 + (one$upper - one$survival)^2),
             upper = d + sqrt((other$upper - other$survival)^2 + (one$survival - one$lower)^2))
}

comparison <- function(d, times, tau) {
  groups <- split(d, d$group)
  test <- survdiff(Surv(time, event) ~ group, data = d)
  cox <- coxph(Surv(time, event) ~ group, data = d,
               control = coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 100))
  s <- summary(cox)
  means <- sapply(groups, function(g)
    survival:::survmean(survfit(Surv(g$time, g$event) ~ 1), rmean = tau)[[1]][c("rmean", "se(rmean)")])
  at <- lapply(groups, function(g) one_group(g$time, g$event, times, tau)$at)
  difference <- means[1, ] - means[1, 1]
  se <- sqrt(means[2, ]^2 + means[2, 1]^2)
  z <- qnorm(0.975)
  list(
    times = times, tau = tau,
    groups = lapply(groups, function(g) one_group(g$time, g$event, times, tau)),
    survival_difference = unname(lapply(at[-1], function(x) mover(at[[1]], x))),
    log_rank = list(chi_square = num(test$chisq), df = length(test$n) - 1,
                    p = num(pchisq(test$chisq, length(test$n) - 1, lower.tail = FALSE))),
    cox = data.frame(
      beta = num(s$coefficients[, "coef"]), se = num(s$coefficients[, "se(coef)"]),
      hr = num(s$conf.int[, 1]), lower = num(s$conf.int[, 3]), upper = num(s$conf.int[, 4]),
      p = num(s$coefficients[, "Pr(>|z|)"])),
    likelihood_ratio = num(s$logtest[1]),
    rmst_difference = data.frame(
      difference = num(difference), lower = num(difference - z * se),
      upper = num(difference + z * se), p = num(2 * pnorm(-abs(difference / se))))[-1, ])
}

read <- function(name) read.csv(file.path("etl/examples", name), na.strings = c("", "NA"))
years <- (1:5) * 365.25
results <- list()

colon <- read("colon.csv")
death <- colon[colon$etype == 2, ]
recurrence <- colon[colon$etype == 1, ]
both <- merge(death[, c("id", "time", "status", "rx", "sex", "node4")],
              recurrence[, c("id", "time", "status")], by = "id", suffixes = c("", ".r"))
arms <- c("Obs", "Lev", "Lev+5FU")
os <- data.frame(id = both$id, time = both$time, event = both$status,
                 group = factor(both$rx, arms), sex = both$sex, node4 = both$node4)
# First of recurrence and death; without either, the end of recurrence follow-up.
first <- ifelse(both$status.r == 1, both$time.r, Inf)
last <- ifelse(both$status == 1, both$time, Inf)
is_event <- is.finite(pmin(first, last))
rfs <- transform(os, event = as.integer(is_event), time = ifelse(is_event, pmin(first, last), both$time.r))
pair <- function(d) droplevels(d[d$group %in% c("Obs", "Lev+5FU"), ])
results$colon_os_three_arms <- comparison(os, years, 5 * 365.25)
results$colon_os_obs_vs_lev5fu <- comparison(pair(os), years, 5 * 365.25)
results$colon_rfs_three_arms <- comparison(rfs, years, 3 * 365.25)
results$colon_os_men_many_nodes <- comparison(os[os$sex == 1 & os$node4 == 1, ], years, 3 * 365.25)

myeloid <- read("myeloid.csv")
arm <- factor(myeloid$trt, c("A", "B"))
os <- data.frame(time = myeloid$futime, event = myeloid$death, group = arm)
relapse <- ifelse(is.na(myeloid$rltime), Inf, myeloid$rltime)
efs <- data.frame(time = pmin(myeloid$futime, relapse),
                  event = as.integer(is.finite(relapse) | myeloid$death == 1), group = arm)
rfs <- transform(efs, time = time - myeloid$crtime)[!is.na(myeloid$crtime), ]
results$myeloid_os <- comparison(os, years, 3 * 365.25)
results$myeloid_os_1y <- comparison(os, years, 365.25)
results$myeloid_efs <- comparison(efs, years, 3 * 365.25)
results$myeloid_rfs <- comparison(rfs, years, 3 * 365.25)

for (name in names(cases <- fromJSON("tests/oracle/cases.json"))) {
  x <- cases[[name]]
  d <- data.frame(time = x$time, event = x$event, group = factor(x$group))
  results[[paste0("case_", name)]] <- comparison(d, x$times, x$tau)
}

exact <- lapply(list(c(0, 10), c(10, 10), c(15, 20), c(1, 30), c(30, 30)), function(x)
  list(x = x[1], n = x[2], limits = num(binom.test(x[1], x[2])$conf.int)))
about <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
              made_by = "Rscript tests/oracle/survival.R")
writeLines(toJSON(list(about = about, results = results, exact = exact), auto_unbox = TRUE, digits = NA,
                  na = "null", pretty = TRUE), "tests/oracle/survival.json")
