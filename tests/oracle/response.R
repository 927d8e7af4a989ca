# The oracle of the response page: definitions of remission and of MRD, courses, flow, subgroups.
# Base R; written from the definitions, not from the Python. Reads a demo export as allrez.R does.
# Debian: apt-get install r-base-core r-cran-survival
# Run in the project's root:
#   Rscript tests/oracle/response.R FOLDER [PATIENTS SEED] > tests/oracle/response.json
#
# Records as those of allrez.R, question response; a comparison has cohort and comparator. Measures:
# remission_morphology, remission_counts, remission_mrd (no timepoint_code); mrd_1e-4, mrd_1e-3,
# mrd_lod at each timepoint_code. missing = not_negative (all of the denominator count) or left_out
# (without those of whom nothing is known). A proportion of nobody has numerator and denominator 0.
# A definition of remission splits only the remissions by the landmark: one of a type that does not
# satisfy it is other_remission, known and no yes; everybody else has the same class under each.
# MRD class died: came to the time point and died, without a sample, by the last day of its window;
# known, no yes, neither sampled nor evaluable.
# Populations (primary lines of kind first_relapse): all; default (derived S3, S4).
#   class_count                numerator of denominator (all); level_code = class
#   changed_count              measure_code = "A|B": whose class differs, of all
#   change_count               measure_code = "A|B", level_code = "class under A|class under B"; only
#                              pairs that somebody has
#   proportion, proportion_difference   denominator_code = enrolled | started | sampled | evaluable;
#                              Wilson, Newcombe
#   proportion_worst, proportion_best   of the enrolled: nobody of whom nothing is known is a yes, or
#                              everybody is
#   flow_count                 level_code = the stages joined by ">", only paths that somebody has;
#                              measure_code = the threshold of its MRD stages
#   subgroup_proportion        characteristic_code, level_code ("missing" is a level; only levels that
#                              somebody has); Wilson
#   subgroup_difference, subgroup_odds_ratio     Newcombe; conditional likelihood, exact limits. No odds
#                              ratio if nobody or everybody is a yes; without characteristic_code: all
#   interaction_difference, interaction_odds_ratio   p_value; numerator = levels compared, missing not
#                              among them; reason two_levels_needed; for odds half_added (Firth)
# Courses of BLINA of the primary lines of each kind: item_code = kind, population all.
#   course_count               numerator; course_number
#   course_class_count         course_number, measure_code, level_code = class after the course
#   course_proportion          course_number, measure_code, missing: negative after the course, Wilson
#   course_burden_proportion   the same of course 1 by level_code = high | mrd_positive | mrd_negative |
#                              unknown before it
#   course_cells_proportion    of course 1; level_code = planned | not_planned | cells_by_day_8 |
#                              no_cells_by_day_8; by cohort, without cohort all
#   course_cells_dropped       numerator; level_code = died | stopped: not in the day-8 groups
#   course_infusions_per_28_days   numerator infusions, denominator days; course_number or all courses
#   course_cells_apart         numerator; level_code = donor | after_transplant: not in those infusions
source("tests/oracle/allrez.R")

KEYS <- c(KEYS, "missing", "course_number")
MEASURES <- c("mrd_1e-4", "mrd_1e-3", "mrd_lod")
DEFINITIONS <- list(remission_morphology = c("M1", "M1 and counts", "MRD", NA),
                    remission_counts = "M1 and counts", remission_mrd = "MRD")
TWO_YEARS <- 2 * 365.25

# ---------------------------------------------------------------- proportions

REMISSION <- list(
  yes = "remission", sampled = c("remission", "other_remission", "non_response"),
  evaluable = c("remission", "other_remission", "non_response", "early_death"),
  unknown = c("not_evaluable", "in_doubt"),
  classes = c("remission", "other_remission", "non_response", "early_death", "not_evaluable", "in_doubt"))
