# The oracle of the toxicity page, second part: what toxicity.R leaves out. R with survival, cmprsk;
# written from the definitions, not from the Python. Reads a demo export as toxicity.R does.
# Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk
# Run in the project's root:
#   Rscript tests/oracle/toxicity_rest.R FOLDER [PATIENTS SEED] | gzip -9n > tests/oracle/toxicity_rest.json.gz
#
# Keys of a record as in toxicity.R. Course 1 of every block, of those whose adverse events of the block
# are documented; values of fewer than 10 patients are given here too, though no page shows them.
#
# Recovery of neutrophils, from the start of the course; item = recovery
#   time_count, incidence, incidence_at_end   as in toxicity.R. The event is a recovery up to the day on
#                          which the course is left; leaving it without one is the exit
#   undated                numerator of denominator: no day of recovery, or one before the course
# Next course, from start to start: the one that ended this one, of whichever line; after another end
# (relapse, days of attribution) a later one of the line
#   next_course            estimate = median, lower, upper = quartiles (type 7); numerator (who has one) of
#                          denominator
# First events, items and blocks as in toxicity.R
#   incidence_difference   by day, MOVER
#   first_by_day           numerator: first events on the day (1 = the first of the course); denominator =
#                          still in the course then: neither left nor last seen before
# Infections of the block (all courses) at a grade; item = any | site | pathogen | documentation |
# outcome | term; level: those that somebody documented of the population has, and not_recorded
#   infections             numerator of denominator patients, Wilson
#   infections_difference  Newcombe
#   infection_events       estimate: their number
source("tests/oracle/toxicity.R")

COURSE_1 <- list(course = "1")
SITES <- c("blood", "lung", "gut", "skin", "airways", "CNS", "other")
PATHOGENS <- c("Aspergillus fumigatus" = "aspergillus", "Candida albicans" = "candida",
               "Pneumocystis jirovecii" = "pneumocystis", "E. coli" = "e_coli",
               "Klebsiella pneumoniae" = "klebsiella", "Pseudomonas aeruginosa" = "pseudomonas",
               "Enterococcus faecium" = "enterococcus", "Staphylococcus epidermidis" = "staphylococcus",
               "Streptococcus mitis" = "streptococcus", adenovirus = "adenovirus",
               cytomegalovirus = "cytomegalovirus", rhinovirus = "rhinovirus", other = "other_pathogen")

# Lines with course 1 of a block and documented in it; k: their courses 1, in the order of the lines.
first_courses <- function(d, k, block) {
  g <- block_lines(d, k, block)$documented
  own <- k[k$block == block & k$number == 1, ]
  g <- g[g$line %in% own$line, ]
  list(lines = g, courses = own[match(g$line, own$line), ])
}

each_cohort <- function(of, g, f) for (i in seq_along(COHORTS))
  if (any(g$cohort == COHORTS[[i]])) f(with_cohort(of, i), g$cohort == COHORTS[[i]])

# ---------------------------------------------------------------- recovery, next course

exit_day <- function(k) k$until - k$start + k$code %in% c("next_course", "window")

recovery_question <- function(d, k, of) for (block in STUDY$blocks) {
  b <- first_courses(d, k, block)
  day <- b$courses$recovery - b$courses$start
  day[!is.na(day) & day < 0] <- NA
  exit <- exit_day(b$courses)
  is_event <- !is.na(day) & day <= exit
  rows <- data.frame(cohort = b$lines$cohort, time = ifelse(is_event, day, exit),
                     state = ifelse(is_event, "event", ifelse(b$courses$code == "censored", "censored", "exit")))
  here <- c(of, COURSE_1, list(block = block, item = "recovery"))
  each_cohort(here, b$lines, function(of, own) {
    tell_of(of, "undated", numerator = sum(is.na(day[own])), denominator = sum(own))
    incidence(rows[own, ], of)
  })
}

next_course_question <- function(d, k, of) for (block in STUDY$blocks) {
  b <- first_courses(d, k, block)
  following <- vapply(seq_len(nrow(b$courses)), function(r) {
    own <- b$courses[r, ]
    later <- k[k$case == own$case & k$start > own$start, ]
    min(Inf, later$start[own$code == "next_course" | later$line == own$line])
  }, 0)
  days <- following - b$courses$start
  each_cohort(c(of, COURSE_1, list(block = block)), b$lines, function(of, own) {
    had <- days[own & is.finite(days)]
    q <- if (length(had)) unname(quantile(had, c(0.5, 0.25, 0.75), type = 7)) else rep(NA_real_, 3)
    tell_of(of, "next_course", estimate = q[1], lower = q[2], upper = q[3], numerator = length(had),
            denominator = sum(own))
  })
}

# ---------------------------------------------------------------- first events

incidence_values <- function(g) {
  fit <- suppressWarnings(survfit(
    Surv(time, factor(state, c("censored", "event", "exit"))) ~ 1, g, conf.type = "log-log"))
  at <- summary(fit, times = DAYS, extend = TRUE)
  rbind(num(at$pstate[, 2]), num(at$lower[, 2]), num(at$upper[, 2]))
}

