"""DVC stage `baseline`: one category's packed store in, the image generator out that renders are held against."""

import sys

from genren import params, paths
from genren.baseline import baseline
from genren.doors import stage

if __name__ == "__main__":
    category, seed = sys.argv[1], int(sys.argv[2])
    with stage("baseline", f"{category}-{seed}"):
        baseline(category, seed, params.load().baseline, paths.processed(category), paths.baseline(category, seed))