MRD <- list(
  yes = "negative", sampled = c("negative", "positive", "indeterminate", "not_evaluable"),
  evaluable = c("negative", "positive"),
  unknown = c("indeterminate", "not_evaluable", "not_sampled", "too_early", "in_doubt"),
  classes = c("negative", "positive", "indeterminate", "not_evaluable", "not_sampled", "too_early",
              "in_doubt", "died", "not_reached"))
DENOMINATORS <- c("enrolled", "started", "sampled", "evaluable")
MISSING <- c("not_negative", "left_out")
SUBGROUPED <- list(c("enrolled", "not_negative"), c("evaluable", "left_out"))

# d: cohort, class, started. Those of d who count.
counted <- function(d, kind, denominator, missing) {
  in_it <- switch(denominator, enrolled = rep(TRUE, nrow(d)), started = d$started,
                  d$class %in% kind[[denominator]])
  d[in_it & (missing == "not_negative" | !d$class %in% kind$unknown), ]
}

yes_by_cohort <- function(d, kind) by_cohort(d, function(g) sum(g$class == kind$yes))

emit_share <- function(statistic, x, n, ...) {
  limits <- if (n > 0) wilson(x, n) else NA
  emit("response", statistic, ..., estimate = if (n > 0) x / n, lower = limits[1],
       upper = limits[length(limits)], numerator = x, denominator = n)
}

emit_shares <- function(statistic, x, n, ...)
  for (i in seq_along(COHORTS)) emit_share(statistic, x[i], n[i], ..., cohort = COHORTS[[i]])

# f: what to emit of the reference and another cohort, for each other cohort.
each_pair <- function(f) for (i in seq_along(COHORTS)[-1])
  f(i, list(cohort = COHORTS[[i]], comparator = COHORTS[[1]]))

emit_differences <- function(statistic, x, n, ...) each_pair(function(i, pair) {
  if (n[1] == 0 || n[i] == 0) return()
  d <- newcombe(x[1], n[1], x[i], n[i])
  do.call(emit, c(list("response", statistic, ...), pair,
                  list(estimate = d[1], lower = d[2], upper = d[3])))
})

one_measure <- function(d, kind, ...) {
  n <- by_cohort(d, nrow)
  for (class in kind$classes)
    for (i in seq_along(COHORTS))
      emit("response", "class_count", ..., cohort = COHORTS[[i]], level_code = class,
           numerator = sum(d$class == class & d$cohort == COHORTS[[i]]), denominator = n[i])
  for (denominator in DENOMINATORS) for (missing in MISSING) {
    who <- counted(d, kind, denominator, missing)
    x <- yes_by_cohort(who, kind); m <- by_cohort(who, nrow)
    emit_shares("proportion", x, m, ..., denominator_code = denominator, missing = missing)
    emit_differences("proportion_difference", x, m, ..., denominator_code = denominator, missing = missing)
  }
  x <- yes_by_cohort(d, kind)
  gaps <- by_cohort(d, function(g) sum(g$class %in% kind$unknown))
  emit_shares("proportion_worst", x, n, ..., denominator_code = "enrolled")
  emit_shares("proportion_best", x + gaps, n, ..., denominator_code = "enrolled")
}

# classes: the class of each patient of d under each definition.
changes <- function(d, classes, ...) for (two in combn(names(classes), 2, simplify = FALSE)) {
  a <- classes[[two[1]]]; b <- classes[[two[2]]]
  both <- paste(a, b, sep = "|")
  for (k in COHORTS) {
    here <- d$cohort == k
    of <- function(statistic, n, level = NULL)
      emit("response", statistic, ..., cohort = k, measure_code = paste(two, collapse = "|"),
           level_code = level, numerator = n, denominator = sum(here))
    of("changed_count", sum(a[here] != b[here]))
    for (pair in sort(unique(both[here]))) of("change_count", sum(both[here] == pair), pair)
  }
}

