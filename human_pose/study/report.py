"""The report of a study: conclusions, tables, charts and the machine; Markdown, and a page that needs no network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..files import write_whole
from .charts import Chart, charts
from .conclusions import conclusions
from .glance import glance
from .results import Study
from .tables import Table, number, tables

TITLE = "What pays on this machine"
METHOD = (
    "Every run was a process of its own; the runs of all cells were interleaved in random order (the seed is below), "
    "so that drift of the machine hits all alike. Warm-up is left out. FPS are a total over a total; intervals are "
    "95 % bootstrap intervals over runs, given from five runs on. A run is disturbed if other programs took more than "
    "a tenth of a core meanwhile, and 5 % of all: it is run once more, and left out where five others remain. A ratio "
    'whose interval holds 1 is reported as no difference shown. What is not there is "not measured", with the reason.'
)
STYLE = """
:root { color-scheme: light dark; --line: #ccd3da; --soft: #f3f5f7; --page: #fff; --ink: #1b2733; --accent: #1f6fb8 }
@media (prefers-color-scheme: dark) {
  :root { --line: #3b4753; --soft: #1d262f; --page: #12181e; --ink: #e3e9ef; --accent: #79b8f3 }
}
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; color: var(--accent) }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem; text-align: right; vertical-align: top }
th:first-child, td:first-child, td[colspan] { text-align: left } th { background: var(--soft) }
td:not(:first-child):not([colspan]) { white-space: nowrap }
td:first-child { min-width: min(20rem, 45vw) }
.glance { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .6rem; margin: 1rem 0 }
.glance div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .8rem }
.glance b { display: block; font-size: 1.7rem; color: var(--accent) } .glance span { font-size: .85rem }
.top { background: var(--soft); border-left: 4px solid var(--accent); padding: .5rem 1rem } .top dl { margin: 0 }
.top dt { font-weight: 600; margin-top: .6rem } .top dd { margin: .2rem 0 .2rem 1rem }
svg { width: 100%; height: auto; min-width: 30rem } .note { opacity: .8; margin: .2rem 0 }
details { margin: .6rem 0 } summary { cursor: pointer; color: var(--accent) }
"""


def write_report(study: Study, folder: Path, with_charts: bool = True) -> None:
    """Write report.html, report.md, results.csv and the charts into the folder. Raises DemoError."""
    drawn = charts(study) if with_charts else []
    for chart in drawn:
        write_whole(folder / f"{chart.name}.svg", chart.svg)
        write_whole(folder / f"{chart.name}.png", chart.png)
    study.write_csv(folder)
    write_whole(folder / "report.md", as_markdown(study, drawn).encode())
    write_whole(folder / "report.html", as_page(study, drawn).encode())


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
    parts = [f"# {TITLE}", *([study.wish.note] if study.wish.note else [])]
    tiles = glance(study)
    if tiles:
        parts.append(
            _markdown_table(Table("", "", [["", "at a glance"], *[[f"**{t.figure}**", t.what] for t in tiles]]))
        )
    for conclusion in conclusions(study):
        parts.append(f"**{conclusion.title}**")
        parts.append("\n".join(f"- {sentence}" for sentence in conclusion.sentences))
    parts.append(METHOD)
    for table in tables(study):
        parts += [f"## {table.title}", *([table.note] if table.note else [])]
        parts += [f"![{chart.title}]({chart.name}.svg)" for chart in drawn if chart.kind in table.charts]
        parts.append(_markdown_table(table))
    parts.append("## The machine and the runs")
    parts.append(_markdown_table(Table("", "", [["", ""], *[list(fact) for fact in facts(study)]])))
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    width = len(table.rows[0])
    lines = []
    for row in table.rows:
        cells = [cell.replace("|", "\\|") for cell in row] + [""] * (width - len(row))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([lines[0], "|---" * width + "|", *lines[1:]])


def as_page(study: Study, drawn: Sequence[Chart]) -> str:
    note = f"<p>{escape(study.wish.note)}</p>" if study.wish.note else ""
    tiles = "".join(f"<div><b>{escape(t.figure)}</b><span>{escape(t.what)}</span></div>" for t in glance(study))
    parts = [f"<h1>{TITLE}</h1>{note}<div class=glance>{tiles}</div><div class=top><dl>"]
    for conclusion in conclusions(study):
        told = "".join(f"<dd>{escape(sentence)}</dd>" for sentence in conclusion.sentences)
        parts.append(f"<dt>{escape(conclusion.title)}</dt>{told}")
    parts.append(f"</dl></div><p class=note>{escape(METHOD)}</p>")
    for table in tables(study):
        shown = "".join(f"<div class=wide>{chart.inline}</div>" for chart in drawn if chart.kind in table.charts)
        inside = f"<p class=note>{escape(table.note)}</p>{shown}{_html_table(table)}"
        if table.is_detail:
            parts.append(f"<details><summary>{escape(table.title)}</summary>{inside}</details>")
        else:
            parts.append(f"<h2>{escape(table.title)}</h2>{inside}")
    machine = Table("", "", [["", ""], *[list(fact) for fact in facts(study)]])
    parts.append(f"<h2>The machine and the runs</h2>{_html_table(machine).replace('<td>', '<td colspan=1>')}")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join(parts)
    style = f"<title>{TITLE}</title><style>{STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}{style}</head>\n<body>{body}</body></html>\n'


def _html_table(table: Table) -> str:
    """A row that ends early ends in a sentence, which takes the rest of its width."""
    header, *rows = table.rows
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in header)]
    for row in rows:
        missing = len(header) - len(row)
        *first, last = [escape(cell) for cell in row]
        span = f" colspan={missing + 1}" if missing else ""
        lines.append("".join(f"<td>{cell}</td>" for cell in first) + f"<td{span}>{last}</td>")
    return f"<div class=wide><table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table></div>"
