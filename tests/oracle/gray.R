# The oracle of Gray's test, the Fine-Gray model, cause-specific hazards and late entries.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk r-cran-kmsurv r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/gray.R
suppressMessages({library(survival); library(cmprsk); library(KMsurv); library(jsonlite)})

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; I(x) }
rows <- function(m) I(lapply(seq_len(nrow(m)), function(i) num(m[i, ])))

# What the tests read instead of the data: how many left at each time, by stratum, cohort, state.
counted <- function(d) {
  columns <- as.list(d[intersect(c("stratum", "cohort", "entry", "time", "state"), names(d))])
  lapply(aggregate(list(n = rep(1, nrow(d))), columns, sum), I)
}

test <- function(found, state) {
  k <- match(state, rownames(found$Tests)); at <- found$Tests[k, ]
  if (is.na(k) || at["stat"] < 0) return(NULL)
  list(chi_square = at[["stat"]], df = at[["df"]],
       p = pchisq(at[["stat"]], at[["df"]], lower.tail = FALSE))
}

# The smallest cohort number is the reference. All times a day later: crr gives G(0-) as G(0).
fine_gray <- function(d, state) {
  x <- outer(d$cohort, sort(unique(d$cohort))[-1], "==") * 1
  fit <- crr(d$time + 1, d$state, x, failcode = state, gtol = 1e-12, maxiter = 50)
  list(beta = num(fit$coef), covariance = rows(fit$var),
       se = num(sqrt(diag(fit$var))), loglik = fit$loglik)
}

cause_specific <- function(d, state) {
  d$event <- d$state == state
  control <- coxph.control(eps = 1e-11, iter.max = 50)
  fit <- suppressWarnings(coxph(Surv(time, event) ~ factor(cohort), d, control = control))
  if (max(abs(coef(fit))) > 15) return(NULL)  # coxph warns: may be infinite
  list(beta = num(coef(fit)), se = num(sqrt(diag(vcov(fit)))))
}

comparison <- function(d, n_states = 2) {
  everywhere <- function(k) all(tapply(d$state == k, d$cohort, any))
  by_state <- lapply(seq_len(n_states), function(k) list(
    gray = test(cuminc(d$time, d$state, d$cohort), k),
    stratified = if ("stratum" %in% names(d)) test(cuminc(d$time, d$state, d$cohort, d$stratum), k),
    fine_gray = if (everywhere(k)) fine_gray(d, k),
    cause_specific = if (everywhere(k)) cause_specific(d, k)))
  list(n_states = n_states, counts = counted(d), states = by_state)
}

# Late entries. The probabilities are survfit's. Its standard errors are a jackknife, which with late
# entries is another estimate; so the Greenwood-type variance of Andersen et al. (1993) is built by
# the delta method: the derivatives of F by each day's hazards (complex steps) and the hazards'
# multinomial variances. Without late entries it is checked to be survfit's own.
delta_se <- function(n, events, upto) {
  incidence <- function(h) {
    free <- cumprod(1 - rowSums(h))
    colSums((c(1, free[-nrow(h)]) * h)[upto, , drop = FALSE])
  }
  h <- events / n; variance <- matrix(0, ncol(events), ncol(events))
  for (i in seq_along(upto)) {
    slope <- sapply(seq_len(ncol(h)), function(k) {
      moved <- h + 0i; moved[i, k] <- moved[i, k] + 1e-30i
      Im(incidence(moved)) / 1e-30
    })
    slope <- matrix(slope, ncol = ncol(h))
    hi <- h[i, ]
    variance <- variance + slope %*% ((diag(hi, length(hi)) - hi %o% hi) / n[i]) %*% t(slope)
  }
  sqrt(pmax(diag(as.matrix(variance)), 0))
}

late <- function(d, times, n_states = 2) {
  ever <- d[d$time > d$entry, ]; ever$id <- seq_len(nrow(ever))
  fit <- survfit(Surv(entry, time, factor(state, 0:n_states)) ~ 1, ever, id = id)
  km <- survfit(Surv(entry, time, state > 0) ~ 1, ever, conf.type = "log-log")
  day <- sort(unique(ever$time[ever$state > 0]))
  n <- sapply(day, function(u) sum(ever$entry < u & ever$time >= u))
  events <- sapply(seq_len(n_states), function(k) sapply(day, function(u) sum(ever$time == u & ever$state == k)))
  upto <- function(u) delta_se(n, matrix(events, ncol = n_states), day <= u)
  se <- matrix(sapply(times, upto), ncol = n_states, byrow = TRUE)
  p <- summary(fit, times = times, extend = TRUE)$pstate
  free <- summary(km, times = times, extend = TRUE)
  list(n_states = n_states, counts = counted(d), n_never = nrow(d) - nrow(ever),
       times = I(times), probability = rows(p), se = rows(se), event_free_se = num(free$std.err),
       at_risk = I(sapply(times, function(u) sum(ever$entry < u & ever$time >= u))))
}

plasma <- transform(mgus2, time = ifelse(pstat == 1, ptime, futime), state = ifelse(pstat == 1, 1, 2 * death),
                    cohort = as.integer(sex), stratum = as.integer(age > 70))
data(bmt)
marrow <- transform(bmt, time = t2, state = ifelse(d2 == 1, 1, 2 * d3), cohort = group, stratum = z10)
remission <- read.csv("etl/examples/myeloid.csv")
remission <- subset(transform(remission, cohort = match(trt, c("A", "B")), stratum = match(sex, c("f", "m")),
  time = pmin(rltime, futime, na.rm = TRUE) - crtime, state = ifelse(is.na(rltime), 2 * death, 1)), !is.na(crtime))

