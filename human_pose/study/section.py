"""The parts of a report, and how each is written in Markdown and on the page."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .charts import Chart

# Before and after its title in Markdown, and the element that holds the title on the page.
TITLES = {"first": ("# ", "", "h1"), "conclusion": ("**", "**", "h3"), "table": ("## ", "", "h2"),
          "detail": ("## ", "", "summary")}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A part of the report; what it lacks of these is empty.

    note: what a reader must know; head, rows: of a table, whose floats are rounded, and None is '-'; charts, sentences:
    that belong to it; kind: of TITLES; the page shows a detail only when it is asked for.
    """

    title: str = ""
    note: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    charts: Sequence[Chart] = ()
    sentences: Sequence[str] = ()
    kind: str = "table"


def text(value: object) -> str:
    """A value in a table: three figures of a float that count, '-' of None."""
    if not isinstance(value, float):
        return "-" if value is None else str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def as_markdown(sections: Sequence[Section]) -> str:
    parts = []
    for one in sections:
        before, after, _ = TITLES[one.kind]
        parts += [f"{before}{one.title}{after}" if one.title else "", one.note]
        parts += [f"![{chart.title}]({chart.name}.svg)" for chart in one.charts]
        bullets = [f"{number}." if one.kind == "first" else "-" for number, _ in enumerate(one.sentences, 1)]
        parts.append("\n".join(map(" ".join, zip(bullets, one.sentences, strict=True))))
        rows = [
            "| " + " | ".join(text(cell).replace("|", "\\|") for cell in row) + " |" for row in (one.head, *one.rows)
        ]
        parts += ["\n".join([rows[0], "|---" * len(one.head) + "|", *rows[1:]])] if one.rows else []
    return "\n\n".join(filter(None, parts)) + "\n"


def as_html(one: Section, shown: Sequence[Chart] = ()) -> str:
    """With its charts inside, but for those that the page has shown."""
    charts = [chart for chart in one.charts if chart not in shown]
    title = tag(TITLES[one.kind][2], escape(one.title)) if one.title else ""
    parts = [tag(f"p class={'warning' if one.kind == 'first' else 'note'}", escape(one.note))] if one.note else []
    if charts:
        source = "data:image/svg+xml;base64,"
        images = [(escape(chart.title), base64.b64encode(chart.svg).decode()) for chart in charts]
        parts.append(tag("div class=charts", *(f'<img alt="{alt}" src="{source}{svg}">' for alt, svg in images)))
    if one.sentences:
        items = [tag("li", escape(sentence)) for sentence in one.sentences]
        parts.append(tag("ol" if one.kind == "first" else "ul", *items))
    if one.rows:
        head = tag("tr", *(tag("th", escape(name)) for name in one.head if any(one.head)))
        rows = [tag("tr", *(tag("td", escape(text(cell))) for cell in row)) for row in one.rows]
        # The head is repeated where a page of paper ends within the table.
        name = "table class=words" if len(one.head) == 2 else "table"
        parts.append(tag("div class=wide", tag(name, tag("thead", head), tag("tbody", *rows))))
    whole = {"first": "section class=first", "detail": "details"}.get(one.kind)
    return tag(whole, title, *parts) if whole else title + "".join(parts)


def tag(name: str, *inside: str) -> str:
    """name: with attributes, as 'p class=note'."""
    return f"<{name}>{''.join(inside)}</{name.split()[0]}>"
