"""DVC stage `fetch`: a source in, one category's renders, clouds and meshes out."""

import sys

from genren import params, paths
from genren.doors import stage
from genren.fetch import fetch

if __name__ == "__main__":
    (category,) = sys.argv[1:]
    with stage("fetch", category):
        print(fetch(category, params.load().fetch, paths.raw(category)))