# ---------------------------------------------------------------- subgroups

# Definitions of another script by their names, without running it.
take <- function(path, names) for (step in as.list(parse(path)))
  if (identical(step[[1]], quote(`<-`)) && deparse(step[[2]])[1] %in% names) eval(step, globalenv())
take("tests/oracle/tables.R", c("exact_odds", "root"))

# Rows: levels; x of n in the cohort, x0 of n0 in the reference. Cochran's Q with inverse variances,
# half a patient more in each cell of a level without variance.
difference_interaction <- function(s) {
  flat <- s$x == 0 | s$x == s$n; flat0 <- s$x0 == 0 | s$x0 == s$n0
  half <- ifelse(flat & flat0, 0.5, 0)
  p <- (s$x + half) / (s$n + 2 * half); p0 <- (s$x0 + half) / (s$n0 + 2 * half)
  w <- 1 / (p * (1 - p) / (s$n + 2 * half) + p0 * (1 - p0) / (s$n0 + 2 * half))
  d <- p - p0
  q <- sum(w * (d - weighted.mean(d, w))^2)
  list(p_value = pchisq(q, nrow(s) - 1, lower.tail = FALSE))
}

# Likelihood ratio of glm. Firth's penalty of the full model is half a patient more in every cell.
odds_interaction <- function(s) {
  half <- if (min(s$x, s$n - s$x, s$x0, s$n0 - s$x0) == 0) 0.5 else 0
  yes <- c(s$x, s$x0) + half; no <- c(s$n - s$x, s$n0 - s$x0) + half
  level <- factor(rep(seq_len(nrow(s)), 2)); cohort <- rep(1:0, each = nrow(s))
  fit <- function(formula) suppressWarnings(glm(  # halves are no counts
    formula, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 200)))
  ratio <- deviance(fit(cbind(yes, no) ~ level + cohort)) - deviance(fit(cbind(yes, no) ~ level * cohort))
  list(p_value = pchisq(ratio, nrow(s) - 1, lower.tail = FALSE), reason = if (half > 0) "half_added")
}

interactions <- function(s, i, ...) {
  s <- data.frame(x = s$x[, i], n = s$n[, i], x0 = s$x[, 1], n0 = s$n[, 1])
  s <- s[s$n > 0 & s$n0 > 0, ]
  for (test in c("difference_interaction", "odds_interaction")) {
    found <- if (nrow(s) > 1) match.fun(test)(s) else list(reason = "two_levels_needed")
    statistic <- c(difference_interaction = "interaction_difference",
                   odds_interaction = "interaction_odds_ratio")[[test]]
    do.call(emit, c(list("response", statistic, ...), list(numerator = nrow(s)), found))
  }
}

emit_odds_ratios <- function(x, n, ...) each_pair(function(i, pair) {
  s <- x[1] + x[i]
  if (n[1] == 0 || n[i] == 0 || s == 0 || s == n[1] + n[i]) return()
  o <- exact_odds(x[i], n[i], x[1], n[1])
  do.call(emit, c(list("response", "subgroup_odds_ratio", ...), pair, o))
})

# d: cohort, class, started and the characteristics. In tables: a row a level, a column a cohort.
one_characteristic <- function(d, who, kind, name, levels, ...) {
  level_of <- function(g) ifelse(is.na(g[[name]]), "missing", g[[name]])
  known <- c(levels, "missing")
  stopifnot(level_of(d) %in% known)
  shown <- known[known %in% level_of(d)]
  tables <- list(n = matrix(0, 0, length(COHORTS)), x = matrix(0, 0, length(COHORTS)))
  for (level in shown) {
    g <- who[level_of(who) == level, ]
    x <- yes_by_cohort(g, kind); n <- by_cohort(g, nrow)
    emit_shares("subgroup_proportion", x, n, ..., characteristic_code = name, level_code = level)
    emit_differences("subgroup_difference", x, n, ..., characteristic_code = name, level_code = level)
    emit_odds_ratios(x, n, ..., characteristic_code = name, level_code = level)
    if (level != "missing") tables <- list(n = rbind(tables$n, n), x = rbind(tables$x, x))
  }
  each_pair(function(i, pair)
    do.call(interactions, c(list(tables, i, ..., characteristic_code = name), pair)))
}

