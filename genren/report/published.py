"""Rows that others published, beside ours: only where protocol and data are the same."""

from pathlib import Path

import pandas as pd

from genren.report.records import Record
from genren.report.scores import Group
from genren.report.tables import Table, number

FILE = Path(__file__).with_name("published.csv")


def published_table(record: Record, group: Group) -> Table | None:
    """Published systems of the record's category and dataset, under the metrics of a protocol that we have too.

    None where there is nothing that compares, as with data of one's own; the names of datasets are those of the file's
    column `data`.
    """
    rows = pd.read_csv(FILE, keep_default_na=False)
    rows = rows[(rows["data"] == str(record.comparable.get("dataset"))) & (rows["category"] == record.category)]
    rows = rows.assign(key=rows["metric"] + "/image_to_shape/" + rows["protocol"])
    scores = group["model"]
    rows = rows[rows["key"].isin(list(scores))]
    if rows.empty:
        return None
    # Shares are printed in percent there and kept in [0, 1] here.
    rows["value"] = rows["value"].astype(float) / rows["unit"].map({"percent": 100.0}).fillna(1.0)
    keys = list(dict.fromkeys(rows["key"]))
    table = []
    for system, theirs in rows.groupby("system", sort=False):
        values = dict(zip(theirs["key"], theirs["value"], strict=True))
        cells = ["–" if key not in values else number(values[key], ".4g") for key in keys]
        table.append([str(system), *cells, theirs["supervision"].iloc[0], theirs["source"].iloc[0]])
    ours = [number(scores[key].mean, ".4g") for key in keys]
    table.append(["model", *ours, "unpaired images and clouds", "this run"])
    return Table(["", *keys, "supervision", "source"], table)
