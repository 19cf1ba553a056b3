"""What the configuration says of where the lake is kept."""

from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import msgspec

from crm.errors import Unusable

if TYPE_CHECKING:
    from crm.storage.places import Place

_FORMS: Final = "an absolute path, file:///FOLDER or s3://BUCKET/FOLDER"
_KEYS: Final = "; its keys belong in the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class S3Config(msgspec.Struct, frozen=True):
    """How an object store is reached. Its keys are taken from the environment, as AWS_ACCESS_KEY_ID says."""

    endpoint: Annotated[
        str | None,
        msgspec.Meta(
            description="URL of a store that is not Amazon's, such as https://minio.example:9000. An http:// one is "
            "reached without encryption."
        ),
    ] = None
    region: Annotated[
        str | None, msgspec.Meta(description="Region of the bucket; that of AWS_REGION if unset, else us-east-1.")
    ] = None
    virtual_hosts: Annotated[
        bool, msgspec.Meta(description="The bucket is part of the endpoint's host name, not of its path.")
    ] = False


class LakeConfig(msgspec.Struct, frozen=True):
    """Where the lake is kept: hits, sessions, and what is mined of them."""

    url: Annotated[
        str | None,
        msgspec.Meta(
            description="A folder that several machines share (an absolute path, or file:///FOLDER), or an object "
            "store (s3://BUCKET/FOLDER); without it `lake` in the workspace. One workspace has it for itself."
        ),
    ] = None
    options: Annotated[S3Config, msgspec.Meta(description="How the object store is reached.")] = S3Config()

    def place(self) -> "Place | None":
        """Where it is; None for the workspace itself.

        Raises:
            Unusable: the URL is none that can be used.
        """
        if self.url is None:
            return None
        if self.url.startswith("s3://"):
            return self._bucket(self.url.rstrip("/"))
        if self.options != S3Config():
            raise Unusable(f"lake.options are for s3://; `{self.url}` has no use for them")
        return _folder(self.url)

    def check(self, _host: object) -> None:
        """For `crm config check`."""
        self.place()

    def _bucket(self, url: str) -> "Place":
        from crm.storage.remote import RemotePlace

        parts = urlsplit(url)
        if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            raise Unusable(f"lake.url: an object store is named by s3://BUCKET/FOLDER{_KEYS if '@' in url else ''}")
        endpoint = self.options.endpoint
        if endpoint is not None and not endpoint.startswith(("http://", "https://")):
            raise Unusable("lake.options.endpoint must begin with https:// or http://")
        named = {
            "aws_endpoint_url": endpoint,
            "aws_region": self.options.region,
            "aws_allow_http": "true" if endpoint and endpoint.startswith("http://") else None,
            "aws_virtual_hosted_style_request": "true" if self.options.virtual_hosts else None,
        }
        return RemotePlace(url, tuple((name, value) for name, value in named.items() if value is not None))


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
