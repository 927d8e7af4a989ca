# The oracle of proportions, tables, strata and fragility: base R, survival, metafor, own optimization.
# Debian: apt-get install r-base-core r-cran-survival r-cran-metafor r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/tables.R
suppressMessages({library(survival); library(metafor); library(jsonlite)})

Z <- qnorm(0.975)
num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; x }
root <- function(f, low, high) uniroot(f, c(low, high), tol = 1e-15, maxiter = 10000)$root

# ---- one proportion

single <- function(x, n) {
  jeffreys <- qbeta(c(0.025, 0.975), x + 0.5, n - x + 0.5)
  if (x == 0) jeffreys[1] <- 0
  if (x == n) jeffreys[2] <- 1
  m <- n + Z^2; p <- (x + Z^2 / 2) / m
  list(x = x, n = n, jeffreys = jeffreys,
       agresti_coull = c(max(p - Z * sqrt(p * (1 - p) / m), 0), min(p + Z * sqrt(p * (1 - p) / m), 1)))
}

# ---- two proportions

log_lik <- function(x, n, p) (if (x == 0) 0 else x * log(p)) + (if (x == n) 0 else (n - x) * log(1 - p))

# The likeliest reference proportion at a difference d: the roots of the cubic and the two ends.
at_difference <- function(d, x, n, x0, n0) {
  ends <- c(max(0, -d), min(1, 1 - d))
  times <- function(a, b) {
    out <- numeric(length(a) + length(b) - 1)
    for (i in seq_along(a)) out[i + seq_along(b) - 1] <- out[i + seq_along(b) - 1] + a[i] * b
    out
  }
  cubic <- times(c(x - n * d, -n), times(c(0, 1), c(1, -1))) +
    times(c(x0, -n0), times(c(d, 1), c(1 - d, -1)))
  roots <- Re(polyroot(cubic))
  tried <- c(ends, pmin(pmax(roots, ends[1]), ends[2]))
  value <- suppressWarnings(log_lik(x, n, tried + d) + log_lik(x0, n0, tried))
  value[is.nan(value)] <- -Inf
  tried[which.max(value)]
}

miettinen_nurminen <- function(x, n, x0, n0) {
  N <- n + n0; d <- x / n - x0 / n0
  excess <- function(delta) {
    p0 <- at_difference(delta, x, n, x0, n0); p <- min(max(p0 + delta, 0), 1)
    (d - delta)^2 - Z^2 * (p * (1 - p) / n + p0 * (1 - p0) / n0) * N / (N - 1)
  }
  near <- 1e-6  # at d itself both sides may be 0
  pooled <- (x + x0) / N
  v <- pooled * (1 - pooled) * (1 / n + 1 / n0) * N / (N - 1)
  list(estimate = d, lower = if (d == -1) -1 else root(excess, -1 + 1e-13, d - near),
       upper = if (d == 1) 1 else root(excess, d + near, 1 - 1e-13),
       p = if (v == 0) 1 else pchisq(d^2 / v, 1, lower.tail = FALSE))
}

at_ratio <- function(r, x, n, x0, n0) {
  top <- min(1, 1 / r)
  slope <- function(q) (x + x0) / q - (if (x < n) (n - x) * r / (1 - r * q) else 0) -
    (if (x0 < n0) (n0 - x0) / (1 - q) else 0)
  if (slope(top * (1 - 1e-14)) > 0) return(top)
  root(slope, top * 1e-12, top * (1 - 1e-14))
}

koopman <- function(x, n, x0, n0) {
  excess <- function(log_r) {
    r <- exp(log_r); p0 <- at_ratio(r, x, n, x0, n0); p <- min(r * p0, 1)
    (x / n - r * x0 / n0)^2 / (p * (1 - p) / n + r^2 * p0 * (1 - p0) / n0) - Z^2
  }
  middle <- log((x / n) / (x0 / n0))
  start <- min(max(middle, -14), 14)
  list(estimate = num(exp(middle)),
       lower = if (x == 0) 0 else exp(root(excess, -28, start - 1e-9)),
       upper = if (x0 == 0) NA else exp(root(excess, start + 1e-9, 28)),
       p = if (x + x0 == n + n0) 1 else  # no variance: nothing speaks against 1
         suppressWarnings(chisq.test(rbind(c(x, n - x), c(x0, n0 - x0)), correct = FALSE)$p.value))
}

