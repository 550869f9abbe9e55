"""DVC stage `evaluate`: one checkpoint and the test split in, metrics, rows and pictures out."""

import sys

from genren import params, paths
from genren.doors import stage
from genren.evaluate import evaluate
from genren.models import checkpoint

if __name__ == "__main__":
    category, seed = sys.argv[1], int(sys.argv[2])
    with stage("evaluate", f"{category}-{seed}"):
        p = params.load(category=category)
        trained = checkpoint.load(paths.model(category, seed), category, p.train)
        metrics, samples = paths.metrics(category, seed), paths.samples(category, seed)
        gan = paths.baseline(category, seed) / "gan.safetensors"
        evaluate(trained, paths.processed(category), p.evaluate, metrics, samples, paths.raw(category), gan)
