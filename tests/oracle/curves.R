# The oracle of the survival curves: limits on three scales, delayed entry, weighted and stratified
# log-rank tests, MaxCombo, ratios of restricted means. Rows and results go into one file.
# Debian: apt-get install r-base-core r-cran-survival r-cran-kmsurv r-cran-mvtnorm r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/curves.R
suppressMessages({library(survival); library(KMsurv); library(mvtnorm); library(jsonlite)})

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; x }
# Surv needs start < stop: only rows of delayed entry get a start.
response <- function(d) if (is.null(d$entry)) Surv(d$time, d$event) else Surv(d$entry, d$time, d$event)
ever_at_risk <- function(d) if (is.null(d$entry)) d else d[d$entry < d$time, ]

# quantile(survfit) sorts the heights of a limit before it looks for the crossing. Few at risk early,
# as with delayed entry, can let the limits rise again; then the first crossing counts.
first_crossing <- function(fit, limit, probs, found) {
  known <- !is.na(fit[[limit]])
  if (!any(known) || all(diff(fit[[limit]][known]) <= 1e-12)) return(found[[limit]])
  sapply(probs, function(p) fit$time[known][fit[[limit]][known] < 1 - p][1])
}

curve <- function(d, times, scale) {
  probs <- c(0.25, 0.5, 0.75)
  fit <- survfit(response(d) ~ 1, conf.type = scale)
  at <- summary(fit, times = times, extend = TRUE)
  found <- quantile(fit, probs)
  for (limit in c("lower", "upper")) found[[limit]] <- first_crossing(fit, limit, probs, found)
  list(survival = num(at$surv), se = num(at$std.err), lower = num(at$lower), upper = num(at$upper),
       quantiles = lapply(1:3, function(i)
         num(c(found$quantile[i], found$lower[i], found$upper[i]))))
}

mean_to <- function(d, tau)
  num(survival:::survmean(survfit(response(d) ~ 1), rmean = tau)[[1]][c("rmean", "se(rmean)")])

one_group <- function(d, times, tau) {
  entry <- if (is.null(d$entry)) rep(-1, nrow(d)) else d$entry
  reversed <- transform(d, event = 1 - event)
  list(
    n = nrow(d), events = sum(d$event), last = max(d$time),
    at_risk = sapply(times, function(u) sum(entry < u & d$time >= u)),
    events_before = sapply(times, function(u) sum(d$time < u & d$event == 1)),
    censored_before = sapply(times, function(u) sum(d$time < u & d$event == 0)),
    not_entered = sapply(times, function(u) sum(entry >= u)),
    log_log = curve(d, times, "log-log"), log = curve(d, times, "log"),
    plain = curve(d, times, "plain"),
    follow_up = curve(reversed, times, "log-log")$quantiles[[2]], rmst = mean_to(d, tau))
}

# One weighted log-rank test by its definition: sums over event days and strata (U: observed less
# expected of every group; V: their covariance between two weights).
sums <- function(d, weights) {
  groups <- sort(unique(d$group)); k <- length(groups); w <- length(weights)
  U <- matrix(0, w, k); V <- array(0, c(w, w, k, k))
  for (s in split(d, if (is.null(d$stratum)) rep(1, nrow(d)) else d$stratum)) {
    entry <- if (is.null(s$entry)) rep(-1, nrow(s)) else s$entry
    km <- 1
    for (u in sort(unique(s$time[s$event == 1]))) {
      risk <- entry < u & s$time >= u; dead <- s$time == u & s$event == 1
      n <- sum(risk); e <- sum(dead)
      p <- sapply(groups, function(g) sum(risk & s$group == g)) / n
      o <- sapply(groups, function(g) sum(dead & s$group == g))
      h <- sapply(weights, function(x) km^x[1] * (1 - km)^x[2])
      U <- U + outer(h, o - e * p)
      if (n > 1) V <- V + outer(outer(h, h), (diag(p, k) - outer(p, p)) * e * (n - e) / (n - 1))
      km <- km * (1 - e / n)
    }
  }
  list(U = U, V = V)
}
by_definition <- function(d, weight) {
  x <- sums(d, list(weight)); k <- ncol(x$U)
  num(tryCatch(x$U[1, -k] %*% solve(matrix(x$V[1, 1, -k, -k], k - 1), x$U[1, -k]),
               error = function(e) NA))
}

