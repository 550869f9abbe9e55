"""DVC stage `report`: all metrics, pictures and costs in, summary, page, figures and the README's tables out."""

from genren import params
from genren.doors import door
from genren.report import report

if __name__ == "__main__":
    with door():
        p = params.load()
        report(list(p.categories), list(p.seeds))
