"""Step `report`: metrics, costs, pictures and curves of every category in; tables, a page and figures out. No torch."""

from pathlib import Path

from rich.progress import Progress

from genren import paths
from genren.files import replacing, replacing_folder, write_json
from genren.report.cautions import differences, failures, since_last_commit
from genren.report.costs import cost_table, read_costs
from genren.report.curves import draw_curves
from genren.report.page import Content, Section, render
from genren.report.published import published_table
from genren.report.readme import update_readme
from genren.report.records import read_records
from genren.report.scores import by_category, mean_over_categories, summary
from genren.report.sheets import generation_sheet, reconstruction_sheet
from genren.report.tables import (
    category_table,
    comparable_table,
    full_table,
    hardest_table,
    results_table,
    views_table,
)
from genren.report.targets import judge, target_table


def report(categories: list[str], seeds: list[int]) -> None:
    """Write reports/summary.json, summary.md, index.html and figures/, and the results part of README.md.

    Everything is read and checked first, so bad input leaves the last report as it was. Raises InputError for an empty
    list, and for a metrics file that is missing or malformed, naming the stage that writes it.
    """
    records = read_records(categories, seeds)
    costs = read_costs(categories, seeds)
    groups = by_category(records)
    mean = mean_over_categories(records)
    verdicts = judge(groups)
    first = {record.category: record for record in records if record.seed == seeds[0]}

    with replacing_folder(paths.reports() / "figures") as folder, Progress() as bar:
        sections = [
            Section(
                name=category,
                table=category_table(group),
                everything=full_table(group, first[category].intervals),
                views=views_table(first[category]),
                published=published_table(first[category], group),
                failed=failures([record for record in records if record.category == category]),
                hardest=hardest_table(paths.samples(category, seeds[0])),
                figures=_figures(category, seeds, folder),
            )
            for category, group in bar.track(list(groups.items()), description="report")
        ]

    content = Content(
        results=results_table(groups, mean),
        targets=target_table(verdicts),
        costs=cost_table(costs, categories, seeds),
        comparable=comparable_table(records),
        cautions=[*differences(records), *since_last_commit(records)],
        sections=sections,
        seeds=seeds,
        met=sum(verdict.met is True for verdict in verdicts),
        judged=len(verdicts),
    )
    texts = {name: render(f"{name}.jinja", content) for name in ("summary.md", "index.html", "results.md")}

    write_json(paths.reports() / "summary.json", summary(records))
    for name in ("summary.md", "index.html"):
        with replacing(paths.reports() / name) as temporary:
            temporary.write_text(texts[name], encoding="utf-8")
    update_readme(paths.root() / "README.md", texts["results.md"])


def _figures(category: str, seeds: list[int], folder: Path) -> dict[str, str]:
    """Draw what there is to draw of a category; caption -> file name. Pictures are those of the first seed."""
    samples = paths.samples(category, seeds[0])
    drawn = {
        f"Reconstructions of test images, seed {seeds[0]}": (
            f"{category}-{seeds[0]}-reconstructions.png",
            reconstruction_sheet(samples / "reconstructions"),
        ),
        f"Generated textured shapes, seed {seeds[0]}": (
            f"{category}-{seeds[0]}-generations.png",
            generation_sheet(samples / "generations"),
        ),
        "Learning curves, one line a seed": (
            f"{category}-curves.png",
            draw_curves({seed: paths.run(category, seed) / "live" / "plots" / "metrics" for seed in seeds}),
        ),
    }
    figures = {}
    for caption, (name, image) in drawn.items():
        if image is not None:
            image.save(folder / name)
            figures[caption] = name
    return figures