# fisher.test's estimate and limits, solved to the last digits. Its own are found to 1.2e-4 on the
# scale of min(ratio, 1 / ratio), and must agree so far.
exact_odds <- function(x, n, x0, n0) {
  s <- x + x0; u <- max(0, s - n0):min(n, s)
  base <- dhyper(u, n, n0, s, log = TRUE)
  prob <- function(b) { w <- exp(base + b * u - max(base + b * u)); w / sum(w) }
  solve_for <- function(f) exp(root(f, -40, 40))
  lowest <- x == min(u); highest <- x == max(u)
  out <- list(
    estimate = if (lowest) 0 else if (highest) NA else solve_for(function(b) sum(u * prob(b)) - x),
    lower = if (lowest) 0 else solve_for(function(b) sum(prob(b)[u >= x]) - 0.025),
    upper = if (highest) NA else solve_for(function(b) sum(prob(b)[u <= x]) - 0.025))
  theirs <- fisher.test(rbind(c(x, n - x), c(x0, n0 - x0)))
  for (pair in list(c(out$estimate, theirs$estimate), c(out$lower, theirs$conf.int[1]),
                    c(out$upper, theirs$conf.int[2])))
    if (!is.na(pair[1])) stopifnot(abs(min(pair[1], 1 / pair[1]) - min(pair[2], 1 / pair[2])) < 2e-4)
  out
}

woolf <- function(x, n, x0, n0) {
  if (min(x, n - x, x0, n0 - x0) == 0) return(NULL)
  again <- function(start) glm(cbind(c(x0, x), c(n0 - x0, n - x)) ~ c(0, 1), family = binomial, start = start)
  # glm's standard errors are those of its last step but one: fit from the solution on.
  s <- summary(again(coef(again(coef(again(NULL))))))$coefficients[2, ]
  list(estimate = exp(s[[1]]), lower = exp(s[[1]] - Z * s[[2]]), upper = exp(s[[1]] + Z * s[[2]]),
       p = 2 * pnorm(-abs(s[[1]] / s[[2]])))
}

pair <- function(counts) {
  ratio <- counts[1] + counts[3] > 0
  odds <- ratio && counts[1] + counts[3] < counts[2] + counts[4]
  list(counts = counts, difference = do.call(miettinen_nurminen, as.list(counts)),
       ratio = if (ratio) do.call(koopman, as.list(counts)),
       exact = if (odds) do.call(exact_odds, as.list(counts)),
       woolf = do.call(woolf, as.list(counts)),
       fisher = fisher.test(rbind(c(counts[1], counts[2] - counts[1]),
                                  c(counts[3], counts[4] - counts[3])))$p.value)
}

# ---- one table

table_case <- function(rows, source = "made") {
  rows <- rows[, colSums(rows) > 0, drop = FALSE]
  test <- function(correct) suppressWarnings(chisq.test(rows, correct = correct))
  plain <- test(FALSE)
  list(rows = unname(apply(rows, 1, function(r) I(unname(r)), simplify = FALSE)), source = source,
       fisher = fisher.test(rows, workspace = 2e8)$p.value,
       chi_square = num(plain$statistic), df = num(plain$parameter), p = num(plain$p.value),
       corrected = if (all(dim(rows) == 2)) num(test(TRUE)$statistic))
}

# ---- strata: rows of numerator, denominator, reference numerator, reference denominator

strata_case <- function(s, source = "made") {
  storage.mode(s) <- "double"
  x <- s[, 1]; n <- s[, 2]; x0 <- s[, 3]; n0 <- s[, 4]; k <- nrow(s)
  tables <- array(rbind(x, x0, n - x, n0 - x0), c(2, 2, k))
  plain <- mantelhaen.test(tables, correct = FALSE)
  difference <- suppressWarnings(rma.mh(measure = "RD", ai = x, n1i = n, ci = x0, n2i = n0, level = 95))  # a level without variance
  list(strata = lapply(seq_len(k), function(i) s[i, ]), source = source,
       chi_square = num(plain$statistic), p = num(plain$p.value),
       corrected = num(mantelhaen.test(tables, correct = TRUE)$statistic),
       odds_ratio = num(c(plain$estimate, plain$conf.int)),
       difference = num(c(difference$beta, difference$ci.lb, difference$ci.ub, difference$pval)),
       odds_interaction = odds_interaction(x, n, x0, n0), difference_interaction = q_of_differences(s))
}

design <- function(k) {
  d <- data.frame(cohort = rep(1:0, each = k), level = factor(rep(seq_len(k), 2)))
  if (k < 2) stop("one level")
  model.matrix(~ level + cohort + level:cohort, d)
}

