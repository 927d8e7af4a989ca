"""The only codec between a view and its address.

The address holds the whole view: page, data (snapshot id), link version, cohorts, kinds of line,
filters and every option, each written even at its default, so that a changed default cannot change
an old link. A characteristic without a filter is the one thing left out: absence means that nothing
is filtered.

Values are codes of the study definition in the snapshot, joined by commas; times are in the study's
unit. Nothing from an address is used before it was found among the declared codes. What is not
valid is not applied, and said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from analysis.link_survival import SURVIVAL_OPTIONS, survival_allowed
from trial.response import MRD_CLASSES, RESPONSE_CLASSES
from trial.selection import Selection, selection
from trial.study import ENROLLMENT, Characteristic, Endpoint, Study
from trial.words import say

VERSION = "1"
PAGES = ("overview", "response", "toxicity", "survival", "data")
FILTER = "f."
YES_NO = {"yes": True, "no": False}
MISSING_RULES = ("not_negative", "left_out")
DENOMINATORS = ("enrolled", "started", "sampled", "evaluable")
EFFECTS = ("difference", "odds_ratio")
# Whom the list of patients holds: everybody, or one class of what is asked about.
EVERYBODY = "all"
SORTS = ("class", "follow_up", "response_day")
# How far the lanes of patients are drawn, in days: treatment is in the first year.
WINDOWS = {"year": 365, "all": None}
COURSES = ("1", "2", "3", "4", "5", "6")
# The response at the landmark, beside the time points of MRD.
REMISSION = "remission"
# The threshold that is each assay's own limit of detection.
OWN_LIMIT = "limit"
# Parts of the response page beneath its headline, in the order they are offered.
PARTS = ("lens", "courses", "flow", "subgroups", "patients")
RESPONSE_OPTIONS = (
    *("timepoint", "definition", "mrd", "denominator", "missing", "effect", "part", "course"),
    *("who", "sort", "window"),
)
UNITS = ("patients", "events")
ORDERS = ("study", "difference", "rate", "name")
# Rows that fewer patients have, in per cent of each cohort, are left out of the table.
LEAST = ("0", "2", "5", "10", "20")
CLOSED, OPEN = "none", "all"
# Parts of the toxicity page beneath its table, in the order they are offered.
TOXICITY_PARTS = ("blocks", "compare", "time", "burden", "infections", "deaths", "list")
TOXICITY_OPTIONS = ("unit", "order", "least", "open", "find", "item", "more", "nth")
Params = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class View:
    """Everything that decides which numbers a page shows, with the options of every page.

    Of response: `timepoint` is REMISSION or a time point of MRD; `definition` what counts as
    remission, `mrd` the threshold of a negative result; `denominator` who is counted, `missing`
    what a missing result counts as; `effect` how subgroups are compared; `part` what is open
    beneath, `course` the number of the courses looked at; `who`, `sort` and `window` make the list
    of patients. No option names a patient.
    Of toxicity: `block`, `grade` and `extra`, whether categories beside the default ones are shown;
    `unit` what is counted; `order`, `least`, `open` (the categories that show their terms) and
    `find` (a part of their names) make the rows of the table; `more` is the part beneath it,
    `item` what that part is about, `nth` the number of the course.
    Of survival: `look` is the part beneath its figure; `split` groups by something known later,
    from landmark `day` on or `by` a model in time; `weights` of the fair comparison; `scale` of the
    forest; `published`, whether results of other trials are marked.
    Options of what a study does not have are empty, and not written.
    """

    page: str
    data: str
    selection: Selection
    endpoint: str
    time: float
    tau: float
    bands: bool = True
    marks: bool = True
    timepoint: str = ""
    definition: str = ""
    mrd: str = ""
    denominator: str = ""
    missing: str = ""
    effect: str = ""
    part: str = ""
    course: str = ""
    who: str = ""
    sort: str = ""
    window: str = ""
    block: str = ""
    grade: int = 0
    extra: bool = False
    unit: str = ""
    order: str = ""
    least: str = ""
    open: str = ""
    find: str = ""
    item: str = ""
    more: str = ""
    nth: str = ""
    look: str = ""
    split: str = ""
    day: str = ""
    by: str = ""
    weights: str = ""
    scale: str = ""
    published: str = ""


@dataclass(frozen=True)
class Decoded:
    """A view, and what of the address could not be applied, in words."""

    view: View
    problems: tuple[str, ...]


class LinkError(Exception):
    """An address that leads to no numbers at all; the text says why."""


def clock_start(page: str, endpoint: Endpoint) -> str:
    """The milestone that a page counts from: only survival can start later than day 0."""
    return endpoint.origin if page == "survival" else ENROLLMENT


def known_late(x: Characteristic, origin: str) -> bool:
    """Whether a characteristic is known only after the clock starts at `origin`."""
    return x.known_at not in (ENROLLMENT, origin)


def encode(view: View) -> list[tuple[str, str]]:
    """The parameters of a view, in canonical order."""
    yes_no = {value: word for word, value in YES_NO.items()}
    pairs = [
        ("v", VERSION),
        ("data", view.data),
        ("cohorts", ",".join(view.selection.cohort_codes)),
        ("lines", ",".join(view.selection.line_codes)),
        ("endpoint", view.endpoint),
        ("time", f"{view.time:g}"),
        ("tau", f"{view.tau:g}"),
        ("bands", yes_no[view.bands]),
        ("marks", yes_no[view.marks]),
    ]
    pairs += [(name, getattr(view, name)) for name in RESPONSE_OPTIONS if getattr(view, name)]
    if view.block:
        pairs += [("block", view.block), ("grade", str(view.grade))]
        pairs.append(("extra", yes_no[view.extra]))
        pairs += [(name, getattr(view, name)) for name in TOXICITY_OPTIONS if getattr(view, name)]
    pairs += [(name, getattr(view, name)) for name in SURVIVAL_OPTIONS if getattr(view, name)]
    for f in view.selection.filters:
        pairs.append((FILTER + f.characteristic_code, ",".join(f.level_codes)))
    return pairs


def address(view: View) -> str:
    """The address of a view, without host: '/survival?v=1&data=...'."""
    return f"/{view.page}?{urlencode(encode(view), safe=',/')}"


def parse_link(link: str) -> tuple[str, dict[str, list[str]]]:
    """Page and parameters of a link, with or without host. Raises LinkError for an unknown page."""
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise LinkError(say("link.no_link", value=link)) from error
    page = parts.path.strip("/").rsplit("/", 1)[-1]
    if page not in PAGES:
        allowed = ", ".join(PAGES)
        raise LinkError(say("link.no_page", value=page, allowed=allowed))
    params: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        params.setdefault(name, []).append(value)
    return page, params


def snapshot_in(params: Params) -> str | None:
    """The snapshot an address names, None if it names none. Raises LinkError for a newer link."""
    for name in ("v", "data"):
        if len(params.get(name, [])) > 1:
            raise LinkError(say("link.twice", parameter=name))
    version = params.get("v", [VERSION])[-1]
    if version != VERSION:
        raise LinkError(say("link.version", value=version, known=VERSION))
    named = params.get("data")
    return named[-1] if named else None


class _Reader:
    """Reads parameters of an address, keeps what is wrong with them."""

    def __init__(self, params: Params) -> None:
        self.params = params
        self.seen = {"v", "data"}
        self.problems: list[str] = []

    def one(self, name: str) -> str | None:
        self.seen.add(name)
        values = self.params.get(name, [])
        if len(values) > 1:
            self.problems.append(say("link.twice", parameter=name))
        return values[0] if len(values) == 1 else None

    def wrong(self, name: str, value: str, allowed: Sequence[str]) -> str:
        return say("link.value", parameter=name, value=value, allowed=", ".join(allowed))

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        value = self.one(name)
        if value is None or value in allowed:
            return value or default
        self.problems.append(self.wrong(name, value, allowed))
        return default

    def search(self, name: str, labels: Sequence[str]) -> str:
        """A text to look for; it has to be a part of one of the labels."""
        value = " ".join((self.one(name) or "").split())
        if any(value.casefold() in label.casefold() for label in labels):
            return value
        self.problems.append(say("link.search", parameter=name, value=value))
        return ""

    def time(self, name: str, allowed: Sequence[float], default: float) -> float:
        words = {f"{time:g}": time for time in allowed}
        return words[self.choice(name, list(words), f"{default:g}")]

    def several(self, name: str, allowed: Sequence[str]) -> list[str]:
        """The codes of a comma list; any unknown one refuses the whole list."""
        value = self.one(name)
        if value is None:
            return []
        codes = value.split(",")
        unknown = [code for code in codes if code not in allowed]
        if unknown:
            self.problems.append(self.wrong(name, ",".join(unknown), allowed))
            return []
        return codes


def _primary_option(study: Study, question: str, name: str, allowed: Sequence[str]) -> str:
    """What a page opens with: the option of the primary measure, else the first one."""
    primary = study.primary(question)
    chosen = dict(primary.options).get(name, "") if primary else ""
    return chosen if chosen in allowed else (allowed[0] if allowed else "")


def response_points(study: Study) -> tuple[str, ...]:
    """What a response can be asked about: remission, and the time points of MRD."""
    if study.response is None:
        return ()
    measured = study.response.mrd_measure is not None
    return (REMISSION, *(p.code for p in study.timepoints if measured))


def classes_of(point: str) -> tuple[str, ...]:
    """The classes of what is asked about."""
    return RESPONSE_CLASSES if point == REMISSION else MRD_CLASSES


def response_parts(study: Study) -> tuple[str, ...]:
    """The parts of the response page that a study has anything for."""
    rule = study.response
    if rule is None:
        return ()
    absent = {"courses": rule.course is None, "flow": not rule.flow}
    return tuple(part for part in PARTS if not absent.get(part))


def thresholds(study: Study) -> tuple[str, ...]:
    """The MRD thresholds of a study as an address names them."""
    rule = study.response
    found = rule.thresholds if rule else ()
    return (*(f"{t:g}" for t in found), OWN_LIMIT) if found else ()


def threshold_of(mrd: str) -> float | None:
    """The threshold that an address names; None for each assay's own limit."""
    return None if mrd == OWN_LIMIT else float(mrd)


