"""The files that a mesh file names: buffers, pictures, materials."""

from pathlib import Path, PurePosixPath

from genren.errors import InputError


def read_asset(mesh: Path, name: str) -> bytes:
    """Read the file that `mesh` refers to as `name`, relative to its own folder; one outside of it is refused."""
    relative = PurePosixPath(name.replace("\\", "/"))
    file = mesh.parent / relative
    if relative.is_absolute() or not file.resolve().is_relative_to(mesh.parent.resolve()):
        raise InputError(f"{mesh} names {name!r}, outside of its folder; put the file beside the mesh")
    if not file.is_file():
        raise InputError(f"{mesh} names {name!r}, which is not in its folder; put the file beside the mesh")
    return file.read_bytes()