odds_interaction <- function(x, n, x0, n0) {
  k <- length(x); X <- design(k); y <- c(x, x0); m <- c(n, n0)
  common <- seq_len(k + 1)  # intercept, levels, cohort
  if (min(x, n - x, x0, n0 - x0) > 0) {
    fit <- function(columns) glm.fit(X[, columns], y / m, weights = m, family = binomial(),
                                     control = glm.control(epsilon = 1e-10, maxit = 200))
    # What anova(small, large, test = "LRT") prints.
    statistic <- fit(common)$deviance - fit(seq_len(ncol(X)))$deviance
  } else {
    # Firth: half the log determinant of the information of the full design is added, in both models.
    penalized <- function(b) {
      p <- plogis(drop(X %*% b))
      sum(dbinom(y, m, p, log = TRUE)) + determinant(t(X) %*% (m * p * (1 - p) * X))$modulus / 2
    }
    best <- function(columns) {
      b <- numeric(ncol(X))
      value <- function(z) { b[columns] <- z; -penalized(b) }
      z <- b[columns]
      for (i in 1:5) z <- optim(z, value, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))$par
      for (i in 1:3) z <- nlm(value, z, gradtol = 1e-12, steptol = 1e-14, iterlim = 1000)$estimate
      -value(z)
    }
    statistic <- 2 * (best(seq_len(ncol(X))) - best(common))
  }
  list(chi_square = statistic, df = k - 1, p = pchisq(statistic, k - 1, lower.tail = FALSE))
}

q_of_differences <- function(s) {
  flat <- (s[, 1] == 0 | s[, 1] == s[, 2]) & (s[, 3] == 0 | s[, 3] == s[, 4])
  s <- s + outer(as.numeric(flat), c(0.5, 1, 0.5, 1))
  e <- escalc(measure = "RD", ai = s[, 1], n1i = s[, 2], ci = s[, 3], n2i = s[, 4], to = "none")
  fit <- rma(e$yi, e$vi, method = "FE")
  list(chi_square = fit$QE, df = nrow(s) - 1, p = fit$QEp)
}

# ---- fragility, by changing rows

surviving <- function(time, event, t) {
  s <- summary(survfit(Surv(time, event) ~ 1, conf.type = "log-log"), times = t, extend = TRUE)
  if (max(time) < t && s$surv > 0) return(c(NA, NA, NA))
  if (s$surv > 0 && s$surv < 1) return(c(s$surv, s$lower, s$upper))
  if (any(time < t & event == 0)) return(c(s$surv, NA, NA))
  c(s$surv, binom.test(length(time) * s$surv, length(time))$conf.int)
}
mover <- function(one, other) {
  d <- other[1] - one[1]
  c(d, d - sqrt((other[1] - other[2])^2 + (one[3] - one[1])^2),
    d + sqrt((other[3] - other[1])^2 + (one[1] - one[2])^2))
}
changed <- function(g, t, k, to_event) {
  if (to_event) who <- head(which(g$time > t | (g$time == t & g$event == 0)), k)
  else who <- head(order(ifelse(g$event == 1 & g$time <= t, -g$time, Inf)), k)
  g$time[who] <- t; g$event[who] <- as.integer(to_event)
  g
}
fragility <- function(one, other, t, in_reference) {
  difference <- function(a, b) mover(surviving(a$time, a$event, t), surviving(b$time, b$event, t))
  before <- difference(one, other)
  mine <- if (in_reference) one else other
  lost <- sapply(list(one, other), function(g) sum(g$time < t & g$event == 0))
  if (anyNA(before)) return(list(t = t, in_reference = in_reference, n_changes = NA, lost = lost))
  available <- c(sum(mine$time > t | (mine$time == t & mine$event == 0)), sum(mine$event == 1 & mine$time <= t))
  best <- list(n = Inf)
  out <- before[2] > 0 || before[3] < 0
  for (to_event in c(TRUE, FALSE)) {
    up <- to_event == in_reference  # whether the difference rises
    if (out && up == (before[2] > 0)) next
    for (k in seq_len(available[2 - to_event])) {
      g <- changed(mine, t, k, to_event)
      after <- if (in_reference) difference(g, other) else difference(one, g)
      if (anyNA(after)) next
      crossed <- if (out) { if (up) after[3] >= 0 else after[2] <= 0 } else { if (up) after[2] > 0 else after[3] < 0 }
      if (!crossed) next
      widens <- up == (before[1] >= 0)
      if (k < best$n || (k == best$n && widens)) best <- list(n = k, to_event = to_event, after = after)
      break
    }
  }
  list(t = t, in_reference = in_reference, before = before, excluded = out, lost = lost,
       n_changes = if (is.finite(best$n)) best$n else NA,
       to_event = if (is.null(best$to_event)) NA else best$to_event, after = best$after)
}
fragility_case <- function(time, event, group, times, source) {
  g <- split(data.frame(time = time, event = event), group)
  found <- list()
  for (t in times) for (r in c(FALSE, TRUE)) found <- c(found, list(fragility(g[[1]], g[[2]], t, r)))
  list(source = source, one = as.list(g[[1]]), other = as.list(g[[2]]), found = found)
}
newcombe <- function(x, n, x0, n0) {
  limits <- function(a, b) c(a / b, suppressWarnings(prop.test(a, b, correct = FALSE))$conf.int)
  mover(limits(x0, n0), limits(x, n))
}
share_fragility <- function(x, n, x0, n0, in_reference) {
  before <- newcombe(x, n, x0, n0)
  side <- function(l) if (l[2] > 0) 1 else if (l[3] < 0) -1 else 0
  sizes <- if (in_reference) -x0:(n0 - x0) else -x:(n - x)
  sides <- sapply(sizes, function(k) side(if (in_reference) newcombe(x, n, x0 + k, n0) else newcombe(x + k, n, x0, n0)))
  moved <- if (side(before) == 0) sides != 0 else sides != side(before)
  list(counts = c(x, n, x0, n0), in_reference = in_reference, excluded = side(before) != 0,
       n_changes = if (any(moved)) min(abs(sizes[moved])) else NA)
}

