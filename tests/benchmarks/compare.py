"""`python -m tests.benchmarks.compare before.json after.json [more.json]`: medians of two or more runs side by side."""

import json
import sys
from pathlib import Path

import pandas as pd


def compare(reports: list[Path]) -> str:
    """Markdown: every benchmark that all reports have, in milliseconds, and the last one's share of the first one's."""
    columns = {
        report.stem: {run["name"]: run["stats"]["median"] * 1e3 for run in json.loads(report.read_text())["benchmarks"]}
        for report in reports
    }
    times = pd.DataFrame(columns).dropna()
    lines = [" | ".join(["ms", *columns, "last / first"]), " | ".join([":--", *["--:"] * (len(columns) + 1)])]
    for name, row in times.iterrows():
        lines.append(" | ".join([f"`{name}`", *(f"{ms:.3g}" for ms in row), f"{row.iloc[-1] / row.iloc[0]:.2f}"]))
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    print(compare([Path(argument) for argument in sys.argv[1:]]))
