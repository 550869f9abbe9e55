"""What is installed here, what is missing, and how to get it."""

import importlib.metadata
import platform
import sys

PACKAGES = ("torch", "warp-lang", "dvc", "dvclive", "trimesh", "numpy", "scipy", "pandas")
INSTALL_HINT = "missing; pip install -c constraints.txt -e ."
KAOLIN_HINT = (
    "not found (optional, CUDA only): pip install kaolin==0.18.0"
    " -f https://nvidia-kaolin.s3.us-east-2.amazonaws.com/torch-<version>_cu<version>.html;"
    " the PyPI project named kaolin is an empty placeholder"
)


def examine() -> list[str]:
    """Lines of `name: finding` about versions, devices and back ends."""
    from genren import __version__

    lines = [f"genren: {__version__}", f"python: {sys.version.split()[0]} on {platform.platform()}"]
    versions = {name: _version(name) for name in PACKAGES}
    lines += [f"{name}: {version or INSTALL_HINT}" for name, version in versions.items()]
    if versions["torch"] and versions["warp-lang"]:
        lines += _devices()
    # The placeholder on PyPI is 0.1.
    kaolin = _version("kaolin")
    return [*lines, f"renderer kaolin: {f'{kaolin} found' if kaolin not in (None, '0.1') else KAOLIN_HINT}"]


def _version(package: str) -> str | None:
    """Version of an installed package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    """What torch can compute on, and whether the renderer's kernels can be built."""
    import torch
    import warp

    from genren.render.kernels import kernels

    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "none; everything runs on the CPU"
    kernels(warp.float32, "cpu")
    return [f"cuda device: {cuda}", f"cpu threads: {torch.get_num_threads()}", "renderer warp: ready on the CPU"]
