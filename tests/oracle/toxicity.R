# The oracle of the toxicity page: a second way from a clean demo export to its numbers.
# R with survival, cmprsk; written from the definitions, not from the Python.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk
# Run in the project's root:
#   Rscript tests/oracle/toxicity.R FOLDER [PATIENTS SEED] | gzip -9n > tests/oracle/toxicity.json.gz
#
# Keys of a record (those that do not apply, and numbers that R cannot give, are left out):
#   population  all (primary lines of first relapse) | default (derived S3, S4 of them)
#   cohort, comparator    a record with a comparator is a difference: cohort minus comparator
#   block, or group; course    number of the course: 1; 2+ = every later one; left out: all
#   item, kind  any (default categories) | all | category/CODE | term/CODE | fatal
#   grade       at least this certain grade. fatal has the same number at each.
#   numerator of denominator; estimate, lower, upper (95 %)
# An interval of fewer than 10 patients is given here too, though no page shows it.
# An item and grade that nobody documented of the population (even perhaps) has in the block has no
# records of the statistics patients and events: 0 of the block's documented. One that somebody has,
# has them for each cohort with documented lines.
#
# Blocks
#   started, documented, undocumented   numerator: lines
#   courses, days_at_risk               numerator, of the documented; *_started: of the started
#   until_count                         numerator: courses of the started by level = until_code
#   events_outside                      numerator: events of the enrollments of the population in no
#                                       window; no block
# Patients with the item
#   patients               numerator, possible (numerator and those who may have it), denominator =
#                          documented; Wilson
#   patients_difference    Newcombe; p_value (Fisher); for terms and for categories fdr (Benjamini and
#                          Hochberg over all of the study's in this block, grade and pair of cohorts)
#                          and fdr_seen (over those that somebody of the two cohorts has)
# Events: CR3 and Student's t, limits on the log scale (of a share: logit); differences by MOVER
#   events                 per course: numerator events, denominator courses, patients
#   events_difference
#   group_patients, group_per_course, group_per_year (denominator in years), group_share_of_courses,
#   each with its _difference: by group, item any and category/infection, grade 3; with and without
#   course. Who is documented in all of the group counts for course 1 or 2+ if they had one.
# Time from the start of course 1: events up to and with the day, log(-log) limits
#   time_count             numerator of denominator: level = event | exit | censored
#   incidence              by day; reason beyond_last_follow_up: somebody is left after the last day
#   incidence_at_end       on the last day that was observed
#   gray                   estimate, p_value: Gray's test of the event, all cohorts in one
# Burden of all courses, item any and all
#   burden, burden_difference    grade-days per patient; denominator = patients; no limits if 0
#   burden_unknown_end           numerator of denominator events end at the end of their course
# left_before              numerator of denominator: lines by level = documented | undocumented |
#                          later_block | died | relapsed | ongoing
# left_before_lines        the same with the level next_line: of who has neither the block nor a later
#                          one, those whose further line began before any relapse (the refractory)
# Deaths of the enrollments of the population, by cohort
#   deaths                 numerator; level = class, cause; without them all
#   deaths_in_block        numerator; block, or level = outside
#   fatal_match            numerator: enrollments by level = matched | no_fatal_event | no_death |
#                          other_cause
# Terms in course 1 of a block, grades 1 and 3, the first event of a line and term
#   onset, duration        estimate = median, lower, upper = quartiles (type 7), numerator = n;
#                          onset: 1 = the first day of the course; duration only of known ends
#   duration_all           of all events of the term, not only the first of a line
#   duration_unknown       numerator: first events whose end is unknown
source("tests/oracle/allrez.R")
suppressMessages(library(cmprsk))

KEYS <- c("population", "cohort", "comparator", "block", "group", "course", "item", "kind", "grade", "day",
          "level", "cause", "statistic", "estimate", "lower", "upper", "p_value", "fdr", "fdr_seen",
          "numerator", "possible", "denominator", "patients", "reason")
GRADES <- 1:4
DAYS <- c(7, 14, 28)

