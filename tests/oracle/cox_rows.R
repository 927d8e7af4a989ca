# The oracle of the Cox models on rows: R's survival package on public data and on made cases.
# Debian: apt-get install r-base-core r-cran-survival r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/cox_rows.R
suppressMessages({library(survival); library(jsonlite)})

num <- function(x) { x <- unname(as.numeric(x)); x[!is.finite(x)] <- NA; I(x) }
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 200)
set.seed(19890804)

# --- Weighted fits with robust variance. Rows of weight 0 are left out: coxph takes none.
weighted <- function(d, covariates) {
  d <- as.data.frame(d)
  w <- if (is.null(d[["weight"]])) rep(1, nrow(d)) else d[["weight"]]
  d$.id <- if (is.null(d[["cluster"]])) seq_len(nrow(d)) else d[["cluster"]]
  d$.stratum <- if (is.null(d[["stratum"]])) 1 else d[["stratum"]]
  d$.w <- w
  used <- d[w > 0, ]
  left <- if (is.null(used[["start"]])) "Surv(time, event)" else "Surv(start, time, event)"
  right <- paste(c(covariates, "strata(.stratum)"), collapse = " + ")
  fit <- coxph(as.formula(paste(left, "~", right)), data = used, weights = .w, cluster = .id,
               robust = TRUE, ties = "efron", control = tight)
  s <- summary(fit)
  list(covariates = I(covariates), coef = num(coef(fit)), se = num(sqrt(diag(fit$var))),
       naive = num(sqrt(diag(fit$naive.var))), n = fit$n, n_events = fit$nevent,
       lower = num(s$conf.int[, "lower .95"]), upper = num(s$conf.int[, "upper .95"]),
       p = num(s$coefficients[, "Pr(>|z|)"]), log_likelihood = num(fit$loglik))
}

some_weights <- function(n) round(exp(rnorm(n, 0, 0.7)), 3)
lung1 <- na.omit(with(lung, data.frame(time, event = status - 1, age, sex, ecog = ph.ecog,
                                       karno = ph.karno, weight_loss = wt.loss, cluster = inst)))
veteran1 <- with(veteran, data.frame(time, event = status, trt = trt - 1, karno, months = diagtime,
                                     age, prior = prior / 10, celltype = as.character(celltype)))
heart1 <- with(heart, data.frame(start, time = stop, event,
                                 transplant = as.integer(as.character(transplant)),
                                 age = round(age, 4), year = round(year, 4), surgery, cluster = id))
book <- data.frame(time = c(1, 1, 2, 2, 2, 2, 3, 4, 5), event = c(1, 0, 1, 1, 1, 0, 0, 1, 0),
                   x = c(2, 0, 1, 1, 0, 1, 0, 1, 0), weight = c(1, 2, 3, 4, 3, 2, 1, 2, 1))
made <- function(n, days, share) data.frame(
  time = sample(0:days, n, TRUE), event = rbinom(n, 1, share), x = rbinom(n, 1, 0.4),
  y = round(rnorm(n), 3), weight = some_weights(n))
ties <- made(60, 5, 0.7)
zero <- made(50, 20, 0.5); zero$weight[c(1, 4, 9, 16, 25)] <- 0
extreme <- made(80, 40, 0.6); extreme$weight <- signif(exp(rnorm(80, 0, 3)), 4)
pieces <- made(120, 12, 0.6); pieces$time <- pieces$time + 1
pieces$start <- pmax(0, pieces$time - sample(1:8, 120, TRUE))
pieces$cluster <- rep(1:40, 3); pieces$stratum <- rep(c("a", "b", "c"), length.out = 120)
all_on_one_day <- transform(made(30, 0, 0.5), time = 0)
# White cell counts over four decades.
white_cells <- data.frame(
  time = c(3, 11, 8, 6, 9, 14, 9, 45, 44, 22, 17, 7, 51, 34, 6, 1, 11, 1, 14, 5, 7, 81, 2, 16,
    6),
  event = c(1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1),
  x = c(1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0),
  cells = c(36103, 14040, 3611, 673, 184464, 10927, 2462, 1311, 11584, 423, 14608, 1890, 1081,
    715, 791, 70210, 2751, 71585, 2701, 8054, 501, 83, 197901, 654, 587950))

