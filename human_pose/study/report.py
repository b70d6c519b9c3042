"""The report of a study: conclusions, tables, charts and the machine; Markdown, and a page that needs no network."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ..files import write_whole
from .charts import Chart, charts
from .conclusions import Conclusion, conclusions, first_page
from .findings import Findings
from .results import Study
from .tables import Table, number, tables

TITLE = "What pays on this machine"
METHOD = (
    "Every run was a process of its own; the runs of all cells were interleaved in random order (the seed is below), "
    "so that drift of the machine hits all alike. Warm-up is left out. FPS are a total over a total; intervals are "
    "95 % bootstrap intervals over runs, given from five runs on. A run is disturbed if other programs took more than "
    "a tenth of a core meanwhile, and 5 % of all: it is run once more (but not in a quick study), and left out "
    "where five others remain. A ratio whose interval holds 1 is reported as no difference shown."
)
STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True)
class Report:
    """What the Markdown and the page show, in this order; doubt: why the figures are not to be quoted."""

    title: str
    doubt: str | None
    first_charts: list[Chart]
    first_page: list[str]
    note: str
    conclusions: list[Conclusion]
    tables: list[tuple[Table, list[Chart]]]


def report_of(study: Study, with_charts: bool = True) -> Report:
    """Two charts are on the first page, none of figures that are not to be quoted; latency stands in for accuracy."""
    found = Findings(study)
    drawn = charts(found) if with_charts else []
    first = [chart for kind in ("summary", "accuracy", "latency") for chart in drawn if chart.kind == kind]
    machine = Table("The machine and the runs", "", ["", ""], [list(fact) for fact in facts(study)])
    with_their_charts = [
        (table, [chart for chart in drawn if chart.kind in table.charts]) for table in [*tables(found), machine]
    ]
    return Report(
        title(study),
        found.doubt(),
        [] if found.doubt() else first[:2],
        first_page(found),
        study.options.note,
        conclusions(found),
        with_their_charts,
    )


def write_report(study: Study, folder: Path, with_charts: bool = True) -> Report:
    """Write report.html, report.md, results.csv and the charts into the folder. Raises DemoError."""
    report = report_of(study, with_charts)
    for chart in {*report.first_charts, *(chart for _, shown in report.tables for chart in shown)}:
        write_whole(folder / f"{chart.name}.svg", chart.svg)
    study.write_csv(folder)
    write_whole(folder / "report.md", as_markdown(report).encode())
    write_whole(folder / "report.html", as_page(report).encode())
    return report


def title(study: Study) -> str:
    """What the report is of: the machine and the day."""
    machine = study.data["machine"]
    return f"{TITLE}: {machine['cpu']}, {machine['cores']} logical cores, {study.begun_on}"


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
    conditions = [run["conditions"] for run in study.data["runs"] if run.get("conditions")]
    return [
        ("CPU", f"{machine['cpu']}, {machine['cores']} logical cores"),
        ("Memory", f"{machine['memory_gb']} GB" if machine["memory_gb"] else "the system does not tell"),
        ("Devices", "; ".join(devices)),
        ("System", f"{machine['os']}, {machine['architecture']}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in machine["versions"].items())),
        ("Models", "; ".join(models)),
        ("Video", f"{video['name']}, {'x'.join(map(str, video['frame_size']))}"),
        ("Network's input", ", ".join(sorted(sizes)) or "-"),
        ("Runs", f"{options.runs} of each cell ({options.original_runs} of the original), {options.length} for each "
                 f"measurement, {options.pause_s:g} s of pause; seed {options.seed}"),
        ("CPU frequency, MHz", _range(conditions, "mhz")),
        ("Temperature, C", _range(conditions, "temperature_c")),
        ("Cores taken by others", _range(conditions, "other_cores")),
    ]  # fmt: skip


def _range(conditions: Sequence[dict[str, float | None]], key: str) -> str:
    values = [value for one in conditions if (value := one[key]) is not None]
    return f"{number(min(values))} to {number(max(values))}" if values else "the system does not tell"


def as_markdown(report: Report) -> str:
    def shown(drawn: Iterable[Chart]) -> list[str]:
        return [f"![{chart.title}]({chart.name}.svg)" for chart in drawn]

    parts = [f"# {report.title}", *shown(report.first_charts)]
    parts.append("\n".join(f"{index}. {sentence}" for index, sentence in enumerate(report.first_page, 1)))
    parts.append(report.note)
    for about, sentences in report.conclusions:
        parts += [f"**{about}**", "\n".join(f"- {sentence}" for sentence in sentences)]
    parts.append(METHOD)
    for table, drawn in report.tables:
        rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in [table.head, *table.rows]]
        rows.insert(1, "|---" * len(table.head) + "|")
        parts += [f"## {table.title}", table.note, *shown(drawn), "\n".join(rows)]
    return "\n\n".join(filter(None, parts)) + "\n"


def as_page(report: Report) -> str:
    """One file, charts included."""

    def shown(drawn: Sequence[Chart]) -> str:
        images = [
            f'<img alt="{escape(chart.title)}" src="data:image/svg+xml;base64,{base64.b64encode(chart.svg).decode()}">'
            for chart in drawn
        ]
        return _tag("div class=charts", *images) if drawn else ""

    def listed(kind: str, sentences: Iterable[str]) -> str:
        return _tag(kind, *(_tag("li", escape(sentence)) for sentence in sentences))

    warning = [_tag("p class=warning", escape(report.doubt))] if report.doubt else []
    sentences = listed("ol", [sentence for sentence in report.first_page if sentence != report.doubt])
    heading = _tag("h1", escape(report.title))
    parts = [_tag("section class=first", heading, *warning, shown(report.first_charts), sentences)]
    parts += [_tag("p", escape(report.note))] if report.note else []
    parts += [_tag("h3", escape(about)) + listed("ul", sentences) for about, sentences in report.conclusions]
    parts.append(_tag("p class=note", escape(METHOD)))
    for table, drawn in report.tables:
        note = _tag("p class=note", escape(table.note)) if table.note else ""
        inside = note + shown([chart for chart in drawn if chart not in report.first_charts]) + _html_table(table)
        about = _tag("summary" if table.is_detail else "h2", escape(table.title))
        parts.append(_tag("details", about, inside) if table.is_detail else about + inside)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += _tag("title", escape(report.title)) + _tag("style", STYLE.read_text(encoding="utf-8"))
    body = _tag("body", "\n".join(parts))
    return f'<!doctype html>\n<html lang="en">{_tag("head", head)}\n{body}</html>\n'


def _html_table(table: Table) -> str:
    """With a head that is repeated where a page of paper ends within the table."""
    head = [_tag("th", escape(cell)) for cell in table.head if any(table.head)]
    rows = [_tag("tr", *(_tag("td", escape(cell)) for cell in row)) for row in table.rows]
    kind = "table class=words" if len(table.head) == 2 else "table"
    return _tag("div class=wide", _tag(kind, _tag("thead", _tag("tr", *head)), _tag("tbody", *rows)))


def _tag(name: str, *inside: str) -> str:
    """name: with attributes, as 'p class=note'."""
    return f"<{name}>{''.join(inside)}</{name.split()[0]}>"
