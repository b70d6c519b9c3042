"""The report of a study: conclusions, tables, charts and the machine; Markdown, and a page that needs no network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..files import write_whole
from .charts import Chart, charts
from .conclusions import conclusions
from .findings import doubt
from .results import Study
from .summary import summary
from .tables import Table, number, tables

TITLE = "What pays on this machine"
METHOD = (
    "Every run was a process of its own; the runs of all cells were interleaved in random order (the seed is below), "
    "so that drift of the machine hits all alike. Warm-up is left out. FPS are a total over a total; intervals are "
    "95 % bootstrap intervals over runs, given from five runs on. A run is disturbed if other programs took more than "
    "a tenth of a core meanwhile, and 5 % of all: it is run once more (but not in a quick study), and left out "
    "where five others remain. A ratio whose interval holds 1 is reported as no difference shown."
)
STYLE = """
:root { color-scheme: light; --line: #ccd3da; --soft: #f3f5f7; --page: #fff; --ink: #1b2733; --accent: #1f6fb8 }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --line: #3b4753; --soft: #1d262f; --page: #12181e; --ink: #e3e9ef; --accent: #79b8f3 }
}
body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0 } h2 { font-size: 1.2rem; margin: 2rem 0 .3rem }
h1, h2, summary { color: var(--accent) } summary { cursor: pointer } .note { opacity: .8; margin: .4rem 0 .2rem }
.first { font-size: 1.15rem } .first li { margin: .4rem 0 } .first ol { padding-left: 1.4rem }
.warning { border: 3px solid #c9555a; padding: .5rem 1rem; font-weight: 600 }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 0 1.5rem;
  align-items: start; margin: .8rem 0 } svg { width: 100%; height: auto }
h3 { font-size: 1rem; margin: .8rem 0 0 } ul { margin: .2rem 0; padding-left: 1.4rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: right; vertical-align: top;
  overflow-wrap: normal } th { background: var(--soft); vertical-align: bottom }
