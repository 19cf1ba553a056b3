"""How an object store that speaks S3 is reached: one section, whether the lake is in it or logs are."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

import msgspec

from crm.errors import Unusable


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

    def check(self, where: str) -> None:
        """See that the endpoint is a URL.

        Args:
            where: What names the section, such as `lake.s3`.

        Raises:
            Unusable: it is none.
        """
        if self.endpoint is not None and not self.endpoint.startswith(("http://", "https://")):
            raise Unusable(f"{where}.endpoint must begin with https:// or http://")

    def settings(self) -> tuple[tuple[str, str], ...]:
        """By the names that Polars, Delta Lake and obstore have for them."""
        named = {
            "aws_endpoint_url": self.endpoint,
            "aws_region": self.region,
            "aws_allow_http": "true" if self.endpoint and self.endpoint.startswith("http://") else None,
            "aws_virtual_hosted_style_request": "true" if self.virtual_hosts else None,
        }
        return tuple((name, value) for name, value in named.items() if value is not None)

    def query(self) -> str:
        """As the options of a URI by the names that pyarrow has for them, with their question mark; may be empty."""
        url = urlsplit(self.endpoint or "")
        named = {
            "scheme": url.scheme,
            "endpoint_override": url.netloc,
            "region": self.region,
            "force_virtual_addressing": "true" if self.virtual_hosts else None,
        }
        said = urlencode({name: value for name, value in named.items() if value}, safe=":")
        return f"?{said}" if said else ""