# Of the survival package: survdiff without delayed entry; with it the score test of Cox's exact
# partial likelihood, which is the same statistic.
by_survival <- function(d, rho = 0) num(tryCatch(suppressWarnings({
  if (is.null(d$stratum)) d$stratum <- 1
  if (is.null(d$entry)) survdiff(Surv(time, event) ~ group + strata(stratum), d, rho = rho)$chisq
  else coxph(response(d) ~ factor(group) + strata(stratum), d, ties = "exact")$score
}), error = function(e) NA))

# P(all |Z| <= bound), Z = L x of rank 2 or 3: the last x in closed form, the others on a fine grid of
# midpoints (good to some 1e-9). Random points (GenzBretz) are 2e-5 off where the matrix is singular,
# and nested integrate() 1e-6: both miss the edges.
inside <- function(bound, corr, points = 4000) {
  e <- eigen(corr, symmetric = TRUE); r <- sum(e$values > 1e-12)
  if (r == 2) points <- 1e6
  L <- e$vectors[, 1:r, drop = FALSE] %*% diag(sqrt(e$values[1:r]), r)
  x <- 16 * (seq_len(points) - 0.5) / points - 8; weight <- dnorm(x) * 16 / points
  last <- function(a) {  # of the points x of the last but one
    lower <- rep(-Inf, length(x)); upper <- rep(Inf, length(x))
    for (j in seq_len(nrow(L))) {
      at <- if (r == 2) L[j, 1] * x else L[j, 1] * a + L[j, 2] * x
      one <- (-bound - at) / L[j, r]; other <- (bound - at) / L[j, r]
      lower <- pmax(lower, pmin(one, other)); upper <- pmin(upper, pmax(one, other))
    }
    sum(weight * pmax(pnorm(upper) - pnorm(lower), 0))
  }
  if (r == 2) last(0) else sum(weight * sapply(x, last))
}

FOUR <- list(c(0, 0), c(1, 0), c(0, 1), c(1, 1))
max_combo <- function(d) {
  x <- sums(d, FOUR)
  V <- x$V[, , 2, 2]; z <- x$U[, 2] / sqrt(diag(V))
  if (any(!is.finite(z))) return(list(z = num(z)))
  list(z = num(z), p = num(1 - inside(max(abs(z)), cov2cor(V))))
}

compared <- function(d, tau) {
  weights <- c(FOUR, list(c(0.5, 0), c(0.5, 0.5), c(0.5, 2)))
  plain <- d[setdiff(names(d), "stratum")]
  found <- list(
    weights = weights,
    by_definition = sapply(weights, function(w) by_definition(plain, w)),
    by_survival = sapply(c(0, 1, 0.5), function(rho) by_survival(plain, rho)))
  if (!is.null(d$entry)) found$by_survival <- found$by_survival[1]
  if (!is.null(d$stratum)) found$stratified <- list(
    by_definition = sapply(weights, function(w) by_definition(d, w)),
    by_survival = if (is.null(d$entry)) sapply(c(0, 1, 0.5), function(rho) by_survival(d, rho))
                  else list(by_survival(d)))
  if (length(unique(d$group)) == 2) found$max_combo <- max_combo(plain)
  m <- lapply(split(d, d$group), mean_to, tau); one <- m[[1]]; other <- m[[2]]
  z <- qnorm(0.975)
  difference <- other[1] - one[1]; se <- sqrt(one[2]^2 + other[2]^2)
  ratio <- log(other[1] / one[1]); se_log <- sqrt((one[2] / one[1])^2 + (other[2] / other[1])^2)
  found$difference <- num(c(difference, difference + c(-1, 1) * z * se, 2 * pnorm(-abs(difference / se))))
  found$ratio <- num(c(exp(ratio + c(0, -1, 1) * z * se_log), 2 * pnorm(-abs(ratio / se_log))))
  found
}

