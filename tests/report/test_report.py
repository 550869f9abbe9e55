"""The step as a whole: what it writes from made-up inputs, and what it refuses."""

import json
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genren.errors import InputError
from genren.report import report
from tests.report.conftest import CATEGORIES
from tests.report.made_up import write_project


def edit(path: Path, change: dict[str, Any]) -> None:
    """Put values into a JSON file of nested dicts, keys joined by a dot."""
    value = json.loads(path.read_text())
    for where, new in change.items():
        *outer, last = where.split(".")
        inner = value
        for key in outer:
            inner = inner[key]
        inner[last] = new
    path.write_text(json.dumps(value))


class Page(HTMLParser):
    """What a browser would see of a page: tags, links, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and what it points to."""
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        """Note the text between tags."""
        self.texts.append(data)


def test_writes_everything_it_promises(project: Path) -> None:
    """Summary, page, figures and the README's part exist after one call, and the figures are whole images."""
    report(CATEGORIES, [0])
    reports = project / "reports"

    assert {"summary.json", "summary.md", "index.html", "figures"} <= {path.name for path in reports.iterdir()}
    figures = sorted(path.name for path in (reports / "figures").iterdir())
    expected = [f"{c}-{kind}.png" for c in CATEGORIES for kind in ("0-generations", "0-reconstructions", "curves")]
    assert figures == expected
    for name in figures:
        with Image.open(reports / "figures" / name) as image:
            image.load()


def test_summary_holds_the_numbers_of_the_model_and_no_timings(project: Path) -> None:
    """`dvc metrics diff` shows what a change did; a timing in it would differ at every run."""
    report(CATEGORIES, [0])
    text = (project / "reports" / "summary.json").read_text()
    summary = json.loads(text)
    expected = json.loads((project / "reports" / "metrics" / "chair-0.json").read_text())["metrics"]

    assert list(summary) == [*CATEGORIES, "comparable", "mean"]
    assert summary["chair"]["seed0"] == expected
    psnr = [summary[category]["seed0"]["psnr"] for category in CATEGORIES]
    assert summary["mean"]["psnr"] == pytest.approx(sum(psnr) / 2)
    for word in ("second", "memory", "cost", "date", "time"):
        assert word not in text


def test_the_same_inputs_give_the_same_texts(project: Path) -> None:
    """Nothing of the moment of writing gets into the report, and the second run finds the README up to date."""
    report(CATEGORIES, [0])
    names = ["README.md", "reports/summary.json", "reports/summary.md", "reports/index.html"]
    first = [(project / name).read_bytes() for name in names]
    stamp = (project / "README.md").stat().st_mtime_ns
    report(CATEGORIES, [0])

    assert first == [(project / name).read_bytes() for name in names]
    assert stamp == (project / "README.md").stat().st_mtime_ns


def test_page_is_self_contained_and_its_links_lead_somewhere(project: Path) -> None:
    """The page works from a disk without a network: every link is an anchor of the page or a file beside it."""
    report(CATEGORIES, [0])
    text = (project / "reports" / "index.html").read_text()
    page = Page(text)

    assert page.tags.count("img") == 6
    for link in page.links:
        found = f'id="{link[1:]}"' in text if link.startswith("#") else (project / "reports" / link).is_file()
        assert found, link


def test_readme_gets_results_and_costs_between_its_markers(project: Path) -> None:
    """Table, targets and costs go in, the words of the person around them stay."""
    report(CATEGORIES, [0])
    text = (project / "README.md").read_text()

    assert text.startswith("# Title\n\n<!-- results:begin -->\n|")
    assert text.endswith("<!-- results:end -->\n\nAfter.\n")
    assert "old" not in text
    assert "chamfer_l1 image → shape" in text
    assert "Targets: 8 of 8 met." in text
    assert "13 min 01 s of stages, 1.20 GB peak memory" in text


def test_a_missed_target_is_printed_with_its_true_figure(project: Path) -> None:
    """The report may not hide what was not reached."""
    edit(project / "reports" / "metrics" / "chair-0.json", {"metrics.silhouette_iou": 0.612})
    report(CATEGORIES, [0])

    assert "missed: 0.612 < 0.750" in (project / "reports" / "summary.md").read_text()
    assert "Targets: 7 of 8 met." in (project / "README.md").read_text()


def test_a_metric_without_a_value_is_not_available_everywhere(project: Path) -> None:
    """A null is shown as such, makes the mean unknown instead of better, and leaves its target unjudged."""
    key = "fd_randconv448_seed0_n768"
    edit(project / "reports" / "metrics" / "chair-0.json", {f"metrics.{key}": None})
    report(CATEGORIES, [0])
    summary = json.loads((project / "reports" / "summary.json").read_text())

    assert summary["chair"]["seed0"][key] is None
    assert summary["mean"][key] is None
    assert summary["cabinet"]["seed0"][key] is not None
    assert "not judged: figure n/a" in (project / "reports" / "summary.md").read_text()


