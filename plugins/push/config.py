"""The section `push` of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta

from crm.units import Span, Zone
from plugins.push.channel_config import FileConfig, RetryConfig, SmtpConfig, UnsubscribeConfig, WebhookConfig
from plugins.push.tier_config import TiersConfig


class PushConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to customers, and how."""

    zone: Annotated[Zone, Meta(description="Time zone of customers of whom none is known, for quiet hours.")] = Zone(
        "UTC"
    )
    language: Annotated[str, Meta(description="Language of customers of whom none is known, such as zh or en.")] = "en"
    templates: Annotated[
        str | None, Meta(description="Folder of templates: NAME.LANGUAGE.txt and .html; relative to this file.")
    ] = None
    feed_title: Annotated[str, Meta(description="Title of the feeds of `crm push feed`.")] = "Messages"
    acknowledge_within: Annotated[
        dict[str, Span],
        Meta(
            description="Channels whose messages are to be acknowledged, and how soon; one that is not is sent again. "
            "`pull` has 10m, unless it is named."
        ),
    ] = msgspec.field(default_factory=dict)
    consents: Annotated[
        dict[str, str],
        Meta(
            description="Channels that need the consent to another one, such as `file: email` where another program "
            "mails what is written."
        ),
    ] = msgspec.field(default_factory=dict)
    retry: RetryConfig = RetryConfig()
    smtp: SmtpConfig = SmtpConfig()
    webhook: WebhookConfig = WebhookConfig()
    file: FileConfig = FileConfig()
    unsubscribe: UnsubscribeConfig = UnsubscribeConfig()
    tiers: TiersConfig = TiersConfig()
