"""The report of a study: conclusions, tables, charts and the machine; Markdown, and a page that needs no network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..files import write_whole
from .charts import charts
from .conclusions import conclusions, first_page
from .findings import Findings
from .results import Study
from .section import Section, as_html, as_markdown, tag, text
from .tables import tables

TITLE = "What pays on this machine"
METHOD = (
    "Every run was a process of its own; the runs of all cells were interleaved in random order (the seed is below), "
    "so that drift of the machine hits all alike. Warm-up is left out. FPS are a total over a total; intervals are "
    "95 % bootstrap intervals over runs, given from five runs on. A run is disturbed if other programs took more than "
    "a tenth of a core meanwhile, and 5 % of all: it is run once more (but not in a quick study), and left out "
    "where five others remain. A ratio whose interval holds 1 is reported as no difference shown."
)
STYLE = Path(__file__).with_name("page.css")
UNKNOWN = "the system does not tell"


def report_of(study: Study, with_charts: bool = True) -> list[Section]:
    """The first page, which has two charts, but none of figures that are not to be quoted; then all the others.

    Latency stands in for accuracy in the first charts.
    """
    found = Findings(study)
    drawn = charts(found) if with_charts else []
    doubt, machine = found.doubt(), study.data["machine"]
    title = f"{TITLE}: {machine['cpu']}, {machine['cores']} logical cores, {study.data['begun_on']}"
    best = [chart for kind in ("summary", "accuracy", "latency") for chart in drawn if chart.kind == kind][:2]
    return [
        Section(title, doubt, charts=[] if doubt else best, sentences=first_page(found), kind="first"),
        Section(note=study.options.note),
        *(Section(about, sentences=said, kind="conclusion") for about, said in conclusions(found).items() if said),
        Section(note=METHOD),
        *tables(found, drawn),
        Section("The machine and the runs", head=["", ""], rows=facts(study)),
    ]


def write_report(study: Study, folder: Path, with_charts: bool = True) -> Section:
    """Write report.html, report.md and the charts into the folder. Returns the first page. Raises DemoError."""
    report = report_of(study, with_charts)
    for chart in {chart for one in report for chart in one.charts}:
        write_whole(folder / f"{chart.name}.svg", chart.svg)
    write_whole(folder / "report.md", as_markdown(report).encode())
    write_whole(folder / "report.html", as_page(report).encode())
    return report[0]


def facts(study: Study) -> list[tuple[str, str]]:
    """What ran, and on what."""
    machine, options, video = study.data["machine"], study.options, study.data["video"]
    devices = [
        f"{device['name']}: {device['full_name']}"
        + (f", driver {device['driver']}" if device["driver"] else "")
        + (" (stand-in: the CPU under another name)" if device["is_stand_in"] else "")
        for device in machine["devices"]
    ]
    models = [
        f"{model['name']} {model['precision']}: "
        + (f"{model['note']}, " if model.get("note") else "")  # studies of earlier versions have none
        + (f"weights' SHA-256 {model['weights_sha256'][:16]}..." if model["weights_sha256"] else "not measured")
        for model in study.data["models"]
    ]
    sizes = {"x".join(map(str, run["input_size"])) for run in study.data["runs"] if "input_size" in run}
    return [
        ("CPU", f"{machine['cpu']}, {machine['cores']} logical cores"),
        ("Memory", f"{machine['memory_gb']} GB" if machine["memory_gb"] else UNKNOWN),
        ("Devices", "; ".join(devices)),
        ("System", f"{machine['os']}, {machine['architecture']}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in machine["versions"].items())),
        ("Models", "; ".join(models)),
        ("Video", f"{video['name']}, {'x'.join(map(str, video['frame_size']))}"),
        ("Network's input", ", ".join(sorted(sizes)) or "-"),
        ("Runs", f"{options.runs} of each cell ({options.original_runs} of the original), {options.length} for each "
                 f"measurement, {options.pause_s:g} s of pause; seed {options.seed}"),
        ("CPU frequency, MHz", _range(study, "mhz")),
        ("Temperature, C", _range(study, "temperature_c")),
        ("Cores taken by others", _range(study, "other_cores")),
    ]  # fmt: skip


def _range(study: Study, key: str) -> str:
    """Of a condition of the runs."""
    conditions = [run["conditions"] for run in study.data["runs"] if run.get("conditions")]
    values = [float(one[key]) for one in conditions if one[key] is not None]
    return f"{text(min(values))} to {text(max(values))}" if values else UNKNOWN


def as_page(report: Sequence[Section]) -> str:
    """One file, charts included, each once."""
    first, *others = report
    parts = [as_html(first)] + [as_html(one, first.charts) for one in others]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += tag("title", escape(first.title)) + tag("style", STYLE.read_text(encoding="utf-8"))
    body = tag("body", "\n".join(parts))
    return f'<!doctype html>\n<html lang="en">{tag("head", head)}\n{body}</html>\n'
