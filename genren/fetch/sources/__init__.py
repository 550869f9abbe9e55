"""Where models come from. A source is a function of category and settings; what it returns is an `Offer`."""

from collections.abc import Callable

from genren.fetch.sources import genren, meshes, nmr, pixel2mesh, procedural, r2n2, shapenetcore
from genren.fetch.sources.offer import Offer
from genren.params import FetchParams

SOURCES: dict[str, Callable[[str, FetchParams], Offer]] = {
    "procedural": procedural.offer,
    "meshes": meshes.offer,
    "r2n2": r2n2.offer,
    "pixel2mesh": pixel2mesh.offer,
    "nmr": nmr.offer,
    "shapenetcore": shapenetcore.offer,
    "genren": genren.offer,
}