subgroups <- function(d, kind, characteristics, ...) for (choice in SUBGROUPED) {
  of <- list(..., denominator_code = choice[1], missing = choice[2])
  who <- counted(d, kind, choice[1], choice[2])
  do.call(emit_odds_ratios, c(list(yes_by_cohort(who, kind), by_cohort(who, nrow)), of))
  for (name in names(characteristics))
    do.call(one_characteristic, c(list(d, who, kind, name, characteristics[[name]]), of))
}

# ---------------------------------------------------------------- remission and MRD of a line

key_of <- function(d) paste(d$case_id, d$line_number)

# Whether a course of any block began in the line.
started_of <- function(lines, x) key_of(lines) %in% key_of(x$courses)

# The class of each line under each definition; a line has one remission. lines: with_response.
remission_classes <- function(lines, x) {
  type <- x$lines$remission_type[match(key_of(lines), key_of(x$lines))]
  stopifnot(type %in% unlist(DEFINITIONS))
  lapply(DEFINITIONS, function(types)
    ifelse(lines$class == "remission" & !type %in% types, "other_remission", lines$class))
}

# The class at the assay's own limit; equal to nine digits.
lod_class <- function(s) {
  at_most <- function(a, b) !is.na(a) && !is.na(b) && a <= b * (1 + 1e-9)
  if (s$result == "failed") return("not_evaluable")
  if (s$result == "detected") return("positive")
  if (s$result == "undetectable") return(if (is.na(s$lod)) "indeterminate" else "negative")
  value <- mrd_fraction(s$result, s$unit)
  stopifnot(is.finite(value))
  if (grepl("^<", s$result)) return(if (at_most(value, s$lod)) "negative" else "indeterminate")
  if (is.na(s$lod) || at_most(s$lod, value)) "positive" else "indeterminate"
}

# The class of the last sample in [from, to] under each measure, or why the line has none.
sample_classes <- function(s, from, to, line) {
  s <- tail(s[s$sample >= from & s$sample <= to, ], 1)
  if (!is.finite(to) || nrow(s) == 0)
    return(setNames(rep(unsampled(line, to), length(MEASURES)), MEASURES))
  c(vapply(THRESHOLDS, function(threshold) mrd_class(s, threshold), ""), mrd_lod = lod_class(s))
}

classes_at <- function(lines, point, x, samples) {
  found <- vapply(seq_len(nrow(lines)), function(i) {
    ends <- sampling_window(lines[i, ], point, x)
    s <- samples[samples$case_id == lines$case_id[i], ]
    sample_classes(s, ends[1], ends[2], lines[i, ])
  }, character(length(MEASURES)))
  as.data.frame(t(found))
}

measures <- function(d, remission, points, population) {
  d$started <- d$begun
  for (name in names(remission)) {
    d$class <- remission[[name]]
    one_measure(d, REMISSION, population = population, measure_code = name)
  }
  changes(d, remission, population = population)
  for (point in names(points)) {
    d$started <- points[[point]][[1]] != "not_reached"
    for (name in MEASURES) {
      d$class <- points[[point]][[name]]
      one_measure(d, MRD, population = population, timepoint_code = point, measure_code = name)
    }
    changes(d, points[[point]], population = population, timepoint_code = point)
  }
}

subgroup_measures <- function(d, remission, points, population) {
  d$started <- d$begun; d$class <- remission$remission_morphology
  subgroups(d, REMISSION, CHARACTERISTICS, population = population, measure_code = "remission_morphology")
  d$class <- points$after_induction[["mrd_1e-4"]]; d$started <- d$class != "not_reached"
  subgroups(d, MRD, CHARACTERISTICS, population = population, timepoint_code = "after_induction",
            measure_code = "mrd_1e-4")
}