cases <- list()
add <- function(name, d, times, tau) {
  d <- d[order(d$group, d$time), ]
  seen <- ever_at_risk(d)
  cases[[name]] <<- list(
    rows = as.list(d), times = times, tau = tau, never_at_risk = nrow(d) - nrow(seen),
    groups = lapply(split(seen, seen$group), one_group, times, tau),
    compared = if (length(unique(seen$group)) > 1) compared(seen, tau))
}
group <- function(x) as.integer(factor(x)) - 1L

data(channing); data(bmt); data(kidney, package = "KMsurv")
months <- data.frame(time = channing$age, event = channing$death, group = 2L - channing$gender,
                     entry = channing$ageentry)
add("channing", months, c(770, 800, 850, 900, 950, 1000, 1050), 1000)
# From 70 years on: some are there from the start, the others enter late.
late <- months[months$time > 840, ]
late <- transform(late, time = time - 840, entry = pmax(entry - 840, 0))
late$stratum <- as.integer(late$entry > 60)
add("channing_from_70", late, c(1, 20, 50, 100, 150, 200), 200)
add("mgus2", with(mgus2, data.frame(time = futime, event = death, group = group(sex),
                                    stratum = as.integer(age >= 70))), c(1, 12, 60, 120, 240), 120)
death <- colon[colon$etype == 2, ]
add("colon", with(death, data.frame(time, event = status, group = group(rx), stratum = node4)),
    c(30, 365, 1000, 2000), 1826)
add("lung", with(lung[!is.na(lung$ph.ecog), ], data.frame(time, event = status - 1, group = sex - 1,
                                                          stratum = ph.ecog)), c(10, 180, 365, 700), 500)
add("aml", with(aml, data.frame(time, event = status, group = group(x))), c(5, 9, 13, 23, 40), 30)
add("veteran", with(veteran, data.frame(time, event = status, group = trt - 1, stratum = group(celltype))),
    c(1, 30, 90, 365), 300)
add("bmt", with(bmt, data.frame(time = t2, event = d3, group = group - 1)), c(1, 100, 365, 1000), 1000)
add("kidney", with(kidney, data.frame(time, event = delta, group = type - 1)), c(1.5, 5, 10, 20), 20)
data(drug6mp)
add("drug6mp", with(drug6mp, data.frame(time = c(t1, t2), event = c(rep(1, 21), relapse),
                                        group = rep(0:1, each = 21))), c(6, 7, 10, 13, 16, 22, 23), 35)

made <- function(time, event, group, entry = NULL) {
  d <- data.frame(time = time, event = event, group = group)
  if (!is.null(entry)) d$entry <- entry
  d
}
# Entries on event days, two never at risk, and a stratum.
d <- made(c(3, 5, 5, 8, 9, 12, 4, 6,  4, 5, 7, 9, 9, 14, 15, 2), c(1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1),
          rep(0:1, each = 8), c(0, 0, 3, 3, 5, 5, 4, 1, 0, 3, 5, 5, 0, 7, 0, 3))
d$stratum <- rep(0:1, 8)
add("entry_on_event_days", d, c(1, 3, 5, 6, 9, 12), 10)
# The first curve falls to 0 while four are still to enter.
add("falls_to_0_early", made(c(2, 4, 9, 11, 12, 15, 3, 6, 8, 14, 16), c(1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0),
                             c(rep(0, 6), rep(1, 5)), c(0, 0, 5, 5, 6, 7, 0, 0, 2, 2, 4)), c(1, 3, 4, 8, 12), 10)