def _response_allowed(study: Study) -> dict[str, tuple[str, ...]]:
    """What each option about response can be, its default first."""
    rule = study.response
    if rule is None:
        return {}
    points = response_points(study)
    first = _primary_option(study, "response", "timepoint", points[1:]) or REMISSION
    return {
        "timepoint": (first, *(p for p in points if p != first)),
        "definition": tuple(d.code for d in rule.definitions),
        "mrd": thresholds(study),
        "denominator": DENOMINATORS,
        "missing": MISSING_RULES,
        "effect": EFFECTS,
        "part": response_parts(study),
        "course": COURSES if rule.course else (),
        "who": (EVERYBODY,),
        "sort": SORTS,
        "window": tuple(WINDOWS),
    }


def _with_response(reader: "_Reader", view: View, study: Study) -> View:
    """The options about response, of a study that judges it.

    Before a link named its denominator, who was not known was left out by counting the evaluable:
    a link that leaves them out and names none means those.
    """
    allowed = _response_allowed(study)
    chosen = {
        name: reader.choice(name, codes, codes[0]) if codes else ""
        for name, codes in allowed.items()
        if name != "who"
    }
    if "timepoint" in chosen:
        who = (EVERYBODY, *classes_of(chosen["timepoint"]))
        chosen["who"] = reader.choice("who", who, EVERYBODY)
    if chosen.get("missing") == "left_out" and "denominator" not in reader.params:
        chosen["denominator"] = "evaluable"
    return replace(view, **chosen)