suppressWarnings(RNGversion("1.6.2")); set.seed(2)
of_cmprsk <- data.frame(time = rexp(100), cohort = sample(1:3, 100, TRUE), state = sample(0:2, 100, TRUE),
                        stratum = sample(1:2, 100, TRUE))
unused <- rnorm(100)
cv <- matrix(sample(0:1, 300, TRUE), ncol = 3); cv[c(1, 10, 20)] <- NA
one_covariate <- subset(transform(of_cmprsk, cohort = cv[, 1]), !is.na(cohort))
RNGversion("4.2.0"); set.seed(19880401)
tied <- data.frame(time = rpois(400, 6), cohort = sample(1:4, 400, TRUE), stratum = sample(1:3, 400, TRUE),
                   state = sample(0:3, 400, TRUE, c(4, 4, 2, 1)))
tied$state[tied$cohort == 4 & tied$state == 3] <- 2
made <- function(cohort, time, state) data.frame(cohort = cohort, time = time, state = state)
cases <- list(
  mgus2_sex = comparison(plasma), bmt_groups = comparison(marrow), myeloid_from_remission = comparison(remission),
  cmprsk_test = comparison(of_cmprsk), cmprsk_test_covariate = comparison(one_covariate),
  many_ties = comparison(tied, 3),
  # Events of both states and a censoring on one day, in both cohorts; events and censorings on day 0.
  all_on_one_day = comparison(made(rep(1:2, each = 8), c(0, 0, 0, 3, 3, 3, 5, 7, 0, 3, 3, 3, 3, 5, 5, 6),
                                   c(1, 2, 0, 1, 2, 0, 1, 0, 2, 1, 1, 2, 0, 0, 1, 2))),
  nobody_censored = comparison(made(rep(1:2, c(7, 9)), c(1, 2, 2, 4, 5, 5, 9, 1, 1, 2, 3, 3, 6, 8, 8, 9),
                                    c(1, 2, 1, 2, 1, 2, 2, 2, 1, 1, 1, 2, 1, 1, 2, 1))),
  no_competing_event = comparison(made(rep(1:2, c(6, 6)), c(2, 3, 3, 5, 8, 9, 1, 3, 4, 4, 6, 9),
                                       c(1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1)), 1),
  one_day = comparison(made(rep(1:2, c(10, 20)), 4, c(rep(1, 3), rep(2, 4), rep(0, 3), rep(1, 9), rep(2, 6), rep(0, 5)))),
  a_cohort_ends_early = comparison(made(rep(1:3, c(5, 7, 7)), c(1, 1, 2, 2, 3, 1, 2, 4, 5, 6, 8, 9, 1, 3, 4, 6, 7, 7, 9),
                                        c(1, 2, 0, 1, 2, 2, 1, 1, 0, 2, 1, 0, 1, 1, 2, 0, 1, 2, 1))),
  one_cohort_gone_on_day_1 = comparison(made(rep(1:2, c(9, 12)), c(rep(1, 9), 1:12), c(rep(1, 8), 2, rep(1, 11), 2))),
  a_state_in_one_cohort = comparison(made(rep(1:2, each = 6), c(1, 2, 3, 4, 5, 6, 1, 2, 2, 4, 5, 7),
                                          c(1, 2, 1, 0, 2, 1, 1, 1, 0, 1, 1, 0))))

# Age in months as the time axis: everybody comes late, and who leaves in the month of entry never.
aged <- transform(plasma, entry = 12 * age, time = 12 * age + time)[c("entry", "time", "state")]
late_cases <- list(
  mgus2_by_age = late(aged, c(600, 720, 780, 840, 900, 960, 1020)),
  # Some from the start, an entry on a day of events, a time without anybody at risk.
  gap = late(data.frame(entry = c(0, 0, 0, 2, 2, 3, 7, 7, 7, 8, 9), time = c(2, 3, 5, 4, 5, 4, 9, 9, 10, 10, 9),
                        state = c(1, 0, 0, 2, 0, 1, 1, 2, 0, 1, 2)), c(1, 2, 3, 4, 5, 7, 9, 10)),
  one_state = late(data.frame(entry = c(0, 0, 1, 1, 4, 4, 5), time = c(3, 6, 3, 8, 6, 9, 7),
                              state = c(1, 1, 0, 1, 1, 0, 1)), c(2, 3, 6, 7, 8), 1),
  # Nobody late: the delta method must give survfit's standard errors.
  nobody_late = late(transform(marrow, entry = 0)[c("entry", "time", "state")], c(50, 100, 400, 1000)))
on_time <- late_cases$nobody_late
theirs <- summary(survfit(Surv(time, factor(state, 0:2)) ~ 1, marrow), times = on_time$times)$std.err[, -1]
stopifnot(all.equal(do.call(rbind, on_time$se), unname(theirs), tolerance = 1e-10))

about <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
              cmprsk = as.character(packageVersion("cmprsk")), made_by = "Rscript tests/oracle/gray.R",
              data_source = paste(
                "mgus2: R survival (LGPL >= 2). bmt: R KMsurv (GPL >= 3), Klein & Moeschberger 1997.",
                "myeloid: etl/examples/README.md. cmprsk_test: R cmprsk (GPL >= 2), tests/test.R. Others made here."))
compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null", null = "null")
part <- function(x) paste0('"', names(x), '": ', sapply(x, compact), collapse = ",\n")
writeLines(paste0('{"about": ', compact(about), ',\n"cases": {\n', part(cases), '\n},\n"late": {\n',
                  part(late_cases), "\n}}"), "tests/oracle/gray.json")