tell <- function(statistic, ...) {
  row <- c(list(...), statistic = statistic)
  records$n <- records$n + 1
  records$rows[[records$n]] <- row[lengths(row) > 0 & !vapply(row, function(x) anyNA(x), NA)]
}

# Keys shared by several records, with more of their own.
tell_of <- function(of, statistic, ...) do.call(tell, c(list(statistic), of, list(...)))

# f(the other cohort's number, keys) for each cohort that is compared with the first one.
each_other <- function(of, f) for (i in seq_along(COHORTS)[-1])
  f(i, c(of, list(cohort = COHORTS[[i]], comparator = COHORTS[[1]])))

with_cohort <- function(of, i) c(of, list(cohort = COHORTS[[i]]))

# ---------------------------------------------------------------- courses and what ends them

# k: case, block, start, stop, attribution (days after the stop), until_relapse.
# who: case, death, relapse, contact. Adds last (of the window in which an onset counts), until, code.
with_ends <- function(k, who) {
  i <- match(k$case, who$case)
  stopifnot(!is.na(i), !is.na(who$contact))
  following <- vapply(seq_len(nrow(k)), function(r)
    min(Inf, k$start[k$case == k$case[r] & k$start > k$start[r]]), 0)
  on_or_after <- function(day, counts) ifelse(!is.na(day) & counts & day >= k$start, day, Inf)
  ends <- cbind(death = on_or_after(who$death[i], TRUE), relapse = on_or_after(who$relapse[i], k$until_relapse),
                next_course = following - 1, window = k$stop + k$attribution)
  stopifnot(!is.na(ends))
  k$last <- apply(ends, 1, min)
  ends <- cbind(ends, censored = who$contact[i])
  k$code <- colnames(ends)[apply(ends, 1, which.min)]  # of several on one day the first column
  k$until <- pmax(apply(ends, 1, min), k$start)
  k$days <- k$until - k$start + 1
  k
}

# e: case, onset. Adds row: that of the course whose window holds the onset.
with_courses <- function(e, k) {
  e$row <- vapply(seq_len(nrow(e)), function(i) {
    holds <- which(k$case == e$case[i] & k$start <= e$onset[i] & e$onset[i] <= k$last)
    stopifnot(length(holds) <= 1)
    if (length(holds)) holds else NA_integer_
  }, 0L)
  e$line <- k$line[e$row]; e$block <- k$block[e$row]; e$number <- k$number[e$row]
  e
}

# ---------------------------------------------------------------- items

# study: categories (a list of terms by category), default (those of "any"), blocks in order, grades,
# kinds of items whose events are counted (events), groups of blocks, items by block (timed).
items_of <- function(study) data.frame(
  item = c("any", "all", paste0("category/", names(study$categories)),
           paste0("term/", unlist(study$categories)), "fatal"),
  kind = rep(c("any", "all", "category", "term", "fatal"),
             c(1, 1, length(study$categories), length(unlist(study$categories)), 1)))

of_item <- function(e, item, study) {
  if (item == "fatal") return(e$fatal)
  if (item == "all") return(rep(TRUE, nrow(e)))
  if (item == "any") return(e$category %in% study$default)
  code <- sub("^[a-z]+/", "", item)
  if (startsWith(item, "category/")) e$category == code else e$term == code
}

certain <- function(e, item, grade) item == "fatal" | e$low >= grade
perhaps <- function(e, item, grade) item == "fatal" | e$high >= grade

# ---------------------------------------------------------------- statistics

limits_of <- function(v) list(estimate = v[1], lower = v[2], upper = v[3])

# Rows of estimate, lower and upper; the reference first.
mover <- function(a, b) {
  d <- b[1] - a[1]
  c(d, d - sqrt((b[1] - b[2])^2 + (a[3] - a[1])^2), d + sqrt((b[3] - b[1])^2 + (a[1] - a[2])^2))
}