# ---------------------------------------------------------------- flow

state_at_two_years <- function(d) {
  efs <- SURVIVAL$efs(d); os <- SURVIVAL$os(d)
  ifelse(is.na(efs$time) | is.na(os$time), "unknown",
         ifelse(os$state > 0 & os$time <= TWO_YEARS, "dead",
                ifelse(efs$time > TWO_YEARS, "alive_without_event",
                       ifelse(efs$state > 0 & os$time > TWO_YEARS, "alive_after_event", "not_followed"))))
}

mrd_merged <- function(class)
  ifelse(class %in% c("negative", "positive", "indeterminate", "died", "not_reached"), class, "not_known")

flow <- function(d, remission, points, x, population) {
  given <- key_of(d) %in% key_of(x$courses[x$courses$block == "BLINA", ])
  transplanted <- vapply(seq_len(nrow(d)), function(i)
    is.finite(anchor_day(d[i, ], TIMEPOINTS$before_transplant, x)), NA)
  for (name in MEASURES) {
    path <- paste(remission$remission_morphology, mrd_merged(points$after_induction[[name]]),
                  ifelse(given, "started", "not_started"), mrd_merged(points$after_blina1[[name]]),
                  ifelse(transplanted, "transplanted", "not_transplanted"), state_at_two_years(d), sep = ">")
    for (k in COHORTS) for (way in sort(unique(path[d$cohort == k])))
      emit("response", "flow_count", population = population, cohort = k, measure_code = name,
           level_code = way, numerator = sum(path == way & d$cohort == k), denominator = sum(d$cohort == k))
  }
}

# ---------------------------------------------------------------- courses

BEFORE <- 42
AFTER <- c(21, 56)
HIGH <- 5  # blasts in %

# One row a course of BLINA: its line, the days between which samples count, its infusions.
courses_given <- function(lines, x) {
  k <- x$courses[x$courses$block == "BLINA", ]
  k <- data.frame(case_id = k$case_id, line_number = as.integer(k$line_number),
                  course_number = as.integer(k$course_number), course = k$start, stop = k$stop)
  k <- merge(k, lines, by = c("case_id", "line_number"))
  k <- k[order(k$case_id, k$line_number, k$course_number), ]
  begun <- rbind(x$courses[c("case_id", "line_number", "start")],
                 transplant_windows(x)[c("case_id", "line_number", "start")])
  k$from <- vapply(seq_len(nrow(k)), function(i) first_day_before(k[i, ], x), 0)
  k$until <- vapply(seq_len(nrow(k)), function(i) {
    # The next course of the case, whatever line it is of: what is seen after it is seen after it.
    later <- begun$start[begun$case_id == k$case_id[i] & begun$start > k$course[i]]
    min(k$course[i] + AFTER[2], later)
  }, 0)
  k
}

# The first day whose samples are of before the course: after the end of the block's previous course
# of the case, whatever line that was of.
first_day_before <- function(one, x) {
  of_case <- x$courses[x$courses$block == "BLINA" & x$courses$case_id == one$case_id, ]
  stopifnot(!duplicated(of_case$start))
  previous <- of_case[of_case$start < one$course, ]
  previous <- previous[which.max(previous$start), ]
  max(one$course - BEFORE, ifelse(is.na(previous$stop), previous$start, previous$stop) + 1)
}

marrow_blasts <- function(x) {
  a <- x$assessments
  a <- a[a$material == "BM" & a$method == "morphology" & a$measure == "blasts", ]
  a$value <- suppressWarnings(as.numeric(a$result)) * ifelse(a$unit == "%", 1, 100)
  a <- a[!is.na(a$value), ]
  a[order(a$sample), ]
}

