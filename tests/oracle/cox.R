# The oracle of the Cox tests: R's survival package on public data and on made cases.
# Debian: apt-get install r-base-core r-cran-survival r-cran-kmsurv r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/cox.R
suppressMessages({library(survival); library(KMsurv); library(jsonlite)})

one <- function(x) { x <- unname(as.numeric(x)); if (is.finite(x)) x else NA }
num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; I(x) }
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)

# What the tests read instead of the data: how many, by everything that the models use.
counted <- function(d) {
  by <- d[intersect(c("time", "event", "group", "stratum", "entry"), names(d))]
  lapply(aggregate(list(n = rep(1, nrow(d))), by, sum), I)
}

response <- function(d) if ("entry" %in% names(d)) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)

fitted <- function(d, stratified, control = tight, init = NULL) {
  d$y <- response(d)
  d$g <- factor(d$group)
  model <- if (stratified) y ~ g + strata(stratum) else y ~ g
  if (is.null(init)) init <- rep(0, nlevels(d$g) - 1)
  coxph(model, d, control = control, init = init, model = TRUE, x = TRUE, y = TRUE)
}

fit_of <- function(d, stratified) {
  fit <- fitted(d, stratified)
  list(beta = num(coef(fit)), se = num(sqrt(diag(vcov(fit)))), covariance = num(vcov(fit)),
       likelihood_ratio = one(2 * diff(fit$loglik)), wald = one(fit$wald.test),
       score = one(fit$score), n_events = fit$nevent)
}

# The test of proportional hazards: chi-square of each cohort, then of all.
zph_of <- function(d, stratified) {
  fit <- fitted(d, stratified)
  sapply(c("km", "identity", "rank"), function(transform) {
    table <- cox.zph(fit, transform, terms = FALSE)$table
    list(list(chi_square = num(table[, "chisq"]), p = num(table[, "p"])))
  })
}

model <- function(d) {
  later <- d[d$time > 0, ]
  result <- list(data = counted(d), plain = fit_of(d, FALSE), zph = zph_of(later, FALSE))
  if (any(d$time == 0)) result$zph_from_0 <- zph_of(d, FALSE)
  if ("stratum" %in% names(d)) {
    result$stratified <- fit_of(d, TRUE)
    result$zph_stratified <- zph_of(later, TRUE)
  }
  result
}

# Firth: the penalized likelihood at given coefficients, from coxph without any step.
penalized <- function(d, stratified) {
  still <- coxph.control(iter.max = 0, toler.chol = 1e-200)
  function(b) {
    fit <- suppressWarnings(fitted(d, stratified, still, b))
    fit$loglik[2] - log(det(fit$var)) / 2
  }
}

best <- function(f, start) {
  if (length(start) == 0) return(list(par = start, value = f(start)))
  for (i in 1:6) {
    found <- optim(start, f, method = if (i %% 2) "BFGS" else "Nelder-Mead",
                   control = list(fnscale = -1, reltol = 1e-16, maxit = 5000, ndeps = rep(1e-5, length(start))))
    start <- found$par
  }
  found
}

# For one coefficient: the root of the slope, from central differences, is sharper than the maximum.
best_one <- function(f, at) {
  slope <- function(b) (8 * (f(b + 1e-3) - f(b - 1e-3)) - f(b + 2e-3) + f(b - 2e-3)) / 12e-3
  b <- uniroot(slope, at + c(-1, 1), tol = 1e-12, extendInt = "yes")$root
  list(par = b, value = f(b))
}