# One value a patient: y events in m courses or years. share: y of the m courses.
rate_of <- function(y, m, share = FALSE) {
  n <- length(y)
  if (n == 0) return(rep(NA_real_, 3))
  rate <- sum(y) / sum(m)
  if (sum(y) == 0) return(c(0, 0, if (share) binom.test(0, n)$conf.int[2] else poisson.test(0, sum(m))$conf.int[2]))
  if (share && all(y == m)) return(c(1, binom.test(n, n)$conf.int[1], 1))
  if (n == 1) return(c(rate, NA, NA))
  residual <- (y - rate * m) / (1 - m / sum(m))
  information <- if (share) sum(m) * rate * (1 - rate) else sum(y)
  half <- qt(0.975, n - 1) * sqrt(sum(residual^2)) / information
  if (share) plogis(qlogis(rate) + c(0, -half, half)) else rate * exp(c(0, -half, half))
}

tell_wilson <- function(of, statistic, x, n, ...) for (i in which(n > 0)) {
  limits <- wilson(x[i], n[i])
  more <- lapply(list(...), function(v) v[i])
  do.call(tell_of, c(list(with_cohort(of, i), statistic, estimate = x[i] / n[i], lower = limits[1],
                          upper = limits[2], numerator = x[i], denominator = n[i]), more))
}

fisher_p <- function(x0, n0, x, n) fisher.test(matrix(c(x, n - x, x0, n0 - x0), 2))$p.value

# rates: estimate, lower and upper of each cohort.
tell_rates <- function(of, statistic, rates, y, m, patients) {
  for (i in which(patients > 0))
    do.call(tell_of, c(list(with_cohort(of, i), statistic), limits_of(rates[[i]]),
                       list(numerator = y[i], denominator = m[i], patients = patients[i])))
  each_other(of, function(i, pair) if (patients[1] > 0 && patients[i] > 0)
    do.call(tell_of, c(list(pair, paste0(statistic, "_difference")), limits_of(mover(rates[[1]], rates[[i]])))))
}

# ---------------------------------------------------------------- 1 the blocks

block_lines <- function(d, k, blocks) {
  given <- k[k$block %in% blocks, ]
  started <- d[d$line %in% given$line, ]
  list(started = started, documented = started[!started$line %in% given$line[!given$documented], ],
       courses = given)
}

blocks_question <- function(d, k, e, study, of) {
  for (i in seq_along(COHORTS))
    tell_of(with_cohort(of, i), "events_outside",
            numerator = sum(is.na(e$row) & e$case %in% d$case[d$cohort == COHORTS[[i]]]))
  for (block in study$blocks) {
    b <- block_lines(d, k, block)
    for (i in seq_along(COHORTS)) {
      here <- c(with_cohort(of, i), block = block)
      lines <- lapply(b[1:2], function(g) g$line[g$cohort == COHORTS[[i]]])
      tell_of(here, "started", numerator = length(lines$started))
      tell_of(here, "documented", numerator = length(lines$documented))
      tell_of(here, "undocumented", numerator = length(lines$started) - length(lines$documented))
      for (which in c("started", "documented")) {
        g <- b$courses[b$courses$line %in% lines[[which]], ]
        name <- if (which == "started") "_started" else ""
        tell_of(here, paste0("courses", name), numerator = nrow(g))
        tell_of(here, paste0("days_at_risk", name), numerator = sum(g$days))
        if (which == "started") for (code in sort(unique(g$code)))
          tell_of(here, "until_count", level = code, numerator = sum(g$code == code))
      }
    }
  }
}

# ---------------------------------------------------------------- 2 patients, 3 events

patients_with <- function(g, e, item, grade, study, is = certain) {
  hit <- g$line %in% e$line[of_item(e, item, study) & is(e, item, grade)]
  by_cohort(g[hit, ], nrow)
}

# Items in rows: x of n by cohort; p and the two false discovery rates of a pair of cohorts.
discovery <- function(items, x, n, i) {
  p <- vapply(seq_len(nrow(x)), function(r) fisher_p(x[r, 1], n[1], x[r, i], n[i]), 0)
  out <- data.frame(p_value = p, fdr = NA, fdr_seen = NA)
  for (kind in c("category", "term")) {
    of_kind <- items$kind == kind
    seen <- of_kind & x[, 1] + x[, i] > 0
    out$fdr[of_kind] <- p.adjust(p[of_kind], "BH")
    out$fdr_seen[seen] <- p.adjust(p[seen], "BH")
  }
  out
}