def test_several_seeds_show_mean_and_deviation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two seeds every score carries its spread, and the summary keeps the seeds apart."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    write_project(tmp_path, ["chair"], [0, 7])
    for seed, psnr in ((0, 20.0), (7, 22.0)):
        edit(tmp_path / "reports" / "metrics" / f"chair-{seed}.json", {"metrics.psnr": psnr})
    report(["chair"], [0, 7])

    assert "21.00 ± 1.41" in (tmp_path / "reports" / "summary.md").read_text()
    assert list(json.loads((tmp_path / "reports" / "summary.json").read_text())["chair"]) == ["seed0", "seed7"]


def test_hostile_names_stay_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of categories and models come from outside; none of them may become markup, nor break a table."""
    category, model = "<img src=x onerror=alert(1)>|&'\"", "<script>alert(2)<&script>"
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    write_project(tmp_path, [category], [0])
    rows = tmp_path / "reports" / "samples" / f"{category}-0" / "rows.csv"
    rows.write_text(rows.read_text().replace("model006", model))
    report([category], [0])
    page = Page((tmp_path / "reports" / "index.html").read_text())
    markdown = (tmp_path / "reports" / "summary.md").read_text()

    assert "script" not in page.tags
    assert page.tags.count("img") == 3
    assert "x" not in page.links
    assert category in page.texts
    assert model in page.texts
    table = [line for line in markdown.splitlines() if line.startswith("|") and "onerror" in line]
    assert table
    assert all(line.count("|") - line.count(r"\|") == line.count(" |") + 1 for line in table)
    assert "<img" not in markdown.replace(r"\<img", "")


def test_without_pictures_curves_and_costs_the_tables_remain(project: Path) -> None:
    """Numbers that were pulled without their pictures still make a report, which says what it lacks."""
    for path in sorted((project / "reports" / "samples").rglob("*.*")) + sorted((project / "runs").rglob("*.tsv")):
        path.unlink()
    for path in (project / "reports" / "costs").iterdir():
        path.unlink()
    report(CATEGORIES, [0])

    assert list((project / "reports" / "figures").iterdir()) == []
    assert "No pictures or curves were found" in (project / "reports" / "index.html").read_text()
    assert "Cost: n/a of stages, n/a peak memory" in (project / "README.md").read_text()


def test_figures_of_a_category_that_left_go_with_it(project: Path) -> None:
    """The report is of the categories in params.yaml, not of those that once were."""
    report(CATEGORIES, [0])
    report(["chair"], [0])

    assert all(path.name.startswith("chair") for path in (project / "reports" / "figures").iterdir())
    assert "cabinet" not in (project / "reports" / "index.html").read_text()


def test_missing_metrics_name_the_stage_and_leave_the_old_report(project: Path) -> None:
    """One sentence tells what to run, and what was there before is untouched."""
    report(CATEGORIES, [0])
    before = {path: path.read_bytes() for path in (project / "reports").rglob("*") if path.is_file()}
    (project / "reports" / "metrics" / "chair-0.json").unlink()

    with pytest.raises(InputError, match=r"chair-0\.json does not exist; run `dvc repro evaluate@chair-0`"):
        report(CATEGORIES, [0])
    assert all(path.read_bytes() == content for path, content in before.items() if path.exists())


def test_a_truncated_picture_leaves_the_old_figures(project: Path) -> None:
    """A damaged sample is an error that names it, not a gap in the sheet, and no bar goes on drawing over it."""
    report(CATEGORIES, [0])
    before = sorted(path.name for path in (project / "reports" / "figures").iterdir())
    broken = project / "reports" / "samples" / "chair-0" / "generations" / "01_views.png"
    broken.write_bytes(broken.read_bytes()[:50])

    with pytest.raises(InputError, match=r"01_views\.png cannot be read as an image") as caught:
        report(CATEGORIES, [0])
    drawing = [thread for thread in threading.enumerate() if type(thread).__module__.startswith("rich")]
    for thread in drawing:
        thread.join(timeout=5)
    assert not any(thread.is_alive() for thread in drawing), caught.value
    assert before == sorted(path.name for path in (project / "reports" / "figures").iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 3}, "holds chair-3, expected chair-0"),
        ({"metrics.psnr": "high"}, r"metrics\.psnr"),
        ({"metrics.psnr": float("inf")}, r"metrics\.psnr"),
        ({"floor": 1}, "floor"),
        ({"extra": 1}, "extra"),
    ],
)
def test_malformed_metrics_are_named(project: Path, change: dict[str, Any], message: str) -> None:
    """A file of another run, a word for a number and unknown keys are errors that say where."""
    edit(project / "reports" / "metrics" / "chair-0.json", change)

    with pytest.raises(InputError, match=message):
        report(CATEGORIES, [0])


@pytest.mark.parametrize(("categories", "seeds"), [([], [0]), (["chair"], [])])
def test_an_empty_list_is_refused(project: Path, categories: list[str], seeds: list[int]) -> None:
    """A report about nothing would overwrite one about something."""
    with pytest.raises(InputError, match="needs categories and seeds"):
        report(categories, seeds)


def test_needs_no_torch() -> None:
    """The report can be made where torch is not installed."""
    code = "import sys; sys.modules['torch'] = None; import genren.report"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