colon1 <- read.csv("etl/examples/colon.csv", na.strings = c("", "NA"))
colon1 <- transform(colon1, event = status, lev = as.integer(rx == "Lev"),
                    lev5fu = as.integer(rx == "Lev+5FU"), cluster = id, stratum = etype)

rows <- list(
  lung_weights = cbind(lung1[, -8], weight = some_weights(nrow(lung1))),
  lung_institutions = lung1,
  veteran_strata = cbind(veteran1[, -8], stratum = veteran1$celltype,
                         weight = some_weights(nrow(veteran1))),
  heart = cbind(heart1, weight = some_weights(nrow(heart1))), heart_equal_weights = heart1,
  book = book, ties = ties, zero = zero, extreme = extreme, pieces = pieces,
  all_on_one_day = all_on_one_day, white_cells = white_cells,
  one_covariate = made(150, 30, 0.6)[, c("time", "event", "x", "weight")])
fits <- list(
  lung_weights = weighted(rows$lung_weights, c("age", "sex", "ecog", "karno", "weight_loss")),
  lung_institutions = weighted(lung1, c("age", "sex", "ecog")),
  veteran_strata = weighted(rows$veteran_strata, c("trt", "karno", "months", "age", "prior")),
  heart = weighted(rows$heart, c("transplant", "age", "year", "surgery")),
  heart_equal_weights = weighted(heart1, c("transplant", "age", "year", "surgery")),
  book = weighted(book, "x"), ties = weighted(ties, c("x", "y")), zero = weighted(zero, c("x", "y")),
  extreme = weighted(extreme, c("x", "y")), pieces = weighted(pieces, c("x", "y")),
  all_on_one_day = weighted(all_on_one_day, c("x", "y")),
  white_cells = weighted(white_cells, c("x", "cells")), one_covariate = weighted(rows$one_covariate, "x"),
  colon_two_rows = weighted(colon1, c("lev", "lev5fu", "node4", "age")))

# --- Several covariates, with categories and missing values.
model <- function(d, formula) {
  fit <- coxph(formula, data = d, ties = "efron", control = tight)
  s <- summary(fit)
  test <- function(x) num(x[c("test", "df", "pvalue")])
  list(coef = num(coef(fit)), se = num(sqrt(diag(fit$var))), n = fit$n, n_events = fit$nevent,
       n_missing = nrow(d) - fit$n, lower = num(s$conf.int[, "lower .95"]),
       upper = num(s$conf.int[, "upper .95"]), p = num(s$coefficients[, "Pr(>|z|)"]),
       log_likelihood = num(fit$loglik), likelihood_ratio = test(s$logtest),
       wald = num(c(fit$wald.test, s$waldtest[c("df")],
                    pchisq(fit$wald.test, s$waldtest["df"], lower.tail = FALSE))),
       score = test(s$sctest))
}
lung2 <- with(lung, data.frame(time, event = status - 1, age, sex, ecog = ph.ecog, karno = ph.karno,
                               weight_loss = wt.loss, inst))
mgus <- with(mgus2, data.frame(time = futime, event = death, switch = ifelse(pstat == 1, ptime, NA),
                               age, sex = as.character(sex), hgb, creat, mspike))