patients_of_block <- function(g, e, items, grade, study, of) {
  n <- by_cohort(g, nrow)
  count <- function(is) t(vapply(items$item, function(item)
    patients_with(g, e, item, grade, study, is), numeric(length(COHORTS))))
  x <- count(certain); may <- count(perhaps); written <- rowSums(may) > 0
  keys <- lapply(seq_len(nrow(items)), function(r)
    c(of, list(item = items$item[r], kind = items$kind[r], grade = grade)))
  for (r in which(written)) tell_wilson(keys[[r]], "patients", x[r, ], n, possible = may[r, ])
  for (i in seq_along(COHORTS)[-1]) if (n[1] > 0 && n[i] > 0) {
    found <- discovery(items, x, n, i)
    for (r in which(written)) {
      pair <- c(keys[[r]], list(cohort = COHORTS[[i]], comparator = COHORTS[[1]]))
      do.call(tell_of, c(list(pair, "patients_difference"), limits_of(newcombe(x[r, 1], n[1], x[r, i], n[i])),
                         as.list(found[r, ])))
    }
  }
  written
}

# One value a line of g.
count_lines <- function(g, lines) as.numeric(table(factor(lines, g$line)))
total <- function(g, lines, values) as.numeric(tapply(values, factor(lines, g$line), sum, default = 0))

tell_events <- function(g, y, m, of, statistic, share = FALSE) {
  of_cohort <- function(v) lapply(unname(COHORTS), function(k) v[g$cohort == k])
  rates <- Map(rate_of, of_cohort(y), of_cohort(m), share)
  sums <- function(v) vapply(of_cohort(v), sum, 0)
  tell_rates(of, statistic, rates, sums(y), sums(m), by_cohort(g, nrow))
}

events_of_block <- function(g, e, k, items, written, grade, study, of) {
  m <- count_lines(g, k$line)
  for (r in which(written)) {
    item <- items$item[r]
    y <- count_lines(g, e$line[of_item(e, item, study) & certain(e, item, grade)])
    tell_events(g, y, m, c(of, list(item = item, kind = items$kind[r], grade = grade)), "events")
  }
}

items_question <- function(d, k, e, study, of) {
  items <- items_of(study)
  for (block in study$blocks) {
    b <- block_lines(d, k, block)
    g <- b$documented
    here <- e[e$block %in% block & e$line %in% g$line, ]
    for (grade in study$grades) {
      written <- patients_of_block(g, here, items, grade, study, c(of, block = block))
      counted <- written & items$kind %in% study$events
      events_of_block(g, here, b$courses, items, counted, grade, study, c(of, block = block))
    }
  }
}

# ---------------------------------------------------------------- 4 groups of blocks

group_numbers <- function(g, k, e, item, grade, study, of) {
  of <- c(of, list(item = item, kind = sub("/.*", "", item), grade = grade))
  hit <- of_item(e, item, study) & certain(e, item, grade)
  courses <- count_lines(g, k$line)
  events <- count_lines(g, e$line[hit])
  n <- by_cohort(g, nrow)
  x <- by_cohort(g[events > 0, ], nrow)
  tell_wilson(of, "group_patients", x, n)
  each_other(of, function(i, pair) if (n[1] > 0 && n[i] > 0)
    do.call(tell_of, c(list(pair, "group_patients_difference"), limits_of(newcombe(x[1], n[1], x[i], n[i])))))
  tell_events(g, events, courses, of, "group_per_course")
  tell_events(g, events, total(g, k$line, k$days / 365.25), of, "group_per_year")
  with_item <- k$id %in% e$course[hit]
  tell_events(g, count_lines(g, k$line[with_item]), courses, of, "group_share_of_courses", share = TRUE)
}

