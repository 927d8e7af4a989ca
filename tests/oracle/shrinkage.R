# The oracle of the shrinkage tests: metafor's REML, mean and best linear unbiased predictions.
# Debian: apt-get install r-base-core r-cran-metafor r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/shrinkage.R
suppressMessages({library(metafor); library(jsonlite)})

num <- function(x) unname(as.numeric(x))

case <- function(y, se, source = "made") {
  fit <- rma(y, sei = se, method = "REML", control = list(threshold = 1e-14, maxiter = 100000))
  each <- blup(fit)
  list(source = source, y = num(y), se = num(se), tau2 = fit$tau2, i2 = fit$I2 / 100, q = fit$QE, q_p = fit$QEp,
       mean = num(c(fit$beta, fit$ci.lb, fit$ci.ub, fit$pval)),
       levels = data.frame(estimate = num(each$pred), se = num(each$se), lower = num(each$pi.lb), upper = num(each$pi.ub)))
}
from <- function(measure) {
  e <- escalc(measure = measure, ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
  case(e$yi, sqrt(e$vi), paste("metadat::dat.bcg,", measure))
}
cases <- list(
  bcg_log_risk_ratio = from("RR"), bcg_log_odds_ratio = from("OR"), bcg_difference = from("RD"),
  viechtbauer_2005 = case(c(-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232),
                          sqrt(c(0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040)),
                          "Viechtbauer, J Educ Behav Stat 2005;30:261, table 1"),
  boundary = case(c(0.1, 0.15, 0.2, 0.12), c(0.3, 0.25, 0.4, 0.2)),
  alike = case(c(0.4, 0.4, 0.4), c(0.1, 0.2, 0.3)),
  two_levels = case(c(-0.8, 0.3), c(0.2, 0.25)), two_alike = case(c(0.1, 0.2), c(0.3, 0.3)),
  three_unequal = case(c(-0.9, 0.1, 0.6), c(0.1, 0.9, 0.35)), barely_above = case(c(-0.31, 0.12, 0.3), c(0.25, 0.22, 0.27)),
  six_levels = case(c(-0.45, -0.62, 0.1, -0.2, 0.35, -1.1), c(0.31, 0.22, 0.4, 0.28, 0.6, 0.55)),
  small_scale = case(c(-4.5e-4, -6.2e-4, 1e-3, 2e-4), c(3.1e-4, 2.2e-4, 4e-4, 2.8e-4)))
out <- list(
  about = list(R = R.version.string, metafor = as.character(packageVersion("metafor")),
               made_by = "Rscript tests/oracle/shrinkage.R"),
  data_source = "dat.bcg (Colditz et al., JAMA 1994;271:698): R package metadat, GPL (>= 2).",
  cases = cases)
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA, na = "null", pretty = TRUE), "tests/oracle/shrinkage.json")
