"""`python -m tests.benchmarks.table bench.json`: the operator's benchmark as the Markdown table of docs/renderer.md."""

import json
import sys
from pathlib import Path

import pandas as pd

OTHERS = ("kaolin", "nvdiffrast", "brute force")


def table(report: Path) -> str:
    """Medians in milliseconds of forward + backward, per image, and how many times as long the others take."""
    rows = [
        {**run["extra_info"], "ms": run["stats"]["median"] * 1e3 / run["extra_info"]["batch"]}
        for run in json.loads(report.read_text())["benchmarks"]
        if "who" in run["extra_info"]
    ]
    runs = pd.DataFrame(rows)
    # One image of the brute force costs the same in every batch.
    times = runs[runs.who != "brute force"].pivot(index=["size", "faces", "batch"], columns="who", values="ms")
    for _, run in runs[runs.who == "brute force"].iterrows():
        times.loc[
            [(run["size"], run["faces"], batch) for batch in times.loc[run["size"], run["faces"]].index], run.who
        ] = run.ms
    others = [name for name in OTHERS if name in times]
    header = ["pixels", "faces", "images", "ms per image", *(f"{name}, times as long" for name in others)]
    lines = [" | ".join(header), " | ".join("--:" for _ in header)]
    for (size, faces, batch), row in times.sort_index().iterrows():
        ratios = ["" if pd.isna(row[name]) else f"{row[name] / row.warp:.3g}" for name in others]
        lines.append(" | ".join([f"{size} x {size}", f"{faces:,}", str(batch), f"{row.warp:.3g}", *ratios]))
    return "\n".join(
        [f"{runs.device.iloc[0]}, forward + backward, three features:", "", *(f"| {line} |" for line in lines)]
    )


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