groups_question <- function(d, k, e, study, of) {
  k$id <- seq_len(nrow(k)); e$course <- e$row
  for (group in names(study$groups)) {
    b <- block_lines(d, k, study$groups[[group]])
    for (course in c(NA, "1", "2+")) {
      in_it <- function(number) is.na(course) | (number == 1) == (course == "1")
      own <- b$courses[b$courses$line %in% b$documented$line & in_it(b$courses$number), ]
      g <- b$documented[b$documented$line %in% own$line, ]
      here <- e[e$row %in% own$id, ]
      for (item in c("any", "category/infection"))
        group_numbers(g, own, here, item, 3, study, c(of, list(group = group, course = course)))
    }
  }
}

# ---------------------------------------------------------------- 5 time

# One row a documented line that had course 1: time and state.
first_events <- function(g, k, e, item, grade, study) {
  k <- k[match(g$line, k$line), ]
  hit <- e[of_item(e, item, study) & certain(e, item, grade), ]
  first <- vapply(g$line, function(line) min(Inf, hit$onset[hit$line == line]), 0) - k$start
  exit <- k$until - k$start + k$code %in% c("next_course", "window")
  data.frame(cohort = g$cohort, time = pmin(first, exit),
             state = ifelse(first <= exit, "event", ifelse(k$code == "censored", "censored", "exit")))
}

incidence <- function(g, of) {
  for (state in c("event", "exit", "censored"))
    tell_of(of, "time_count", level = state, numerator = sum(g$state == state), denominator = nrow(g))
  end <- max(g$time)
  fit <- suppressWarnings(survfit(  # where everybody has left, there are no limits at 1
    Surv(time, factor(state, c("censored", "event", "exit"))) ~ 1, g, conf.type = "log-log"))
  at <- summary(fit, times = c(DAYS, end), extend = TRUE)
  left <- any(g$time == end & g$state == "censored")
  for (j in seq_along(c(DAYS, end))) {
    is_end <- j > length(DAYS)
    tell_of(of, if (is_end) "incidence_at_end" else "incidence", day = c(DAYS, end)[j],
            estimate = num(at$pstate[j, 2]), lower = num(at$lower[j, 2]), upper = num(at$upper[j, 2]),
            reason = if (left && !is_end && DAYS[j] > end) "beyond_last_follow_up")
  }
}

time_question <- function(d, k, e, study, of) for (block in names(study$timed)) {
  g <- block_lines(d, k, block)$documented
  k1 <- k[k$block == block & k$number == 1, ]
  g <- g[g$line %in% k1$line, ]
  for (r in seq_len(nrow(study$timed[[block]]))) {
    item <- study$timed[[block]]$item[r]; grade <- study$timed[[block]]$grade[r]
    here <- c(of, list(block = block, course = "1", item = item, kind = sub("/.*", "", item), grade = grade))
    t <- first_events(g, k1, e[e$block %in% block & e$number %in% 1, ], item, grade, study)
    for (i in seq_along(COHORTS)) if (any(t$cohort == COHORTS[[i]]))
      incidence(t[t$cohort == COHORTS[[i]], ], with_cohort(here, i))
    if (length(unique(t$cohort)) < 2 || !any(t$state == "event")) next
    test <- cuminc(t$time, match(t$state, c("censored", "event", "exit")) - 1, t$cohort)$Tests
    tell_of(here, "gray", estimate = num(test["1", "stat"]), p_value = num(test["1", "pv"]))
  }
}

# ---------------------------------------------------------------- 6 burden

# The highest grade of each term on each day, by line; an unknown end is the end of the course.
grade_days <- function(g, e, k) {
  until <- k$until[e$row]
  last <- pmin(ifelse(is.na(e$end), until, e$end), until)
  days <- pmax(last - e$onset + 1, 0)
  cell <- rep(seq_len(nrow(e)), days)
  where <- paste(e$line[cell], e$term[cell], e$onset[cell] + sequence(days) - 1, sep = "|")
  highest <- tapply(e$low[cell], where, max)
  total(g, sub("\\|.*", "", names(highest)), as.numeric(highest))
}

