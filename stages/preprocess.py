"""DVC stage `preprocess`: one category's raw data in, its packed store out."""

import sys

from genren import params, paths
from genren.doors import stage
from genren.preprocess import preprocess

if __name__ == "__main__":
    (category,) = sys.argv[1:]
    with stage("preprocess", category):
        print(preprocess(category, params.load().preprocess, paths.raw(category), paths.processed(category)))
