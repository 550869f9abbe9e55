"""The thirteen object categories of 3D-R2N2 and Pixel2Mesh, and what a model of one is called on disk."""

from genren.errors import InputError

# Category name -> WordNet synset, the folder name inside ShapeNet's archives.
SYNSETS = {
    "airplane": "02691156",
    "bench": "02828884",
    "cabinet": "02933112",
    "car": "02958343",
    "chair": "03001627",
    "display": "03211117",
    "lamp": "03636649",
    "loudspeaker": "03691459",
    "rifle": "04090263",
    "sofa": "04256520",
    "table": "04379243",
    "telephone": "04401088",
    "vessel": "04530566",
}


def synset(category: str) -> str:
    """Synset of a category; an unknown name is an error that lists the known ones."""
    if category not in SYNSETS:
        raise InputError(f"category {category!r} does not exist; known are {', '.join(SYNSETS)}")
    return SYNSETS[category]