burden_question <- function(d, k, e, study, of) for (block in study$blocks) for (item in c("any", "all")) {
  g <- block_lines(d, k, block)$documented
  here <- e[e$block %in% block & e$line %in% g$line & of_item(e, item, study), ]
  of_block <- c(of, list(block = block, item = item, kind = item))
  burden <- if (nrow(here)) grade_days(g, here, k) else rep(0, nrow(g))
  n <- by_cohort(g, nrow)
  means <- lapply(unname(COHORTS), function(cohort) {
    y <- burden[g$cohort == cohort]
    if (length(y) && sum(y) == 0) c(0, NA, NA) else rate_of(y, rep(1, length(y)))
  })
  for (i in which(n > 0)) {
    own <- here[here$line %in% g$line[g$cohort == COHORTS[[i]]], ]
    do.call(tell_of, c(list(with_cohort(of_block, i), "burden"), limits_of(means[[i]]), list(denominator = n[i])))
    tell_of(with_cohort(of_block, i), "burden_unknown_end", numerator = sum(is.na(own$end)),
            denominator = nrow(own))
  }
  each_other(of_block, function(i, pair) if (n[1] > 0 && n[i] > 0)
    do.call(tell_of, c(list(pair, "burden_difference"), limits_of(mover(means[[1]], means[[i]])))))
}

# ---------------------------------------------------------------- 7 who left before a block

# d: relapse and death of the enrollment beside the line. Relapse and death on one day: relapse.
left_class <- function(d, k, block, study) {
  later <- study$blocks[seq_along(study$blocks) > match(block, study$blocks)]
  b <- block_lines(d, k, block)
  relapse <- ifelse(!is.na(d$relapse) & d$relapse > d$start, d$relapse, Inf)
  death <- ifelse(is.na(d$death), Inf, d$death)
  first <- ifelse(pmin(relapse, death) == Inf, "ongoing", ifelse(relapse <= death, "relapsed", "died"))
  first[d$line %in% k$line[k$block %in% later]] <- "later_block"
  first[d$line %in% b$started$line] <- "undocumented"
  first[d$line %in% b$documented$line] <- "documented"
  first
}

# The same, but a further line that began before a relapse is what came first.
with_next_line <- function(class, d) {
  relapse <- ifelse(!is.na(d$relapse) & d$relapse > d$start, d$relapse, Inf)
  moved <- class %in% c("died", "relapsed", "ongoing") & is.finite(d$next_line) & d$next_line < relapse
  stopifnot(!(moved & d$death < d$next_line) %in% TRUE)
  ifelse(moved, "next_line", class)
}

LEFT <- c("documented", "undocumented", "later_block", "died", "relapsed", "ongoing")

left_question <- function(d, k, study, of) for (block in study$blocks) {
  class <- left_class(d, k, block, study)
  moved <- with_next_line(class, d)
  for (i in seq_along(COHORTS)) {
    own <- d$cohort == COHORTS[[i]]
    here <- c(with_cohort(of, i), block = block)
    for (level in LEFT)
      tell_of(here, "left_before", level = level, numerator = sum(class[own] == level), denominator = sum(own))
    for (level in c(LEFT, "next_line"))
      tell_of(here, "left_before_lines", level = level, numerator = sum(moved[own] == level),
              denominator = sum(own))
  }
}

# ---------------------------------------------------------------- 8 deaths

TOXIC <- c("infection", "toxicity")
DISEASE <- "leukaemia"
DEATHS <- c("early", "with_disease", "in_remission", "in_remission_after_transplant", "after_second_malignancy")

# f: the follow-up of the enrollments that died. A remission on the day of death is none.
death_class <- function(f, x) vapply(seq_len(nrow(f)), function(i) {
  same <- function(t, day) { v <- t[[day]][t$case_id == f$case_id[i]]; v[!is.na(v)] }
  remissions <- same(x$lines, "remission")
  remissions <- remissions[remissions < f$death[i]]
  if ((f$second_malignancy[i] <= f$death[i]) %in% TRUE) return("after_second_malignancy")
  if (length(remissions) == 0) return(if (f$death[i] < LANDMARK) "early" else "with_disease")
  if (f$death_cause[i] %in% DISEASE) return("with_disease")
  if ((f$relapse[i] >= max(remissions) & f$relapse[i] <= f$death[i]) %in% TRUE) return("with_disease")
  if (any(same(x$transplants, "transplant") <= f$death[i])) "in_remission_after_transplant" else "in_remission"
}, "")