tell_by_day <- function(of, t, courses) for (day in sort(unique(t$time[t$state == "event"])) + 1)
  tell_of(of, "first_by_day", day = day, numerator = sum(t$state == "event" & t$time + 1 == day),
          denominator = sum(courses$until >= courses$start + day - 1))

first_question <- function(d, k, e, of) for (block in names(STUDY$timed)) {
  b <- first_courses(d, k, block)
  events <- e[e$block %in% block & e$number %in% 1, ]
  for (r in seq_len(nrow(STUDY$timed[[block]]))) {
    item <- STUDY$timed[[block]]$item[r]; grade <- STUDY$timed[[block]]$grade[r]
    here <- c(of, COURSE_1, list(block = block, item = item, kind = sub("/.*", "", item), grade = grade))
    t <- first_events(b$lines, b$courses, events, item, grade, STUDY)
    each_cohort(here, b$lines, function(of, own) tell_by_day(of, t[own, ], b$courses[own, ]))
    groups <- split_cohorts(t)
    if (any(!vapply(groups, nrow, 0L))) next
    # An incidence without an event has no limits here.
    values <- lapply(groups, incidence_values)
    each_other(here, function(i, pair) for (j in seq_along(DAYS)) {
      x <- mover(values[[1]][, j], values[[i]][, j])
      if (values[[1]][1, j] > 0 && values[[i]][1, j] > 0)
        do.call(tell_of, c(list(pair, "incidence_difference", day = DAYS[j]), limits_of(x)))
    })
  }
}

# ---------------------------------------------------------------- infections

# The infections with a level of each item, as the study calls them.
infections_of <- function(x, e) {
  a <- x$adverse_events
  stopifnot(a$infection_site %in% c(SITES, NA), a$pathogen %in% c(names(PATHOGENS), NA))
  levels <- data.frame(any = "any", site = tolower(a$infection_site), pathogen = unname(PATHOGENS[a$pathogen]),
                       documentation = a$documentation, outcome = a$outcome, term = e$term)
  levels[is.na(levels)] <- "not_recorded"
  list(events = e[e$category == "infection", ], levels = levels[e$category == "infection", ])
}

tell_infections <- function(of, g, lines) {
  n <- by_cohort(g, nrow)
  x <- by_cohort(g[g$line %in% lines, ], nrow)
  tell_wilson(of, "infections", x, n)
  each_cohort(of, g, function(of, own) tell_of(of, "infection_events", estimate = sum(lines %in% g$line[own])))
  each_other(of, function(i, pair) if (n[1] > 0 && n[i] > 0)
    do.call(tell_of, c(list(pair, "infections_difference"), limits_of(newcombe(x[1], n[1], x[i], n[i])))))
}

levels_of <- function(found, item)
  sort(union(found, switch(item, any = "any", term = character(), "not_recorded")))

infections_question <- function(d, k, found, of) for (block in STUDY$blocks) for (grade in c(1, 3)) {
  g <- block_lines(d, k, block)$documented
  e <- found$events
  hit <- e$block %in% block & e$line %in% g$line & e$low >= grade
  for (item in names(found$levels)) for (level in levels_of(found$levels[hit, item], item))
    tell_infections(c(of, list(block = block, item = item, level = level, grade = grade)), g,
                    e$line[hit & found$levels[[item]] == level])
}

# ---------------------------------------------------------------- everything

# Transplants, which come after the courses, have no day of recovery.
with_recovery <- function(k, x) {
  k$recovery <- c(x$courses$anc_recovery, rep(NA_real_, nrow(k) - nrow(x$courses)))
  k
}

rest_numbers <- function(x) {
  k <- with_recovery(all_courses(x), x)
  e <- all_events(x, k)
  found <- infections_of(x, e)
  d <- lines_of(x, baseline(x$patients))
  d <- d[d$primary & d$kind == "first_relapse", ]
  d$line <- line_key(d$case_id, d$line_number)
  for (population in c("all", "default")) {
    g <- d[population == "all" | d$risk_group %in% "high", ]
    of <- list(population = population)
    recovery_question(g, k, of); next_course_question(g, k, of)
    first_question(g, k, e, of); infections_question(g, k, found, of)
  }
}

rest_main <- function(arguments) {
  made <- if (length(arguments) > 1) as.integer(arguments[2:3]) else c(300L, 20140L)
  rest_numbers(read_export(arguments[1]))
  writeLines(c(
    sprintf('{"made_from": {"patients": %d, "seed": %d, "sha256": {%s}},', made[1], made[2],
            sha256(arguments[1])),
    sprintf('"about": {"R": "%s", "survival": "%s", "made_by": "Rscript tests/oracle/toxicity_rest.R"},',
            R.version.string, packageVersion("survival")),
    '"numbers": [', paste(vapply(records$rows[seq_len(records$n)], record_json, ""), collapse = ",\n"), "]}"))
}

if (sys.nframe() == 0) rest_main(commandArgs(trailingOnly = TRUE))
