# The oracle of the competing-events tests: R's survival package on public data and on made cases.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/competing.R
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; I(x) }
rows <- function(m) I(lapply(seq_len(nrow(m)), function(i) num(m[i, ])))

# What the tests read instead of the data: how many left on each day, by state (0 censored).
day_counts <- function(time, state) {
  counts <- aggregate(list(n = rep(1, length(time))), list(time_days = time, state = state), sum)
  lapply(counts, I)
}

# At the times, P of (event-free, state 1, ..., J), its standard error and log-log limits; at risk
# and gone before (by state, 0 first) counted from the patients; the incidences of cmprsk, a second
# implementation, for the states that occur. Over all days: the sums of P and of its standard error.
result <- function(time, state, n_states, times) {
  fit <- survfit(Surv(time, factor(state, 0:n_states)) ~ 1, conf.type = "log-log")
  at <- summary(fit, times = times, extend = TRUE)
  gray <- timepoints(cuminc(time, state, cencode = 0), times)$est
  before <- function(k) sapply(times, function(u) sum(time < u & state == k))
  list(
    n = length(time), n_states = n_states, last = max(time), counts = day_counts(time, state),
    times = I(times), probability = rows(at$pstate), se = rows(at$std.err),
    lower = rows(at$lower), upper = rows(at$upper),
    gray = I(lapply(seq_len(nrow(gray)), function(k) num(gray[k, ]))),
    gray_state = I(as.integer(sub(".* ", "", rownames(gray)))),
    at_risk = I(sapply(times, function(u) sum(time >= u))),
    before = I(lapply(0:n_states, function(k) I(before(k)))),
    day = I(fit$time), sum_probability = num(colSums(fit$pstate)), sum_se = num(colSums(fit$std.err)))
}

m <- transform(mgus2, time = ifelse(pstat == 1, ptime, futime), state = ifelse(pstat == 1, 1, 2 * death))
t3 <- transform(transplant, time = futime, state = as.integer(event) - 1)
set.seed(20140101)
tied <- data.frame(time = rpois(3000, 9), state = sample(0:5, 3000, TRUE, c(6, 4, 1, 2, .05, 3)))

cases <- list(
  mgus2 = result(m$time, m$state, 2, c(0, 1, 12, 60, 120, 240, 400, 424)),
  mgus2_women = with(m[m$sex == "F", ], result(time, state, 2, c(6, 24, 60, 120, 300))),
  transplant = result(t3$time, t3$state, 3, c(0, 1, 30, 90, 182.5, 365.25, 730.5, 1500, 2055)),
  many_ties = result(tied$time, tied$state, 5, 0:20),
  # States 1 and 2, a censoring and state 3 all on one day; events on day 0; a last censoring.
  hand = result(c(0, 0, 2, 2, 2, 2, 5, 5, 7, 9), c(1, 2, 1, 2, 3, 0, 1, 0, 2, 0), 3,
                c(0, 1, 2, 4, 5, 7, 8, 9)),
  # The last event of all with a censoring on its day; then nobody is left.
  censoring_ties = result(c(1, 1, 3, 3, 3, 4, 4, 6, 6), c(0, 1, 0, 0, 2, 1, 0, 2, 0), 2, c(1, 3, 4, 5, 6)),
  nobody_in_a_state = result(c(3, 4, 4, 8, 10), c(1, 3, 0, 1, 0), 3, c(1, 3, 4, 8, 10)),
  all_events = result(c(1, 2, 2, 3, 5, 5, 5, 8), c(1, 2, 1, 1, 2, 1, 2, 2), 2, c(1, 2, 3, 5, 8)),
  all_the_same_event = result(c(1, 2, 2, 5), c(2, 2, 2, 2), 2, c(1, 2, 3, 5)),
  nobody_else_after_censoring = result(c(1, 2, 3, 4), c(0, 1, 1, 1), 2, c(1, 2, 3, 4)),
  one_state = result(c(5, 6, 6, 2.5, 4, 4), c(1, 0, 1, 1, 1, 0), 1, c(2.5, 4, 5, 6)),
  one_patient = result(3, 1, 2, c(2, 3)))

about <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
              cmprsk = as.character(packageVersion("cmprsk")),
              made_by = "Rscript tests/oracle/competing.R")
compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null")
lines <- paste0('"', names(cases), '": ', sapply(cases, compact), collapse = ",\n")
writeLines(paste0('{"about": ', compact(about), ',\n"cases": {\n', lines, "\n}}"),
           "tests/oracle/competing.json")
