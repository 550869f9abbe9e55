"""Source `procedural`: the built-in generator."""

from collections.abc import Callable
from pathlib import Path

from genren.data.procedural import CATEGORIES, build
from genren.errors import InputError
from genren.fetch.rendered import write_rendered
from genren.fetch.sources.offer import Model, Offer
from genren.files import replacing
from genren.params import FetchParams


def offer(category: str, params: FetchParams) -> Offer:
    """The first `params.models` models of a category for a seed; each is a design of its own."""
    if category not in CATEGORIES:
        raise InputError(f"the procedural source has no category {category!r}; known are {', '.join(CATEGORIES)}")

    def writer(name: str, index: int) -> Callable[[Path], None]:
        def write_glb(path: Path) -> None:
            with replacing(path) as temporary:
                temporary.write_bytes(build(category, params.seed, index).export(file_type="glb"))

        # Its faces are wound as they should be.
        return lambda folder: write_rendered(folder, category, name, write_glb, params, orient=False)

    names = [f"{category}-{params.seed}-{index:04d}" for index in range(params.models)]
    return Offer([Model(name, name, f"procedural {name}", writer(name, index)) for index, name in enumerate(names)])
