# The oracle of the toxicity statistics: base R, with the clustered sandwich built by hand.
# Debian: apt-get install r-base-core r-recommended r-cran-survival r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/toxicity_rates.R
suppressMessages({library(survival); library(jsonlite)})

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; I(x) }

# Sandwich of a glm clustered by patient: plain (HC0), or with every cluster's residuals put through
# (I - H)^-1 of its own block of the hat matrix (CR3; Bell & McCaffrey 2002).
clustered <- function(fit, cluster, cr3) {
  x <- model.matrix(fit); w <- fit$family$variance(fit$fitted.values); e <- (fit$y - fit$fitted.values) / sqrt(w)
  z <- sqrt(w) * x; bread <- solve(crossprod(z))
  scores <- t(sapply(split(seq_along(e), cluster), function(i) {
    zi <- z[i, , drop = FALSE]; ei <- e[i]
    if (cr3) ei <- solve(diag(length(i)) - zi %*% bread %*% t(zi), ei)
    as.numeric(t(zi) %*% ei)
  }))
  bread %*% crossprod(scores) %*% bread
}

# One row a course or a stretch of time: patient, cohort (1, 2), events, exposure. Both cohorts in one
# model without intercept: the coefficients are the log rates (Poisson) or the logits (binomial).
comparison <- function(d, per, binary = FALSE) {
  d <- d[order(d$patient), ]; d$cohort <- factor(d$cohort)
  control <- glm.control(epsilon = 1e-14, maxit = 100)
  fit <- if (binary) glm(events ~ 0 + cohort, binomial, d, control = control)
         else glm(events ~ 0 + cohort, poisson, d, offset = log(exposure), control = control)
  n <- sapply(split(d$patient, d$cohort), function(p) length(unique(p)))
  v <- diag(clustered(fit, d$patient, TRUE)); plain <- diag(clustered(fit, d$patient, FALSE))
  b <- coef(fit); half <- qt(0.975, n - 1) * sqrt(v)
  back <- if (binary) plogis else function(x) per * exp(x)
  out <- list(per = per, binary = binary,
    rows = lapply(aggregate(cbind(events, exposure) ~ patient + cohort, d, sum), function(x) I(as.numeric(x))),
    n = I(unname(n)), estimate = num(back(b)), lower = num(back(b - half)), upper = num(back(b + half)),
    log_se = num(sqrt(v)), plain_se = num(sqrt(plain)))
  if (!binary) {
    df <- sum(v)^2 / sum(v^2 / (n - 1)); apart <- b[[2]] - b[[1]]; wide <- qt(0.975, df) * sqrt(sum(v))
    out$ratio <- num(c(exp(apart), exp(apart - wide), exp(apart + wide), 2 * pt(-abs(apart) / sqrt(sum(v)), df)))
  }
  d0 <- out$estimate[2] - out$estimate[1]
  out$difference <- num(c(d0,
    d0 - sqrt((out$estimate[2] - out$lower[2])^2 + (out$upper[1] - out$estimate[1])^2),
    d0 + sqrt((out$upper[2] - out$estimate[2])^2 + (out$estimate[1] - out$lower[1])^2)))
  out
}

infections <- with(cgd, data.frame(patient = id, cohort = as.integer(treat == "rIFN-g") + 1, events = status,
                                   exposure = tstop - tstart))
recurrences <- with(subset(bladder1, treatment != "pyridoxine" & stop > start), data.frame(
  patient = id, cohort = as.integer(treatment == "thiotepa") + 1, events = as.integer(status == 1), exposure = stop - start))
bacteria <- with(MASS::bacteria, data.frame(patient = as.integer(ID), cohort = as.integer(ap == "a") + 1,
                                            events = as.integer(y == "y"), exposure = 1))
set.seed(20021204)
courses <- data.frame(patient = rep(1:75, sample(2:6, 75, TRUE)))
courses$cohort <- 1 + (courses$patient > 40)
courses$events <- rpois(nrow(courses), 0.3 * rgamma(75, 1)[courses$patient] * courses$cohort); courses$exposure <- 1