firth_of <- function(d, stratified) {
  f <- penalized(d, stratified)
  p <- length(unique(d$group)) - 1
  top <- suppressWarnings(best(f, rep(0, p)))
  if (p == 1) top <- best_one(f, top$par)
  se <- sqrt(diag(suppressWarnings(
    fitted(d, stratified, coxph.control(iter.max = 0, toler.chol = 1e-200), top$par))$var))
  profile <- function(j, b) {
    if (p == 1) return(f(b))
    held <- function(x) f(append(x, b, j - 1))
    start <- top$par[-j]
    if (p == 2) best_one(held, start)$value else best(held, start)$value
  }
  fall <- function(j) function(b) top$value - profile(j, b) - qchisq(0.95, 1) / 2
  limit <- function(j, side) {
    near <- top$par[j]
    far <- near + side * 2 * se[j]
    while (fall(j)(far) < 0) far <- far + side * 2 * se[j]
    uniroot(fall(j), sort(c(near, far)), tol = 1e-11)$root
  }
  each <- function(side) num(sapply(1:p, limit, side = side))
  list(data = counted(d), stratified = stratified, beta = num(top$par), se = num(se),
       lower = each(-1), upper = each(1),
       p = num(sapply(1:p, function(j) pchisq(2 * (top$value - profile(j, 0)), 1, lower.tail = FALSE))),
       likelihood_ratio = one(2 * (top$value - f(rep(0, p)))))
}

# Subgroups of two cohorts: coxph in each level in `levels` (those with a finite ratio), and the
# interaction over them, by anova of the stratified models. Other levels have no finite ratio.
forest_of <- function(d, levels) {
  inside <- d[d$stratum %in% levels, ]
  inside$z <- inside$group
  inside$level <- factor(inside$stratum)
  rows <- lapply(levels, function(l) {
    x <- d[d$stratum == l, ]
    fit <- fitted(x, FALSE)
    s <- summary(fit)
    list(stratum = l, n = I(as.integer(table(x$group))),
         n_events = I(as.integer(tapply(x$event, x$group, sum))), beta = one(coef(fit)),
         se = one(sqrt(vcov(fit))), lower = one(s$conf.int[3]), upper = one(s$conf.int[4]),
         p = one(s$coefficients[5]))
  })
  one <- coxph(Surv(time, event) ~ z + strata(level), inside, control = tight)
  each <- coxph(Surv(time, event) ~ z:level + strata(level), inside, control = tight)
  test <- anova(one, each)
  list(data = counted(d), rows = rows,
       interaction = list(chi_square = one(test$Chisq[2]), df = test$Df[2], p = one(test[[4]][2])))
}

# With levels where only a penalty gives an estimate: both log likelihoods have that of the larger
# model, the sum over the levels.
penalized_interaction_of <- function(d, levels) {
  heights <- lapply(levels, function(l) penalized(d[d$stratum == l, ], FALSE))
  apart <- sum(sapply(heights, function(f) best_one(f, 0)$value))
  together <- best_one(function(b) sum(sapply(heights, function(f) f(b))), 0)
  ratio <- 2 * (apart - together$value)
  list(data = counted(d), levels = I(levels),
       interaction = list(chi_square = one(ratio), df = length(levels) - 1,
                          p = one(pchisq(ratio, length(levels) - 1, lower.tail = FALSE))))
}

frame <- function(time, event, group, stratum = NULL) {
  d <- data.frame(time = time, event = as.integer(event), group = as.integer(group))
  if (!is.null(stratum)) d$stratum <- as.integer(stratum)
  d[complete.cases(d), ]
}

data(bmt); data(channing)
deaths <- subset(colon, etype == 2)
colon_os <- with(deaths, frame(time, status, as.integer(rx) - 1, sex + 2 * node4))
myeloid_os <- with(myeloid, frame(futime, death, trt == "B", 1 + (sex == "m")))
lung_sex <- with(lung, frame(time, status == 2, sex - 1, ph.ecog))
cells <- with(veteran, frame(time, status, as.integer(celltype) - 1, trt))
ovarian_rx <- with(ovarian, frame(futime, fustat, rx - 1))
marrow <- with(bmt, frame(t2, d3, group - 1, z10))
mgus_sex <- with(mgus2, frame(futime, death, sex == "M", cut(age, c(0, 60, 70, 80, 100))))
late <- with(channing, frame(age, death, gender - 1))
late$entry <- channing$ageentry
late <- late[late$entry < late$time, ]

