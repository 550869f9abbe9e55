"""Settings of the steps `fetch` and `preprocess`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from genren.params.section import Count, Fraction, Positive, Section, Steps


class DownloadParams(Section):
    """How files come over the network."""

    folder: str  # keeps downloaded archives; may be deleted after `fetch`
    parallel: Annotated[int, Field(ge=1, le=32)]  # models, and so connections, at a time
    retries: Annotated[int, Field(ge=0, le=100)]  # of a request that brought nothing new, each after twice the pause
    timeout: Positive  # seconds without a byte after which a connection is given up


class R2N2Params(Section):
    """The renders of 3D-R2N2."""

    renders: str  # ShapeNetRendering: URL, archive (tgz, tar, zip) or unpacked folder
    clouds: Literal["pixel2mesh", "shapenetcore", "nmr"]  # whose clouds belong to them; each read as its section says


class Pixel2MeshParams(Section):
    """The clouds, and some of the renders, of Pixel2Mesh."""

    data: str  # ShapeNetP2M, ShapeNetTrain or p2mpp_models: URL, archive or unpacked folder
    train_list: str  # URL or file of its lists, "" for none
    test_list: str


class NMRParams(Section):
    """The renders of Kato et al. as packed by Niemeyer et al."""

    archive: str  # NMR_Dataset: URL of a zip on a server that answers range requests, zip, or unpacked folder


class ShapeNetCoreParams(Section):
    """ShapeNetCore's meshes."""

    data: str  # folder that holds <synset>/ or <synset>.zip, or hf://datasets/<owner>/<name> for a gated repository
    version: Literal[1, 2]


class GenrenParams(Section):
    """The layout of the original's data; `{category}` in a path is replaced."""

    images: str  # folder of RGBA PNGs
    clouds: str  # folder of NAME.PC.pt and NAME.normals.pt


class FetchParams(Section):
    """Where models come from and how they are rendered."""

    source: Literal["procedural", "meshes", "r2n2", "pixel2mesh", "nmr", "shapenetcore", "genren"]  # see docs/data.md
    folder: str  # for meshes: holds one folder per category; for procedural: the generator's code, as a DVC dependency
    models: Count  # procedural models per category
    views: Annotated[int, Field(ge=1, le=100)]  # renders per model
    image_size: Annotated[int, Field(ge=8, le=2048)]  # pixels, square
    supersample: Annotated[int, Field(ge=1, le=8)]  # samples per pixel side
    ambient: Annotated[float, Field(ge=0, le=1)]  # share of light that comes from everywhere; 1 shows base colours
    points: Annotated[int, Field(ge=1000)]  # points of a cloud that is sampled from a mesh
    seed: Steps
    r2n2: R2N2Params
    pixel2mesh: Pixel2MeshParams
    nmr: NMRParams
    shapenetcore: ShapeNetCoreParams
    genren: GenrenParams
    download: DownloadParams


class PreprocessParams(Section):
    """How raw data become the packed store."""

    img_size: Annotated[int, Field(ge=8, le=1024)]  # pixels, square
    points: Annotated[int, Field(ge=1000)]  # points per cloud
    workers: Annotated[int, Field(ge=1, le=256)]  # processes; the result does not depend on it
    split: Literal["own", "r2n2", "pixel2mesh", "softras"]  # by the shares below, or an official list that fetch found
    train: Fraction  # shares of the designs, for split `own`
    val: Fraction
    test: Fraction
    seed: Steps

    @model_validator(mode="after")
    def _shares(self) -> "PreprocessParams":
        if abs(self.train + self.val + self.test - 1) > 1e-6:
            raise ValueError(f"train + val + test must be 1, got {self.train + self.val + self.test:g}")
        return self