# Nothing observed: base R's exact limits, each patient counted once.
none <- list(
  rate = lapply(list(c(12, 480), c(1, 3), c(40, 100000)), function(x) list(
    n = x[1], exposure = x[2], upper = poisson.test(0, x[2])$conf.int[2])),
  share = lapply(c(1, 9, 57), function(n) list(
    n = n, upper = binom.test(0, n)$conf.int[2], lower_of_all = binom.test(n, n)$conf.int[1])))

# Burden: the grade of every term on every day of a block of 42 days, in a table; then a rate with
# an exposure of 1 each.
made <- data.frame(patient = sample(1:40, 130, TRUE), term = sample(c("sepsis", "mucositis", "alt"), 130, TRUE),
                   grade = sample(1:5, 130, TRUE), start = sample(0:41, 130, TRUE))
made$end <- pmin(made$start + rpois(130, 5), 41)
area <- array(0, c(45, 3, 42), list(1:45, c("sepsis", "mucositis", "alt"), 0:41))
for (i in seq_len(nrow(made))) for (d in made$start[i]:made$end[i]) {
  old <- area[made$patient[i], made$term[i], d + 1]
  area[made$patient[i], made$term[i], d + 1] <- max(old, made$grade[i])
}
burdens <- rowSums(area)  # patients 41 to 45 have no events
of_burden <- comparison(data.frame(patient = 1:45, cohort = rep(1:2, c(20, 25)), events = burdens, exposure = 1), 1)
burden <- list(events = lapply(made, I), grade_days = num(burdens),
  means = lapply(1:2, function(i) with(of_burden, num(c(estimate[i], lower[i], upper[i])))),
  difference = of_burden$difference)

# First events against leaving the block; the tests derive the state from the three columns.
block <- data.frame(first = ifelse(runif(90) < 0.5, rpois(90, 14), NA), exit = 20 + rpois(90, 6), observed = runif(90) < 0.8)
block$exit[1:12] <- block$first[1:12]                      # on the day of the exit
block$first[13:18] <- block$exit[13:18] + 1:6              # after it
block$exit[is.na(block$exit)] <- 9
state <- with(block, ifelse(!is.na(first) & first <= exit, "event", ifelse(observed, "exit", "censored")))
time <- with(block, ifelse(state == "event", first, exit)); days <- c(5, 10, 15, 20, 25, 30)
curve <- function(keep) {
  fit <- survfit(Surv(time, factor(state, c("censored", "event", "exit"))) ~ 1, subset = keep, conf.type = "log-log")
  at <- summary(fit, times = days, extend = TRUE)
  list(estimate = num(at$pstate[, 2]), lower = num(at$lower[, 2]), upper = num(at$upper[, 2]))
}
full <- state != "censored"
first_event <- list(first_event_day = block$first, exit_day = block$exit, is_exit_observed = block$observed,
                    days = days, curve = curve(rep(TRUE, 90)), full = I(full), curve_uncensored = curve(full),
                    share_uncensored = mean(state[full] == "event"))

adjusted <- function(p) list(p = I(p), adjusted = I(p.adjust(p, "BH")))
out <- list(
  about = list(R = R.version.string, made_by = "Rscript tests/oracle/toxicity_rates.R", data_source = paste(
    "cgd, bladder1: R survival (LGPL >= 2). bacteria: R MASS (GPL 2 or 3), Venables & Ripley 2002. Others made here.")),
  rates = list(cgd_infections = comparison(infections, 365.25), bladder_recurrences = comparison(recurrences, 12),
               bacteria_samples = comparison(bacteria, 1, TRUE), made_courses = comparison(courses, 1)),
  none = none, burden = burden, first_event = first_event,
  adjusted = list(adjusted(c(0.01, 0.02, 0.03, 0.04, 0.05)), adjusted(c(1, 0, 0.5, 0.5, NA, 0.04, 1e-12)), adjusted(0.3),
                  adjusted(c(NA, NA)), adjusted(c(runif(150)^2, 0.04, 0.04, NA))))
compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null", null = "null")
lines <- paste0('"', names(out), '": ', sapply(out, compact), collapse = ",\n")
writeLines(paste0("{", lines, "}"), "tests/oracle/toxicity_rates.json")
