"""`python -m tests.benchmarks.data bench.json`: the data benchmark as the tables of docs/data.md."""

import sys
from pathlib import Path

from tests.benchmarks.test_data import VIEWS, report

# ShapeNet's 13 categories (docs/data.md, Sources).
FULL_MODELS = 43_783


def table(path: Path) -> str:
    """What was measured, and what it comes to for all of ShapeNet's 13 categories."""
    rows = report(path)
    images = {row["who"]: row for row in rows if row["part"] == "images"}
    plain = images["plain PIL loop"]["seconds"]
    lines = [
        "| 137 to 64 pixels | images per second | s per 10,000 | times the plain loop |",
        "| :-- | --: | --: | --: |",
    ]
    for who, row in images.items():
        rate = row["images"] / row["seconds"]
        lines.append(f"| {who} | {rate:,.0f} | {1e4 / rate:.1f} | {plain / row['seconds']:.2f} |")

    (store,) = [row for row in rows if row["part"] == "store"]
    factor = FULL_MODELS / store["models"]
    whole = 1e4 * store["seconds"] / store["images"]
    lines += [
        "",
        f"The whole step with clouds and tables takes {whole:.1f} s per 10,000 images. For {FULL_MODELS:,} models of "
        f"{VIEWS} views that is {store['seconds'] * factor / 3600:.2f} hours, a store of "
        f"{store['bytes'] * factor / 1e9:.1f} GB, from {store['raw_bytes'] * factor / 1e9:.1f} GB of renders and "
        "clouds like the benchmark's.",
    ]
    memory = ", ".join(f"{row['peak_mb']:.0f} MB for {row['models']} models" for row in rows if row["part"] == "memory")
    lines += ["", f"Peak memory of preprocess on one process: {memory}.", ""]

    lines += [
        "| 16,384 oriented points | faces | ms | chi-squared per degree of freedom |",
        "| :-- | --: | --: | --: |",
    ]
    sampling = sorted((row for row in rows if row["part"] == "sampling"), key=lambda row: (row["faces"], row["who"]))
    lines += [
        f"| {row['who']} | {row['faces']:,} | {row['seconds'] * 1e3:.1f} | {row['chi2']:.2f} |" for row in sampling
    ]
    lines += ["", "| 64 images and 64 clouds | ms |", "| :-- | --: |"]
    lines += [f"| {row['who']} | {row['seconds'] * 1e3:.2f} |" for row in rows if row["part"] == "batch"]
    (directory,) = [row for row in rows if row["part"] == "zip"]
    lines += ["", f"A zip's directory of {directory['members']:,} members is read in {directory['seconds']:.1f} s."]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