celltype <- function(d) transform(d, celltype = relevel(factor(celltype), "squamous"))
models <- list(
  lung = model(lung2, Surv(time, event) ~ age + sex + ecog + karno + weight_loss),
  lung_strata = model(lung2, Surv(time, event) ~ age + ecog + strata(sex, inst)),
  veteran = model(celltype(veteran1), Surv(time, event) ~ trt + karno + months + age + prior + celltype),
  mgus2 = model(mgus, Surv(time, event) ~ age + relevel(factor(sex), "F") + hgb + creat + mspike),
  white_cells = model(white_cells, Surv(time, event) ~ x + cells),
  colon = model(transform(colon1[colon1$etype == 2, ], rx = relevel(factor(rx), "Obs"),
                          differ = relevel(factor(differ), "2")),
                Surv(time, event) ~ rx + age + differ + nodes + strata(extent)))

# --- A covariate that switches on. The rows are tmerge's; day 0 is half a day in them.
switching <- function(d) {
  d <- transform(d, id = seq_len(nrow(d)), time = ifelse(time0 == 0, 0.5, time0),
                 switch = ifelse(time0 == 0, NA, switch))  # no switch on the last day
  p <- tmerge(d[, c("id", "time")], d, id = id, event = event(time, event))
  p <- tmerge(p, d, id = id, state = tdc(switch))
  p$state[is.na(p$state)] <- 0
  # tmerge takes no time before the first row for a change: on from the start.
  p$state[p$id %in% d$id[!is.na(d$switch) & d$switch <= 0 & d$switch < d$time0]] <- 1
  p
}
survival_at <- function(fit, times) {
  at <- summary(fit, times = times, extend = TRUE)
  list(survival = num(at$surv), lower = num(at$lower), upper = num(at$upper))
}
switch_on <- function(d, times, fewest = 10) {
  d$time0 <- d$time
  p <- switching(d)
  stopifnot(sum(p$event) == sum(d$event))
  fit <- coxph(Surv(tstart, tstop, event) ~ state, data = p, control = tight)
  # Mantel & Byar: one two-by-two table (state, event) for each event time, Mantel-Haenszel.
  tables <- sapply(sort(unique(p$tstop[p$event == 1])), simplify = "array", function(u) {
    r <- p[p$tstart < u & p$tstop >= u, ]
    table(factor(r$state, 0:1), factor(r$event == 1 & r$tstop == u, c(FALSE, TRUE)))
  })
  several <- apply(tables, 3, sum) > 1
  mantel_byar <- mantelhaen.test(tables[, , several], correct = FALSE)$statistic
  s <- summary(fit)
  days <- sort(unique(c(0, d$switch[!is.na(d$switch) & d$switch > 0])))
  n_at <- function(k) sapply(days, function(u) sum(p$tstart <= u & p$tstop > max(u, 0.5) & p$state == k))
  enough <- days[pmin(n_at(0), n_at(1)) >= fewest]
  first <- if (length(enough)) enough[1] else NA
  curves <- NULL
  if (!is.na(first)) {
    # Day 0 events are at half a day here, and before the start of the curves.
    q <- p[p$tstop > max(first, 0.5), ]
    q$tstart <- pmax(q$tstart, first)
    curves <- lapply(0:1, function(k) {
      g <- q[q$state == k, ]
      at <- times[times >= first & times <= max(g$tstop)]
      c(list(times = num(at),
             at_risk = num(sapply(at, function(u) sum(g$tstart < u & g$tstop >= u)))),
        survival_at(survfit(Surv(tstart, tstop, event) ~ 1, data = g, conf.type = "log-log"), at))
    })
  }
  list(rows = nrow(p), events_after = sum(p$event[p$state == 1]), switched = sum(p$state),
       coef = num(coef(fit)), se = num(sqrt(fit$var)), lower = num(s$conf.int[, "lower .95"]),
       upper = num(s$conf.int[, "upper .95"]), p = num(s$coefficients[, "Pr(>|z|)"]),
       mantel_byar = num(mantel_byar), first = first, fewest = fewest,
       before = curves[[1]], after = curves[[2]])
}
jasa1 <- with(jasa, data.frame(time = futime, event = fustat, switch = wait.time))
moved <- function(n, days, share) {
  d <- data.frame(time = sample(0:days, n, TRUE), event = rbinom(n, 1, 0.6),
                  switch = sample(0:days, n, TRUE))
  d$switch[runif(n) > share] <- NA
  d
}
corners <- data.frame(
  time = c(0, 0, 0, 3, 3, 5, 5, 5, 8, 8, 9, 9, 12, 12, 15, 4, 4, 6),
  event = c(1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1),
  switch = c(NA, 0, 0, 3, 3, 9, 2, NA, 0, -4, NA, 5, 12, 5, 1, -1, NA, NA))