set.seed(20141122)
n <- 6000
tied <- frame(rpois(n, 8), rbinom(n, 1, 0.6), sample(0:4, n, TRUE), sample(1:2, n, TRUE))
# The third cohort is missing in stratum 2, the second in 3, and in 4 nobody has an event.
gaps <- frame(c(1, 2, 3, 4, 5, 6, 2, 4, 5, 7, 1, 3, 3, 6, 8, 2, 9, 4, 5, 5),
              c(1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0),
              c(0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 0, 2, 2, 0, 2, 2, 0, 0, 1, 2),
              c(1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4))
set.seed(20161122)
n <- 260
at_0 <- frame(pmax(0, round(rexp(n, 0.02) - 8)), rbinom(n, 1, 0.7), rep(0:1, n / 2), sample(1:3, n, TRUE))
# All at risk have the event on one day, in both cohorts and in one.
together <- frame(c(1, 1, 2, 2, 2, 3, 3, 3, 3, 5, 5, 5), c(1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1),
                  c(0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1))
models <- list(colon_os = model(colon_os), myeloid_os = model(myeloid_os), lung = model(lung_sex),
               veteran = model(cells), ovarian = model(ovarian_rx), bmt = model(marrow),
               mgus2 = model(mgus_sex), channing = model(late), many_ties = model(tied),
               gaps = model(gaps), day_0 = model(at_0), together = model(together))

none <- frame(c(1, 2, 3, 4, 5, 6, 7, 8, 2, 3, 5, 9, 10, 11), c(1, 0, 1, 1, 0, 1, 0, 1, rep(0, 6)),
              rep(0:1, c(8, 6)))
none_of_three <- rbind(none, frame(c(1, 4, 4, 9, 12), c(1, 1, 0, 1, 0), 2))
none_stratified <- transform(none_of_three, stratum = rep(1:2, length.out = nrow(none_of_three)))
reference_none <- transform(none, group = 1L - group)
one_event <- frame(c(3, 4, 5, 6, 7), c(1, 0, 0, 0, 0), c(0, 0, 1, 1, 1))
firth <- list(none = firth_of(none, FALSE), reference_none = firth_of(reference_none, FALSE),
              none_of_three = firth_of(none_of_three, FALSE),
              none_stratified = firth_of(none_stratified, TRUE), one_event = firth_of(one_event, FALSE),
              ovarian = firth_of(ovarian_rx, FALSE), together = firth_of(together, FALSE),
              lung = firth_of(lung_sex, TRUE), channing = firth_of(late, FALSE),
              bmt = firth_of(marrow, FALSE))
mended <- rbind(transform(lung_sex, stratum = pmin(stratum, 2L)), transform(none, stratum = 7L),
                transform(reference_none, stratum = 8L))
forests <- list(myeloid_os = forest_of(myeloid_os, 1:2), mgus2 = forest_of(mgus_sex, 1:4),
                lung = forest_of(lung_sex, 0:2), day_0 = forest_of(at_0, 1:3),
                many_ties = forest_of(subset(tied, group < 2), 1:2))
# Data of a model are written once, there.
for (name in intersect(names(models), names(forests))) forests[[name]]$data <- NULL
for (name in intersect(names(models), names(firth))) firth[[name]]$data <- NULL
penalized_forests <- list(mended = penalized_interaction_of(mended, c(0:2, 7:8)))

about <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
              made_by = "Rscript tests/oracle/cox.R")
source <- paste("colon, myeloid, lung, veteran, ovarian, mgus2: R survival (LGPL >= 2); bmt, channing:",
                "R KMsurv (GPL >= 3), data of Klein & Moeschberger; the others are made")
compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null")
section <- function(x) paste0("{\n", paste0('"', names(x), '": ', sapply(x, compact), collapse = ",\n"), "\n}")
parts <- list(models = models, firth = firth, forests = forests, penalized_forests = penalized_forests)
body <- paste0('"', names(parts), '": ', sapply(parts, section), collapse = ",\n")
writeLines(paste0('{"about": ', compact(about), ',\n"data_source": ', compact(source), ",\n", body, "}"),
           "tests/oracle/cox.json")
