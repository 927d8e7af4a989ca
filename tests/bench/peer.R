# R's survival package on raw rows: Rscript tests/bench/peer.R ROWS.csv; prints JSON.
# Debian: apt-get install r-base-core r-cran-survival r-cran-jsonlite
suppressMessages({library(survival); library(jsonlite)})
d <- read.csv(commandArgs(TRUE)[1])
tau <- 3 * 365.25
compare <- function() {
  fit <- survfit(Surv(time, event) ~ arm, data = d, conf.type = "log-log")
  test <- survdiff(Surv(time, event) ~ arm, data = d)
  cox <- coxph(Surv(time, event) ~ arm, data = d)
  means <- survival:::survmean(fit, rmean = tau)[[1]][, "rmean"]
  at <- summary(fit, times = tau, extend = TRUE)$surv
  list(hazard_ratio = exp(unname(coef(cox))), chi_square = test$chisq,
       survival = at[2] - at[1], rmst = unname(means[2] - means[1]))
}
begin <- proc.time()[["elapsed"]]
found <- compare()
found$seconds <- proc.time()[["elapsed"]] - begin
cat(toJSON(found, auto_unbox = TRUE, digits = NA))