def items_of_study(study: Study) -> tuple[str, ...]:
    """Every item that can be asked about: any, fatal, categories, terms."""
    found = study.toxicity
    categories = (f"category/{c.code}" for c in found.categories)
    return ("any", "fatal", *categories, *(f"term/{t.code}" for t in found.terms))


def toxicity_parts(study: Study) -> tuple[str, ...]:
    """The parts of the toxicity page that a study has anything for."""
    found = study.toxicity
    absent = {
        "compare": len(found.block_groups) < 2,
        "infections": found.infections is None,
        "deaths": found.death is None or study.response is None,
    }
    return tuple(part for part in TOXICITY_PARTS if not absent.get(part))


def _first_item(study: Study) -> str:
    """What the parts are about when nothing is said: the item of the primary measure, else any."""
    primary = study.primary("toxicity")
    named = dict(primary.options).get("item", "") if primary else ""
    return next((x for x in items_of_study(study) if x.split("/")[-1] == named), "any")


def _toxicity_allowed(study: Study) -> dict[str, tuple[str, ...]]:
    """What each option of the toxicity page can be, its default first, but for `open`, `find`."""
    if not (study.toxicity.grades and study.blocks):
        return {}
    first, items = _first_item(study), items_of_study(study)
    return {
        "unit": UNITS,
        "order": ORDERS,
        "least": LEAST,
        "item": (first, *(x for x in items if x != first)),
        "more": toxicity_parts(study),
        "nth": COURSES,
    }


def _with_toxicity(reader: "_Reader", view: View, study: Study) -> View:
    """The options of the toxicity page, of a study with blocks and grades."""
    chosen = {
        name: reader.choice(name, codes, codes[0])
        for name, codes in _toxicity_allowed(study).items()
    }
    if not chosen:
        return view
    categories = [c.code for c in study.toxicity.categories]
    opened = reader.several("open", [CLOSED, OPEN, *categories])
    shown = [c for c in categories if c in opened]
    chosen["open"] = OPEN if OPEN in opened else ",".join(shown) or CLOSED
    labels = [x.label for x in (*study.toxicity.categories, *study.toxicity.terms)]
    return replace(view, find=reader.search("find", labels), **chosen)


def _with_survival(reader: "_Reader", view: View, study: Study) -> View:
    """The options of the survival page; which days there are depends on the split."""
    chosen: dict[str, str] = {}
    for name in SURVIVAL_OPTIONS:
        codes = survival_allowed(study, chosen.get("split", ""))[name]
        chosen[name] = reader.choice(name, codes, codes[0]) if codes else ""
    return replace(view, **chosen)