# Columns: the class after the course and the burden before it, under each measure.
with_samples <- function(k, samples, blasts) {
  after <- before <- matrix("", nrow(k), length(MEASURES), dimnames = list(NULL, MEASURES))
  for (i in seq_len(nrow(k))) {
    s <- samples[samples$case_id == k$case_id[i], ]
    b <- blasts[blasts$case_id == k$case_id[i] & blasts$sample >= k$from[i] & blasts$sample <= k$course[i], ]
    after[i, ] <- sample_classes(s, k$course[i] + AFTER[1], k$until[i], k[i, ])[MEASURES]
    was <- sample_classes(s, k$from[i], k$course[i], k[i, ])[MEASURES]
    mrd <- ifelse(was %in% c("positive", "negative"), paste0("mrd_", was), "unknown")
    high <- nrow(b) > 0 && tail(b$value, 1) >= HIGH
    before[i, ] <- if (high) "high" else mrd
  }
  k$after <- after; k$before <- before
  k
}

# Infusions with the row of their course; cells apart are a donor's or given after a transplant.
infusions_given <- function(x, k) {
  i <- x$infusions[x$infusions$block == "BLINA", ]
  i$row <- match(paste(key_of(i), i$course_number), paste(key_of(k), k$course_number))
  i <- i[!is.na(i$row), ]
  t <- x$transplants
  transplant <- vapply(i$case_id, function(id) min(Inf, t$transplant[t$case_id == id]), 0)
  i$apart <- ifelse(i$start > transplant, "after_transplant", "no")
  i$apart[i$cell_source %in% "donor"] <- "donor"
  i$apart[i$kind != "CD3"] <- NA
  i
}

with_cells <- function(k, i) {
  day_8 <- k$course + 7
  own <- i[i$apart %in% "no", ]
  early <- own$row[own$start >= k$course[own$row] & own$start <= day_8[own$row]]
  k$cells <- ifelse(seq_len(nrow(k)) %in% early, "cells_by_day_8", "no_cells_by_day_8")
  k$cells[!is.na(k$stop) & k$stop < day_8] <- "stopped"
  k$cells[!is.na(k$death) & k$death <= day_8] <- "died"
  k$planned <- ifelse(k$cohort == "allrez2016", "planned", "not_planned")
  k
}

course_classes <- function(k, kind) for (number in sort(unique(k$course_number))) for (cohort in COHORTS) {
  g <- k[k$course_number == number & k$cohort == cohort, ]
  of <- list(population = "all", cohort = cohort, item_code = kind, block_code = "blina",
             course_number = number)
  do.call(emit, c(list("response", "course_count"), of, list(numerator = nrow(g))))
  for (name in MEASURES) {
    for (class in setdiff(MRD$classes, "not_reached"))
      do.call(emit, c(list("response", "course_class_count"), of, list(
        measure_code = name, level_code = class, numerator = sum(g$after[, name] == class),
        denominator = nrow(g))))
    emit_responses("course_proportion", g, name, of)
  }
}

# Negative after the course, under both rules for what is missing.
emit_responses <- function(statistic, g, name, of) for (missing in MISSING) {
  class <- g$after[, name]
  if (missing == "left_out") class <- class[!class %in% MRD$unknown]
  do.call(emit_share, c(list(statistic, sum(class == "negative"), length(class)), of,
                        list(measure_code = name, missing = missing)))
}

