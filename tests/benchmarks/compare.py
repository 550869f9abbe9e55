"""`python -m tests.benchmarks.compare before-1.json after-1.json before-2.json ...`: runs side by side, milliseconds.

Reports that differ in their number alone are one column, the median of their medians. Taking turns is what makes
columns comparable: a machine may be half as fast again a minute later.
"""

import json
import sys
from pathlib import Path

import pandas as pd


def compare(reports: list[Path]) -> str:
    """Markdown: every benchmark that all columns have, and the last column's share of the first one's time."""
    rows = [
        {
            "name": run["name"],
            "column": report.stem.rpartition("-")[0] or report.stem,
            "ms": run["stats"]["median"] * 1e3,
        }
        for report in reports
        for run in json.loads(report.read_text())["benchmarks"]
    ]
    columns = list(dict.fromkeys(row["column"] for row in rows))
    times = pd.DataFrame(rows).pivot_table("ms", "name", "column", "median", sort=False)[columns].dropna()
    lines = [" | ".join(["ms", *columns, "last / first"]), " | ".join([":--", *["--:"] * (len(columns) + 1)])]
    for name, row in times.iterrows():
        lines.append(" | ".join([f"`{name}`", *(f"{ms:.3g}" for ms in row), f"{row.iloc[-1] / row.iloc[0]:.2f}"]))
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    print(compare([Path(argument) for argument in sys.argv[1:]]))