deaths_question <- function(d, k, e, x, of) {
  f <- x$followup[x$followup$case_id %in% d$case, ]
  f$cohort <- d$cohort[match(f$case_id, d$case)]
  fatal <- f$case_id %in% e$case[e$fatal]
  cause <- code(f$death_cause)
  match_of <- ifelse(is.na(f$death), ifelse(fatal, "no_death", NA),
                     ifelse(cause %in% TOXIC, ifelse(fatal, "matched", "no_fatal_event"),
                            ifelse(fatal, "other_cause", NA)))
  dead <- f[!is.na(f$death), ]
  dead$cause <- ifelse(is.na(dead$death_cause), "missing", code(dead$death_cause))
  dead$class <- death_class(dead, x)
  dead$block <- vapply(seq_len(nrow(dead)), function(i) {
    holds <- k$block[k$case == dead$case_id[i] & k$start <= dead$death[i] & dead$death[i] <= k$until]
    if (length(holds)) holds else "outside"
  }, "")
  for (i in seq_along(COHORTS)) {
    here <- with_cohort(of, i); own <- dead[dead$cohort == COHORTS[[i]], ]
    tell_of(here, "deaths", numerator = nrow(own))
    for (level in DEATHS) for (why in c("infection", "toxicity", "bleeding", "leukaemia", "gvhd", "other", "missing"))
      tell_of(here, "deaths", level = level, cause = why, numerator = sum(own$class == level & own$cause == why))
    for (block in BLOCKS) tell_of(here, "deaths_in_block", block = block, numerator = sum(own$block == block))
    tell_of(here, "deaths_in_block", level = "outside", numerator = sum(own$block == "outside"))
    for (level in c("matched", "no_fatal_event", "no_death", "other_cause"))
      tell_of(here, "fatal_match", level = level, numerator = sum(match_of[f$cohort == COHORTS[[i]]] %in% level))
  }
}

# ---------------------------------------------------------------- 9 onset and duration

tell_quartiles <- function(of, statistic, v) if (length(v)) {
  q <- unname(quantile(v, c(0.5, 0.25, 0.75), type = 7))
  tell_of(of, statistic, estimate = q[1], lower = q[2], upper = q[3], numerator = length(v))
}

onset_question <- function(d, k, e, study, of) for (block in c("f1", "blina")) {
  g <- block_lines(d, k, block)$documented
  for (grade in c(1, 3)) for (term in unlist(study$categories)) for (i in seq_along(COHORTS)) {
    own <- e[e$block %in% block & e$number %in% 1 & e$term == term & e$low >= grade &
               e$line %in% g$line[g$cohort == COHORTS[[i]]], ]
    own <- own[order(own$line, own$onset), ]
    first <- own[!duplicated(own$line), ]
    here <- c(with_cohort(of, i), list(block = block, course = "1", item = paste0("term/", term), kind = "term",
                                       grade = grade))
    lasted <- function(v) { v <- v[!is.na(v$end), ]; v$end - v$onset + 1 }
    tell_quartiles(here, "onset", first$onset - k$start[first$row] + 1)
    tell_quartiles(here, "duration", lasted(first))
    tell_quartiles(here, "duration_all", lasted(own))
    if (nrow(first)) tell_of(here, "duration_unknown", numerator = sum(is.na(first$end)))
  }
}

# ---------------------------------------------------------------- the ALL-REZ export

TERM_CODES <- setNames(sub("^veno_occlusive_disease$", "vod", sub(
  "^(invasive_fungal|viral)_infection$", "\\1", gsub("[ -]", "_", tolower(TERMS)))), TERMS)
CODES <- lapply(CATEGORIES, function(terms) unname(TERM_CODES[terms]))