# Nobody at risk from day 5 to 8 in the first group, and not before day 2.
add("gap", made(c(4, 5, 5, 12, 13, 20, 3, 9, 18), c(1, 0, 0, 1, 0, 0, 1, 1, 0), c(rep(0, 6), rep(1, 3)),
                c(2, 2, 2, 8, 8, 9, 0, 0, 0)), c(3, 4, 7, 10, 12, 18), 12)
add("half", made(c(1, 2, 3, 4, 5, 6, 1, 2, 3, 4), c(1, 1, 1, 1, 0, 0, 1, 1, 0, 0), c(rep(0, 6), rep(1, 4))),
    c(1, 2, 3, 4), 4)
add("day_zero", made(c(0, 0, 0, 5, 9, 12, 30, 30, 0, 3, 3, 7, 21, 28, 28, 40),
                     c(1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0), rep(0:1, each = 8)), c(0, 3, 10, 28), 25)
add("ties", made(rep(1:3, c(9, 9, 9)), rep(c(1, 1, 0, 1, 0, 1, 1, 0, 1), 3), rep(c(0, 0, 1), 9)), c(1, 2, 3), 3)
add("no_events_in_one", made(c(3, 5, 8, 4, 6, 9), c(1, 1, 0, 0, 0, 0), rep(0:1, each = 3)), c(2, 5), 5)
add("all_on_one_day", made(c(4, 4, 4, 4, 4), rep(1, 5), c(0, 0, 0, 1, 1)), c(3, 4), 6)
add("one_patient_each", made(c(3, 7), c(1, 1), 0:1), c(2, 3, 5), 5)

# Largest of correlated normals. Three variables: TVPACK, deterministic, by inclusion and exclusion.
within <- function(bound, corr) {
  signs <- expand.grid(rep(list(c(1, -1)), ncol(corr)))
  sum(apply(signs, 1, function(s)
    prod(s) * pmvnorm(upper = s * bound, corr = corr, algorithm = TVPACK(1e-14))))
}
largest <- list()
for (r in list(c(0.5, 0.5, 0.5), c(0.9, 0.1, 0.3), c(-0.7, 0.6, -0.2), c(0.98, 0.95, 0.99), c(0, 0, 0)))
  for (bound in c(0.5, 1.5, 2.5, 3.5)) {
    corr <- diag(3); corr[lower.tri(corr)] <- r; corr <- pmax(corr, t(corr)) + pmin(corr, t(corr)) - diag(3)
    largest[[length(largest) + 1]] <- list(corr = corr, bound = bound, p = 1 - within(bound, corr))
  }
for (x in list(c(0.3, 2.5), c(0.9, 1.5))) {
  r <- x[1]; bound <- x[2]; corr <- matrix(r, 4, 4); diag(corr) <- 1
  # Equal correlations: one integral over the common part.
  given <- function(x) (pnorm((bound - sqrt(r) * x) / sqrt(1 - r)) - pnorm((-bound - sqrt(r) * x) / sqrt(1 - r)))^4
  p <- 1 - integrate(function(x) given(x) * dnorm(x), -9, 9, rel.tol = 1e-12, subdivisions = 1000)$value
  largest[[length(largest) + 1]] <- list(corr = corr, bound = bound, p = p)
}

result <- list(
  about = list(R = R.version.string, survival = as.character(packageVersion("survival")),
               mvtnorm = as.character(packageVersion("mvtnorm")), made_by = "Rscript tests/oracle/curves.R"),
  data_source = paste(
    "mgus2, colon, lung, aml, veteran: R package survival (T. Therneau, LGPL-2 or later); channing, bmt,",
    "kidney, drug6mp: R package KMsurv (data of Klein & Moeschberger, Survival Analysis 1997; GPL-3);",
    "the others are made. Columns: time, event, group, and where they apply entry and stratum."),
  cases = cases, largest = largest)
writeLines(toJSON(result, auto_unbox = TRUE, digits = NA, na = "null"), "tests/oracle/curves.json")