def _times(study: Study) -> list[str]:
    return [f"{t:g}" for t in study.milestone_times]


def default_view(page: str, data: str, study: Study) -> View:
    """The view of a page when an address says nothing: the study's default population."""
    endpoint = study.endpoint(
        _primary_option(study, "survival", "endpoint", [e.code for e in study.endpoints])
    )
    times = _times(study)
    time = _primary_option(study, "survival", "time", times) if study.primaries else times[-1]
    grades = [str(grade) for grade in study.toxicity.grades]
    blocks = [b.code for b in study.blocks]
    view = View(
        page=page,
        data=data,
        selection=selection(
            study,
            [cohort.code for cohort in study.cohorts],
            {code: list(levels) for code, levels in study.default_levels},
        ),
        endpoint=endpoint.code,
        time=float(time),
        tau=endpoint.rmst_taus[0],
        block=_primary_option(study, "toxicity", "block", blocks) if grades else "",
        grade=int(_primary_option(study, "toxicity", "grade", grades)) if grades else 0,
    )
    allowed = _response_allowed(study) | _toxicity_allowed(study) | survival_allowed(study)
    options = {name: codes[0] if codes else "" for name, codes in allowed.items()}
    if view.block:
        options["open"] = CLOSED
    return replace(view, **options)


def decode(page: str, params: Params, data: str, study: Study) -> Decoded:
    """The view of an address over a study; defaults for what it does not say.

    A whole address names its cohorts. One that does not was written by hand: it gets the study's
    default population beside what it says.
    """
    reader, default = _Reader(params), default_view(page, data, study)
    cohorts = reader.several("cohorts", [c.code for c in study.cohorts])
    lines = reader.several("lines", [line.code for line in study.lines])
    code = reader.choice("endpoint", [e.code for e in study.endpoints], default.endpoint)
    endpoint = study.endpoint(code)
    levels = _filters(reader, study, clock_start(page, endpoint))
    if "cohorts" not in params:
        named = {f.characteristic_code: list(f.level_codes) for f in default.selection.filters}
        levels = named | {x: chosen for x, chosen in levels.items() if chosen}
    view = replace(
        _with_treatment_options(reader, default, study),
        selection=selection(
            study,
            cohorts or list(default.selection.cohort_codes),
            levels,
            lines or list(default.selection.line_codes),
        ),
        endpoint=code,
        time=reader.time("time", study.milestone_times, default.time),
        tau=reader.time("tau", endpoint.rmst_taus, endpoint.rmst_taus[0]),
        bands=YES_NO[reader.choice("bands", list(YES_NO), "yes")],
        marks=YES_NO[reader.choice("marks", list(YES_NO), "yes")],
    )
    for name in params:
        if name not in reader.seen:
            reader.problems.append(say("link.unknown", parameter=name))
    return Decoded(view, tuple(reader.problems))


def _with_treatment_options(reader: _Reader, view: View, study: Study) -> View:
    """The options about response, toxicity and comparisons of survival, of a study with them."""
    view = _with_response(reader, view, study)
    if view.block:
        grades = [str(grade) for grade in study.toxicity.grades]
        view = replace(
            view,
            block=reader.choice("block", [b.code for b in study.blocks], view.block),
            grade=int(reader.choice("grade", grades, str(view.grade))),
            extra=YES_NO[reader.choice("extra", list(YES_NO), "no")],
        )
        view = _with_toxicity(reader, view, study)
    return _with_survival(reader, view, study)


def _filters(reader: _Reader, study: Study, origin: str) -> dict[str, list[str]]:
    levels = {}
    for x in study.characteristics:
        before = len(reader.problems)
        chosen = reader.several(FILTER + x.code, x.level_codes)
        if chosen and known_late(x, origin):
            known_at = study.milestone_label(x.known_at)
            reader.problems.append(say("frame.late", label=x.label, known_at=known_at))
            chosen = []
        reader.problems[before:] = [
            say("link.filter", problem=problem) for problem in reader.problems[before:]
        ]
        levels[x.code] = chosen
    for name in reader.params:
        if name.startswith(FILTER) and name not in reader.seen:
            reader.seen.add(name)
            unknown = reader.wrong("filter", name, [x.code for x in study.characteristics])
            reader.problems.append(say("link.filter", problem=unknown))
    return levels


def on_data(view: View, data: str, study: Study) -> Decoded:
    """The same view on other data; what the other study does not have is said, and left out."""
    params = {name: [value] for name, value in encode(view)}
    if not set(view.selection.cohort_codes) & {cohort.code for cohort in study.cohorts}:
        # Another study: it opens with its own default population.
        for name in ("cohorts", "lines"):
            del params[name]
    return decode(view.page, params, data, study)
