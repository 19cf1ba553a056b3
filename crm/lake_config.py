"""What the configuration says of where the lake is kept."""

from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import msgspec

from crm.errors import Unusable
from crm.s3_config import S3Config

if TYPE_CHECKING:
    from crm.storage.places import Place

_FORMS: Final = "an absolute path, file:///FOLDER or s3://BUCKET/FOLDER"
_KEYS: Final = "; its keys belong in the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class LakeConfig(msgspec.Struct, frozen=True):
    """Where the lake is kept: hits, sessions, and what is mined of them."""

    url: Annotated[
        str | None,
        msgspec.Meta(
            description="A folder that several machines share (an absolute path, or file:///FOLDER), or an object "
            "store (s3://BUCKET/FOLDER); without it `lake` in the workspace. One workspace has it for itself."
        ),
    ] = None
    s3: Annotated[S3Config, msgspec.Meta(description="How the object store is reached.")] = S3Config()

    def place(self) -> "Place | None":
        """Where it is; None for the workspace itself.

        Raises:
            Unusable: the URL is none that can be used.
        """
        if self.url is None:
            return None
        if self.url.startswith("s3://"):
            return self._bucket(self.url.rstrip("/"))
        if self.s3 != S3Config():
            raise Unusable(f"lake.s3 is for s3://; `{self.url}` has no use for it")
        return _folder(self.url)

    def check(self, _host: object) -> None:
        """For `crm config check`."""
        self.place()

    def _bucket(self, url: str) -> "Place":
        from crm.storage.remote import RemotePlace

        parts = urlsplit(url)
        if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            raise Unusable(f"lake.url: an object store is named by s3://BUCKET/FOLDER{_KEYS if '@' in url else ''}")
        self.s3.check("lake.s3")
        return RemotePlace(url, self.s3.settings())


def _folder(url: str) -> "Place":
    from pathlib import Path
    from urllib.parse import unquote

    from crm.storage.places import LocalPlace

    parts = urlsplit(url) if "://" in url else None
    if parts is not None and (parts.scheme != "file" or parts.netloc not in ("", "localhost")):
        raise Unusable(f"lake.url: `{parts.scheme}://` is not understood; give {_FORMS}")
    folder = Path(unquote(parts.path) if parts is not None else url)
    if not folder.is_absolute():
        raise Unusable(f"lake.url: `{url}` is no absolute path; give {_FORMS}")
    return LocalPlace(folder, shared=True)