switches <- list(jasa = jasa1, mgus2 = mgus[, c("time", "event", "switch")],
                 ties = moved(90, 6, 0.6), many = moved(250, 60, 0.5), corners = corners)
switched <- list(
  jasa = switch_on(jasa1, c(0, 5, 10, 30, 60, 90, 180, 365, 700, 1000, 1799)),
  mgus2 = switch_on(switches$mgus2, c(1, 12, 60, 120, 200, 300, 424)),
  ties = switch_on(switches$ties, 0:6), many = switch_on(switches$many, seq(0, 60, 5)),
  corners = switch_on(corners, c(0, 1, 2, 3, 5, 8, 12, 15), fewest = 3))

# --- Landmark.
landmark <- function(d, day, times) {
  by_then <- !is.na(d$switch) & d$switch <= pmin(day, d$time)
  one <- function(k) {
    g <- d[by_then == k, ]
    kept <- g[g$time > day, ]
    fit <- survfit(Surv(time - day, event) ~ 1, data = kept, conf.type = "log-log")
    at <- times[times <= max(kept$time - day)]
    c(list(n = nrow(kept), events = sum(kept$event), times = num(at),
           dropped = I(c(sum(g$time <= day & g$event == 1), sum(g$time <= day & g$event == 0)))),
      survival_at(fit, at))
  }
  test <- survdiff(Surv(time - day, event) ~ by_then, data = d, subset = time > day)
  list(day = day, groups = list(one(FALSE), one(TRUE)), chi_square = test$chisq)
}
landmarks <- list(
  jasa_30 = c(landmark(jasa1, 30, c(0, 10, 60, 200, 900)), data = "jasa"),
  jasa_90 = c(landmark(jasa1, 90, c(0, 10, 60, 200, 900)), data = "jasa"),
  mgus2_60 = c(landmark(switches$mgus2, 60, c(1, 30, 100, 250)), data = "mgus2"),
  ties_2 = c(landmark(switches$ties, 2, 0:4), data = "ties"),
  many_20 = c(landmark(switches$many, 20, c(1, 10, 30)), data = "many"),
  corners_0 = c(landmark(corners, 0, c(3, 5, 9)), data = "corners"),
  corners_5 = c(landmark(corners, 5, c(3, 4)), data = "corners"))

about <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
              made_by = "Rscript tests/oracle/cox_rows.R")
source <- paste(
  "lung, veteran, heart, jasa and mgus2 are data sets of R's survival package (T Therneau, LGPL",
  "2 or later); colon is read from etl/examples; book is the weighted test data set of that",
  "package's validation vignette; the others are made in cox_rows.R.")
compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null", null = "null",
                              dataframe = "columns")
named <- function(x) paste0("{\n", paste0('"', names(x), '": ', sapply(x, compact),
                                          collapse = ",\n"), "\n}")
data <- list(lung = lung2, veteran = veteran1, mgus2 = mgus)
writeLines(paste0('{"about": ', compact(about), ',\n"data_source": ', compact(source),
                  ',\n"rows": ', named(rows), ',\n"fits": ', named(fits), ',\n"data": ', named(data),
                  ',\n"models": ', named(models), ',\n"switches": ', named(switches[-2]),
                  ',\n"switched": ', named(switched), ',\n"landmarks": ', named(landmarks), "\n}"),
           "tests/oracle/cox_rows.json")