td:not(:first-child) { white-space: nowrap } td:first-child { min-width: 13rem }
th:first-child, td:first-child, .words td { text-align: left } .words td:last-child { white-space: normal }
@media screen and (max-width: 40rem) {
  th:first-child, td:first-child { position: sticky; left: 0; min-width: 8rem; max-width: 8rem; overflow-wrap: anywhere;
    background: var(--page); border-right: 1px solid var(--line) }
  .wide { scrollbar-width: auto; border-right: 3px double var(--line) }
}
@page { size: A4; margin: 12mm }
@media print {
  body { max-width: none; padding: 0; font-size: 8.5pt } .wide { overflow: visible }
  h2 { margin: 1.2rem 0 .2rem } h2, h3, .note { break-after: avoid } table, tr, li, svg, .note { break-inside: avoid }
  table { font-size: 7pt; width: 100% } th, td { padding: .1rem .25rem } details:not([open]) { display: none }
  .charts { grid-template-columns: 1fr 1fr; break-inside: avoid }
  .first { break-after: page; font-size: 11.5pt; height: 270mm; display: flex; flex-direction: column }
  .first .charts { flex: 1; min-height: 0; grid-template: minmax(0, 1fr) minmax(0, 1fr) / 1fr }
  .first svg { height: 100% }
}
"""


def write_report(study: Study, folder: Path, with_charts: bool = True) -> None:
    """Write report.html, report.md, results.csv and the charts into the folder. Raises DemoError."""
    drawn = charts(study) if with_charts else []
    for chart in drawn:
        write_whole(folder / f"{chart.name}.svg", chart.svg)
    study.write_csv(folder)
    write_whole(folder / "report.md", as_markdown(study, drawn).encode())
    write_whole(folder / "report.html", as_page(study, drawn).encode())


def title(study: Study) -> str:
    """What the report is of: the machine and the day."""
    machine = study.data["machine"]
    return f"{TITLE}: {machine['cpu']}, {machine['cores']} logical cores, {study.begun_on}"


def facts(study: Study) -> list[tuple[str, str]]:
    """What ran, and on what."""
    machine, wish, video = study.data["machine"], study.wish, study.data["video"]
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
    length = f"{wish.frames} frames" if wish.frames else f"{wish.seconds:g} s"
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
        ("Runs", f"{wish.runs} of each cell ({wish.original_runs} of the original), {length} for each measurement, "
                 f"{wish.pause_s:g} s of pause; seed {wish.seed}"),
        ("CPU frequency, MHz", _range(conditions, "mhz")),
        ("Temperature, C", _range(conditions, "temperature_c")),
        ("Cores taken by others", _range(conditions, "other_cores")),
    ]  # fmt: skip


def _range(conditions: Sequence[dict[str, float | None]], key: str) -> str:
    told = [value for one in conditions if (value := one[key]) is not None]
    return f"{number(min(told))} to {number(max(told))}" if told else "the system does not tell"


def as_markdown(study: Study, drawn: Sequence[Chart]) -> str:
    def shown(charts: Sequence[Chart]) -> list[str]:
        return [f"![{chart.title}]({chart.name}.svg)" for chart in charts]

    parts = [f"# {title(study)}", *shown(_first(study, drawn))]
    parts.append("\n".join(f"{number}. {sentence}" for number, sentence in enumerate(summary(study), 1)))
    parts += [study.wish.note] if study.wish.note else []
    for conclusion in conclusions(study):
        parts.append(f"**{conclusion.title}**")
        parts.append("\n".join(f"- {sentence}" for sentence in conclusion.sentences))
    parts.append(METHOD)
    for table in [*tables(study), _machine(study)]:
        parts += [f"## {table.title}", *([table.note] if table.note else [])]
        parts += [*shown(_of(table, drawn)), _markdown_table(table)]
    return "\n\n".join(parts) + "\n"


def _first(study: Study, drawn: Sequence[Chart]) -> list[Chart]:
    """The two charts of the first page; none of figures that are not to be quoted. Latency stands in for accuracy."""
    if doubt(study) is not None:
        return []
    first = [chart for chart in drawn if chart.is_on_first_page]
    return (first + [chart for chart in drawn if chart.kind == "latency"])[:2]


def _of(table: Table, drawn: Sequence[Chart]) -> list[Chart]:
    return [chart for chart in drawn if chart.kind in table.charts]


def _machine(study: Study) -> Table:
    return Table("The machine and the runs", "", [["", ""], *[list(fact) for fact in facts(study)]])


def _markdown_table(table: Table) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
    return "\n".join([lines[0], "|---" * len(table.rows[0]) + "|", *lines[1:]])


def as_page(study: Study, drawn: Sequence[Chart]) -> str:
    def shown(charts: Sequence[Chart]) -> str:
        return f"<div class=charts>{''.join(chart.inline for chart in charts)}</div>" if charts else ""

    first = _first(study, drawn)
    why = doubt(study)
    warning = "" if why is None else f"<p class=warning>{escape(why)}</p>"
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in summary(study) if sentence != why)
    top = f"<h1>{escape(title(study))}</h1>{warning}{shown(first)}<ol>{sentences}</ol>"
    parts = [f"<section class=first>{top}</section>"]
    parts += [f"<p>{escape(study.wish.note)}</p>"] if study.wish.note else []
    for conclusion in conclusions(study):
        told = "".join(f"<li>{escape(sentence)}</li>" for sentence in conclusion.sentences)
        parts.append(f"<h3>{escape(conclusion.title)}</h3><ul>{told}</ul>")
    parts.append(f"<p class=note>{escape(METHOD)}</p>")
    for table in [*tables(study), _machine(study)]:
        note = f"<p class=note>{escape(table.note)}</p>" if table.note else ""
        charts = [chart for chart in _of(table, drawn) if chart not in first]
        inside = f"{note}{shown(charts)}{_html_table(table)}"
        if table.is_detail:
            parts.append(f"<details><summary>{escape(table.title)}</summary>{inside}</details>")
        else:
            parts.append(f"<h2>{escape(table.title)}</h2>{inside}")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join(parts)
    style = f"<title>{escape(title(study))}</title><style>{STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}{style}</head>\n<body>{body}</body></html>\n'


def _html_table(table: Table) -> str:
    """With a head that is repeated where a page of paper ends within the table."""
    head, *rows = table.rows
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head) if any(head) else ""
    kind = " class=words" if len(head) == 2 else ""
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<div class=wide><table{kind}><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