# ---- cases

singles <- list(c(0, 1), c(1, 1), c(0, 10), c(10, 10), c(1, 10), c(9, 10), c(15, 20), c(81, 263), c(15, 148),
                c(0, 20), c(1, 29), c(29, 29), c(1, 100000), c(123456, 1000000))
pairs <- list(c(56, 70, 48, 80), c(9, 10, 3, 10), c(6, 7, 2, 7), c(5, 56, 0, 29), c(0, 10, 0, 20), c(0, 10, 0, 10),
              c(10, 10, 0, 20), c(10, 10, 0, 10), c(10, 10, 7, 7), c(1, 10, 0, 12), c(0, 16, 15, 72), c(7, 34, 1, 34),
              c(9, 13, 4, 14), c(36, 40, 16, 80), c(12, 12, 9, 10), c(1, 1, 0, 1), c(41, 120, 77, 180),
              c(99, 180, 41, 120), c(20, 20, 20, 20), c(1, 180, 119, 120), c(3, 4, 0, 3))
grid <- expand.grid(x = c(0, 1, 3, 5), n = 5, x0 = c(0, 2, 8), n0 = 8)
pairs <- c(pairs, lapply(seq_len(nrow(grid)), function(i) as.numeric(grid[i, ])))

counted <- function(a, b) unclass(table(a, b))
tables <- list(
  table_case(rbind(c(3, 1), c(1, 3)), "tea tasting, Fisher 1935"),
  table_case(rbind(c(2, 10), c(15, 3)), "Convictions, ?fisher.test"),
  table_case(counted(veteran$trt, veteran$celltype), "survival::veteran"),
  table_case(counted(lung$sex, lung$ph.ecog), "survival::lung"),
  table_case(counted(lung$sex, lung$status), "survival::lung"),
  table_case(rbind(c(0, 16), c(15, 57))), table_case(rbind(c(10, 0, 3), c(4, 0, 9))),
  table_case(rbind(c(4, 1, 0, 2, 7), c(3, 3, 3, 3, 3))), table_case(rbind(c(1, 0, 0, 0, 0, 3), c(0, 1, 1, 1, 1, 0))),
  table_case(rbind(c(12, 9, 15, 6, 3, 11), c(7, 14, 9, 10, 8, 4))),
  table_case(rbind(c(5, 5, 5), c(5, 5, 5))), table_case(rbind(c(41, 79), c(77, 103))))

ucb <- t(sapply(1:6, function(k) c(UCBAdmissions[1, 1, k], sum(UCBAdmissions[, 1, k]),
                                   UCBAdmissions[1, 2, k], sum(UCBAdmissions[, 2, k]))))
