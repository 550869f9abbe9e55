"""DVC stage `train`: one category's packed store in, checkpoint and live metrics out."""

import sys

from genren import params, paths
from genren.doors import spread, stage

if __name__ == "__main__":
    category, seed = sys.argv[1], int(sys.argv[2])
    with stage("train", f"{category}-{seed}"):
        settings = params.load(category=category).train
        spread(settings.engine.devices)
        from genren.train import train

        train(category, seed, settings, paths.processed(category), paths.run(category, seed))