timed <- function(block) data.frame(item = c("any", "category/infection", "term/crs", "term/crs"), grade = c(3, 3, 3, 1))
STUDY <- list(
  blocks = BLOCKS, categories = CODES, default = setdiff(names(CODES), "haematological"), grades = GRADES,
  events = c("any", "all", "category", "term", "fatal"),
  groups = list(standard = c("f1", "f2", "r1", "r2"), innovative = c("flu", "clo"), blinatumomab = "blina"),
  timed = sapply(c("f1", "flu", "clo", "blina"), timed, simplify = FALSE))

line_key <- function(case, number) paste(case, number)

# Transplants are courses from conditioning to transplant, of the line that runs then.
all_courses <- function(x) {
  t <- transplant_windows(x)
  k <- data.frame(
    case = c(x$courses$case_id, t$case_id),
    line = line_key(c(x$courses$case_id, t$case_id), c(as.integer(x$courses$line_number), t$line_number)),
    block = c(tolower(x$courses$block), t$block),
    number = as.integer(c(x$courses$course_number, x$transplants$transplant_number)),
    start = c(x$courses$start, t$start), stop = c(x$courses$stop, x$transplants$transplant),
    documented = c(x$courses$ae_documented, t$documented) %in% "yes")
  k$attribution <- ifelse(k$block == "transplant", AFTER_TRANSPLANT, AFTER_STOP)
  k$until_relapse <- k$block != "transplant"
  stopifnot(k$block %in% BLOCKS, !duplicated(k[c("line", "block", "number")]), !is.na(k$line))
  f <- x$followup
  with_ends(k, data.frame(case = f$case_id, death = f$death, relapse = f$relapse, contact = f$last_contact))
}

# Grades of a clean export are certain; a range would be refused here.
all_events <- function(x, k) {
  e <- x$adverse_events
  stopifnot(e$term %in% TERMS, e$grade %in% as.character(1:5))
  term <- unname(TERM_CODES[e$term])
  category <- rep(names(CODES), lengths(CODES))[match(term, unlist(CODES))]
  grade <- as.integer(e$grade)
  with_courses(data.frame(case = e$case_id, term = term, category = category, low = grade, high = grade,
                          fatal = grade == 5 | e$outcome %in% "fatal", onset = e$onset, end = e$end), k)
}

toxicity_numbers <- function(x) {
  k <- all_courses(x)
  e <- all_events(x, k)
  d <- lines_of(x, baseline(x$patients))
  d <- d[d$primary & d$kind == "first_relapse", ]
  f <- x$followup[match(d$case_id, x$followup$case_id), ]
  d <- cbind(d, case = d$case_id, line = line_key(d$case_id, d$line_number), relapse = f$relapse, death = f$death)
  for (population in c("all", "default")) {
    g <- d[population == "all" | d$risk_group %in% "high", ]
    of <- list(population = population)
    blocks_question(g, k, e, STUDY, of)
    items_question(g, k, e, STUDY, of)
    groups_question(g, k, e, STUDY, of)
    time_question(g, k, e, STUDY, of)
    burden_question(g, k, e, STUDY, of)
    left_question(g, k, STUDY, of)
    deaths_question(g, k, e, x, of)
    onset_question(g, k, e, STUDY, of)
  }
}

toxicity_main <- function(arguments) {
  made <- if (length(arguments) > 1) as.integer(arguments[2:3]) else c(300L, 20140L)
  toxicity_numbers(read_export(arguments[1]))
  writeLines(c(
    sprintf('{"made_from": {"patients": %d, "seed": %d, "sha256": {%s}},', made[1], made[2],
            sha256(arguments[1])),
    sprintf('"about": {"R": "%s", "survival": "%s", "cmprsk": "%s", "made_by": "%s"},', R.version.string,
            packageVersion("survival"), packageVersion("cmprsk"), "Rscript tests/oracle/toxicity.R"),
    '"numbers": [', paste(vapply(records$rows[seq_len(records$n)], record_json, ""), collapse = ",\n"), "]}"))
}

if (sys.nframe() == 0) toxicity_main(commandArgs(trailingOnly = TRUE))
