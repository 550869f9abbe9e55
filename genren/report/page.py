"""From content to text, by the templates beside this file."""

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from genren.report.costs import CostTable
from genren.report.tables import Table


@dataclass(frozen=True)
class Section:
    """One category."""

    name: str
    table: Table
    everything: Table  # every metric, for those who look closer
    views: Table | None  # means over views, where they are not those over models
    published: Table | None  # others' rows of the same protocol and data, beside ours
    failed: list[str]  # predictions that could not be measured, by system
    hardest: Table | None
    figures: dict[str, str]  # caption -> file name in figures/


@dataclass(frozen=True)
class Content:
    """All that the page, the summary and the README's part are made of."""

    results: Table
    targets: Table
    costs: CostTable
    comparable: Table
    cautions: list[str]  # why some of these numbers may not be compared, here or with the last commit's
    sections: list[Section]
    seeds: list[int]
    met: int  # targets met, of all categories
    judged: int  # targets set


def render(template: str, content: Content) -> str:
    """Text of a template; whatever comes from data is escaped, for HTML and for Markdown alike."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["header"] = _header
    environment.filters["markdown"] = _markdown
    environment.filters["duration"] = _duration
    environment.filters["gigabytes"] = _gigabytes
    return environment.get_template(template).render(content=content)


def _header(text: str) -> Markup:
    """Column title that breaks before its direction and inside a long name, and nowhere else."""
    text = re.sub(r" ([→↓↑]) ?", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", text).rstrip("\N{NO-BREAK SPACE}")
    words = (
        escape(word) if len(word) < 20 else escape(word).replace("_", Markup("_<wbr>")) for word in text.split(" ")
    )
    return Markup(" ").join(words)


def _markdown(text: str) -> str:
    """Text that stays text inside a Markdown table cell."""
    return re.sub(r"([\\`*\[\]|]|<(?=[\w/!?])|&(?=[\w#]))", r"\\\1", " ".join(text.split()))


def _duration(seconds: float | None) -> str:
    """Seconds as minutes and seconds, or n/a."""
    if seconds is None:
        return "n/a"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _gigabytes(amount: float | None) -> str:
    """An amount of memory with its unit, or n/a."""
    return "n/a" if amount is None else f"{amount:.2f} GB"
