"""What is installed here, what is missing, and how to get it."""

import importlib.metadata
import platform
import sys

PACKAGES = ("torch", "warp-lang", "dvc", "dvclive", "trimesh", "numpy", "scipy", "pandas")
KAOLIN_HINT = (
    "not found (optional, CUDA only): pip install kaolin==0.18.0"
    " -f https://nvidia-kaolin.s3.us-east-2.amazonaws.com/torch-<version>_cu<version>.html;"
    " the PyPI project named kaolin is an empty placeholder"
)


def examine() -> list[str]:
    """Lines of `name: finding` about versions, devices and back ends."""
    import torch
    import warp

    from genren import __version__
    from genren.render.kernels import kernels

    lines = [f"genren: {__version__}", f"python: {sys.version.split()[0]} on {platform.platform()}"]
    for name in PACKAGES:
        try:
            lines.append(f"{name}: {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{name}: missing; pip install -c constraints.txt -e .")
    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "none; everything runs on the CPU"
    lines.append(f"cuda device: {cuda}")
    lines.append(f"cpu threads: {torch.get_num_threads()}")
    kernels(warp.float32, "cpu")
    lines.append("renderer warp: ready on the CPU")
    lines.append(f"renderer kaolin: {_kaolin()}")
    return lines


def _kaolin() -> str:
    """Version of Kaolin, or how to get it."""
    try:
        version = importlib.metadata.version("kaolin")
    except importlib.metadata.PackageNotFoundError:
        return KAOLIN_HINT
    # The placeholder on PyPI is 0.1.
    return f"{version} found" if version != "0.1" else KAOLIN_HINT