first_courses <- function(k, kind) {
  of <- list(population = "all", item_code = kind, block_code = "blina", course_number = 1)
  for (name in MEASURES) for (cohort in COHORTS)
    for (burden in c("high", "mrd_positive", "mrd_negative", "unknown"))
      emit_responses("course_burden_proportion", k[k$cohort == cohort & k$before[, name] == burden, ], name,
                     c(of, cohort = cohort, level_code = burden))
  for (cohort in c(NA, COHORTS)) {
    g <- k[is.na(cohort) | k$cohort == cohort, ]
    here <- c(of, if (!is.na(cohort)) list(cohort = cohort))
    for (name in MEASURES) {
      for (group in sort(unique(g$planned)))
        emit_responses("course_cells_proportion", g[g$planned == group, ], name, c(here, level_code = group))
      for (group in c("cells_by_day_8", "no_cells_by_day_8"))
        emit_responses("course_cells_proportion", g[g$cells == group, ], name, c(here, level_code = group))
    }
    for (why in c("died", "stopped"))
      do.call(emit, c(list("response", "course_cells_dropped"), here,
                      list(level_code = why, numerator = sum(g$cells == why))))
  }
}

# Infusions of cells over days of blinatumomab; a segment without its end adds none.
infusion_rates <- function(k, i, kind, ...) for (cohort in COHORTS) {
  g <- i[k$cohort[i$row] == cohort & k$kind[i$row] == kind, ]
  of <- list(..., population = "all", cohort = cohort, item_code = kind, block_code = "blina")
  drug <- g[g$kind == "blinatumomab" & !is.na(g$stop), ]
  cells <- sum(g$apart %in% "no"); days <- sum(drug$stop - drug$start + 1)
  do.call(emit, c(list("response", "course_infusions_per_28_days"), of, list(
    estimate = if (days > 0) 28 * cells / days, numerator = cells, denominator = days,
    unit = "per_28_days")))
  for (why in c("donor", "after_transplant"))
    do.call(emit, c(list("response", "course_cells_apart"), of, list(
      level_code = why, numerator = sum(g$apart %in% why))))
}

course_question <- function(lines, x, samples) {
  k <- with_samples(courses_given(with_response(lines[lines$primary, ], x), x), samples, marrow_blasts(x))
  i <- infusions_given(x, k)
  k <- with_cells(k, i)
  for (kind in c("first_relapse", "refractory", "second_relapse", "molecular")) {
    g <- k[k$kind == kind, ]
    if (nrow(g) == 0) next
    course_classes(g, kind)
    first_courses(g[g$course_number == 1, ], kind)
    infusion_rates(k, i, kind)
    infusion_rates(k, i[k$course_number[i$row] == 1, ], kind, course_number = 1)
  }
}

# ---------------------------------------------------------------- all of it

response_numbers <- function(x) {
  lines <- lines_of(x, baseline(x$patients))
  first <- lines[lines$primary & lines$kind == "first_relapse", ]
  first <- with_response(first, x)
  remission <- as.data.frame(remission_classes(first, x))
  first$begun <- started_of(first, x)
  samples <- mrd_samples(x)
  points <- lapply(TIMEPOINTS, function(point) classes_at(first, point, x, samples))
  for (population in c("all", "default")) {
    in_it <- population == "all" | first$risk_group %in% "high"
    own <- list(first[in_it, ], remission[in_it, ], lapply(points, function(p) p[in_it, ]))
    measures(own[[1]], own[[2]], own[[3]], population)
    flow(own[[1]], own[[2]], own[[3]], x, population)
    subgroup_measures(own[[1]], own[[2]], own[[3]], population)
  }
  course_question(lines, x, samples)
}

response_main <- function(arguments) {
  made <- if (length(arguments) > 1) as.integer(arguments[2:3]) else c(300L, 20140L)
  response_numbers(read_export(arguments[1]))
  writeLines(c(
    sprintf('{"made_from": {"patients": %d, "seed": %d, "sha256": {%s}},', made[1], made[2],
            sha256(arguments[1])),
    sprintf('"about": {"R": "%s", "made_by": "Rscript tests/oracle/response.R"},', R.version.string),
    '"numbers": [', paste(vapply(records$rows[seq_len(records$n)], record_json, ""), collapse = ",\n"), "]}"))
}

if (sys.nframe() == 0) response_main(commandArgs(trailingOnly = TRUE))