rabbits <- rbind(c(0, 6, 0, 5), c(3, 6, 0, 6), c(6, 6, 2, 6), c(5, 6, 6, 6), c(2, 2, 5, 5))
bcg <- with(dat.bcg, cbind(tpos, tpos + tneg, cpos, cpos + cneg))
colon_death <- subset(read.csv("etl/examples/colon.csv"), etype == 2 & rx %in% c("Obs", "Lev+5FU"))
by_level <- function(level) t(sapply(split(colon_death, colon_death[[level]]), function(d) {
  treated <- d$rx == "Lev+5FU"
  c(sum(d$status[treated]), sum(treated), sum(d$status[!treated]), sum(!treated))
}))
strata <- list(
  strata_case(unname(ucb), "UCBAdmissions"), strata_case(rabbits, "penicillin rabbits, ?mantelhaen.test"),
  strata_case(unname(bcg), "metadat::dat.bcg"), strata_case(unname(by_level("extent")), "colon.csv, deaths by extent"),
  strata_case(unname(by_level("differ")), "colon.csv, deaths by differentiation"),
  strata_case(rbind(c(3, 10, 5, 9), c(7, 12, 2, 15))), strata_case(rbind(c(3, 10, 3, 11), c(5, 12, 6, 13))),
  strata_case(rbind(c(0, 10, 0, 9), c(7, 12, 2, 15))),
  strata_case(rbind(c(0, 10, 4, 9), c(7, 12, 2, 15), c(5, 5, 3, 6))), strata_case(rbind(c(1, 1, 0, 1), c(0, 1, 1, 1), c(4, 9, 2, 8))))

pbc_arms <- subset(pbc, !is.na(trt))
fragilities <- list(
  fragility_case(veteran$time, veteran$status, veteran$trt, c(30, 90, 180), "survival::veteran"),
  fragility_case(lung$time, lung$status - 1, lung$sex, c(180, 365, 500), "survival::lung"),
  fragility_case(colon_death$time, colon_death$status, factor(colon_death$rx, c("Obs", "Lev+5FU")),
                 c(365, 1096, 1826), "colon.csv"),
  fragility_case(aml$time, aml$status, aml$x, c(13, 24), "survival::aml"),
  fragility_case(ovarian$futime, ovarian$fustat, ovarian$rx, c(200, 365, 600), "survival::ovarian"),
  fragility_case(pbc_arms$time, as.integer(pbc_arms$status == 2), pbc_arms$trt, c(1096), "survival::pbc"),
  fragility_case(c(0, 0, 0, 5, 9, 9, 12, 12, 12, 20, 20, 20, 20, 20), c(1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0),
                 rep(1:2, c(9, 5)), c(0, 9, 12), "made: day-0 events, ties on the milestone, one cohort without events"))
shares <- list()
for (x in list(c(34, 40, 25, 40), c(30, 40, 25, 40), c(25, 40, 34, 40), c(0, 10, 0, 12), c(5, 5, 4, 4), c(1, 2, 1, 3),
               c(41, 120, 77, 180), c(15, 40, 5, 40), c(1, 1, 30, 60), c(0, 30, 9, 30)))
  for (r in c(FALSE, TRUE)) shares <- c(shares, list(do.call(share_fragility, c(as.list(x), r))))

out <- list(
  about = list(R = R.version.string, survival = as.character(packageVersion("survival")),
               metafor = as.character(packageVersion("metafor")), made_by = "Rscript tests/oracle/tables.R"),
  data_source = paste("veteran, lung, aml, ovarian, pbc and etl/examples/colon.csv: R package survival, LGPL (>= 2).",
                      "UCBAdmissions: R package datasets, GPL-2 | GPL-3. dat.bcg (Colditz et al. 1994): R package",
                      "metadat, GPL (>= 2). Rabbits and Convictions: help pages of R's mantelhaen.test and fisher.test."),
  singles = lapply(singles, function(x) single(x[1], x[2])), pairs = lapply(pairs, pair), tables = tables,
  strata = strata, fragilities = fragilities, shares = shares)
compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null", null = "null")
part <- function(name) {
  rows <- if (name %in% c("about", "data_source")) compact(out[[name]])
          else paste0("[\n", paste(sapply(out[[name]], compact), collapse = ",\n"), "\n]")
  paste0('"', name, '": ', rows)
}
writeLines(paste0("{", paste(sapply(names(out), part), collapse = ",\n"), "}"), "tests/oracle/tables.json")
