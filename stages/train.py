"""DVC stage `train`: one category's packed store in, checkpoint and live metrics out."""

import sys

from genren import params, paths
from genren.doors import stage
from genren.train import train

if __name__ == "__main__":
    category, seed = sys.argv[1], int(sys.argv[2])
    with stage("train", f"{category}-{seed}"):
        train(
            category, seed, params.load(category=category).train, paths.processed(category), paths.run(category, seed)
        )
