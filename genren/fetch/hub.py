"""Files of gated repositories on the Hugging Face Hub, with the user's own token, which is never shown or kept."""

import re
from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from genren.errors import InputError
from genren.fetch.checksums import Checksums
from genren.fetch.download import verify

SCHEME = "hf://"
ACCESS = "ask for access on its page, wait for the approval, then set HF_TOKEN to a token of that account"


def hub_file(location: str, name: str, folder: Path, checksums: Checksums) -> Path:
    """The file `name` of the data set `hf://datasets/<owner>/<name>`, below `folder`.

    Resuming and retrying are the Hub's own client's.
    """
    match = re.fullmatch(r"hf://datasets/([\w.-]+/[\w.-]+)/?", location)
    if match is None:
        raise InputError(f"{location!r} is no data set on the Hub; expected hf://datasets/<owner>/<name>")
    repository = match[1]
    try:
        path = Path(
            hf_hub_download(repository, name, repo_type="dataset", local_dir=folder / repository.replace("/", "-"))
        )
    except GatedRepoError:
        raise InputError(f"{repository} is gated, and this account has no access; {ACCESS}") from None
    except RepositoryNotFoundError:
        raise InputError(f"{repository} is not there, or not for this account; check its name, or {ACCESS}") from None
    except LocalEntryNotFoundError:
        raise InputError(f"the Hub cannot be reached for {name} of {repository}; try again later") from None
    except EntryNotFoundError:
        raise InputError(
            f"{repository} has no file {name}; look at its list of files, and set fetch.shapenetcore"
        ) from None
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "an error")
        raise InputError(f"{repository} answers {status} for {name}; {ACCESS}, or try again later") from None
    verify(path, f"{SCHEME}datasets/{repository}/{name}", checksums)
    return path
