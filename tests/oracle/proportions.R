# The oracle of the proportion and balance tests: base R, and a second way to standardized differences.
# Debian: apt-get install r-base-core r-cran-survival r-cran-jsonlite
# Run in the project's root:  Rscript tests/oracle/proportions.R
suppressMessages({library(survival); library(jsonlite)})

score <- function(x, n) as.numeric(suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int)

one <- function(x, n) list(x = x, n = n, estimate = x / n, wilson = score(x, n),
                           exact = as.numeric(binom.test(x, n)$conf.int))

# Newcombe 1998, method 10, from prop.test's own limits.
newcombe <- function(x, n, x0, n0) {
  p <- x / n; p0 <- x0 / n0; l <- score(x, n); l0 <- score(x0, n0)
  d <- p - p0
  list(counts = c(x, n, x0, n0), estimate = d,
       lower = d - sqrt((p - l[1])^2 + (l0[2] - p0)^2),
       upper = d + sqrt((l[2] - p)^2 + (p0 - l0[1])^2))
}

# Yang & Dalton 2012 as they write it: the first level left out, the matrix inverted.
levels_difference <- function(a, b) {
  a0 <- a; b0 <- b
  used <- a + b > 0; a <- a[used]; b <- b[used]
  p <- (a / sum(a))[-1]; q <- (b / sum(b))[-1]
  S <- (diag(p, length(p)) - p %o% p + diag(q, length(q)) - q %o% q) / 2
  list(counts = I(a0), reference = I(b0),
       smd = sqrt(as.numeric(t(p - q) %*% solve(S, p - q, tol = 0))))
}

means_difference <- function(x, y) list(
  n = length(x), mean = mean(x), sd = sd(x), reference_n = length(y), reference_mean = mean(y),
  reference_sd = sd(y), smd = abs(mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2))

singles <- list(c(0, 1), c(1, 1), c(0, 10), c(10, 10), c(1, 10), c(9, 10), c(15, 20), c(81, 263),
                c(15, 148), c(0, 20), c(1, 29), c(29, 29), c(1, 100000), c(99999, 100000),
                c(123456, 1000000))
pairs <- list(c(56, 70, 48, 80), c(9, 10, 3, 10), c(6, 7, 2, 7), c(5, 56, 0, 29), c(0, 10, 0, 20),
              c(0, 10, 0, 10), c(10, 10, 0, 20), c(10, 10, 0, 10), c(1, 10, 0, 12), c(0, 1, 1, 1),
              c(41, 120, 77, 180), c(20, 20, 20, 20), c(1, 100000, 3, 100000))

d <- transform(mgus2, hgb_class = cut(hgb, c(-Inf, 10, 12, 14, Inf)))
d$hgb_class <- addNA(d$hgb_class)
by_sex <- table(d$sex, d$hgb_class)
male <- d$sex == "M"
levels_cases <- list(
  as.list(data.frame(t(unclass(by_sex)))),
  list(c(30, 70), c(55, 45)), list(c(10, 20, 30), c(15, 15, 15)), list(c(10, 20, 0), c(15, 0, 15)),
  list(c(10, 20, 0, 3), c(15, 18, 0, 9)), list(c(5, 0), c(4, 1)), list(c(7, 7, 7), c(7, 7, 7)),
  list(c(12.5, 40.25, 3.75, 0.5, 8, 11), c(9, 33.5, 6.25, 1.5, 2, 30)),
  list(c(1, 500000, 499999), c(3, 400000, 599997)))

out <- list(
  about = list(R = R.version.string, made_by = "Rscript tests/oracle/proportions.R"),
  singles = lapply(singles, function(x) one(x[1], x[2])),
  differences = lapply(pairs, function(x) do.call(newcombe, as.list(x))),
  levels = lapply(levels_cases, function(x) levels_difference(as.numeric(x[[2]]), as.numeric(x[[1]]))),
  means = list(means_difference(d$age[male], d$age[!male]), means_difference(c(1, 2), c(5, 5, 5)),
               means_difference(c(3, 4, 8), c(3, 4, 8))))
compact <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA, na = "null")
part <- function(name) {
  rows <- if (name == "about") compact(out[[name]])
          else paste0("[\n", paste(sapply(out[[name]], compact), collapse = ",\n"), "\n]")
  paste0('"', name, '": ', rows)
}
writeLines(paste0("{", paste(sapply(names(out), part), collapse = ",\n"), "}"),
           "tests/oracle/proportions.json")
