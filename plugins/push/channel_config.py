"""Settings of how messages go out: channels, tries, templates, and how customers unsubscribe."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from crm.units import Duration, Span

Port = Annotated[int, Meta(ge=1, le=65_535)]
Tls = Literal["starttls", "tls", "none"]


class RetryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How messages are tried again."""

    base: Annotated[Duration, Meta(description="The first pause is shorter than this; each may be twice as long.")] = (
        Duration(minutes=1)
    )
    cap: Annotated[Duration, Meta(description="No pause is longer.")] = Duration(hours=6)
    tries: Annotated[Annotated[int, Meta(ge=1)], Meta(description="After so many tries a message has failed.")] = 8


class SmtpConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server of the channel email."""

    host: Annotated[str | None, Meta(description="Name of the mail server; unset, nothing is mailed.")] = None
    port: Annotated[Port | None, Meta(description="Its port; 587, or 465 for `tls: tls`, 25 for `tls: none`.")] = None
    tls: Annotated[
        Tls,
        Meta(
            description="starttls: encrypted once connected; tls: encrypted from the start; none: readable on the way."
        ),
    ] = "starttls"
    ca_file: Annotated[
        str | None, Meta(description="File of certificates that the server's is checked by, besides the system's.")
    ] = None
    login: Annotated[str | None, Meta(description="User name; unset, nobody logs in.")] = None
    password_env: Annotated[str | None, Meta(description="The environment variable that holds the password.")] = None
    password_file: Annotated[str | None, Meta(description="The file that holds the password, of mode 0600.")] = None
    sender: Annotated[str | None, Meta(description="From whom mails are, such as `Shop <news@shop.example>`.")] = (
        msgspec.field(default=None, name="from")
    )
    reply_to: Annotated[str | None, Meta(description="To whom answers go, if not to `from`.")] = None
    timeout: Annotated[Span, Meta(description="So long an answer of the server may take.")] = Span(seconds=30)
    per_connection: Annotated[
        Annotated[int, Meta(ge=1)], Meta(description="After so many mails a connection is made anew.")
    ] = 100


class WebhookConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The address of the channel webhook."""

    url: Annotated[str | None, Meta(description="An https address that messages are posted to, as JSON.")] = None
    secret_env: Annotated[
        str | None, Meta(description="The environment variable that holds the secret which requests are signed with.")
    ] = None
    secret_file: Annotated[str | None, Meta(description="The file that holds this secret, of mode 0600.")] = None
    ca_file: Annotated[
        str | None, Meta(description="File of certificates that the server's is checked by, besides the system's.")
    ] = None
    insecure: Annotated[bool, Meta(description="Allow http, which anybody on the way can read, to other machines.")] = (
        False
    )
    timeout: Annotated[Span, Meta(description="So long an answer may take.")] = Span(seconds=30)


class FileConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of the channel file."""

    folder: Annotated[
        str | None,
        Meta(description="Where files of messages are written; relative to this file. `outbox` in the workspace."),
    ] = None


class UnsubscribeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How customers say that they want no more."""

    url: Annotated[
        str | None,
        Meta(description="An https address; `{message}` is the id of the message. It takes POST (RFC 8058) and GET."),
    ] = None
    mailto: Annotated[str | None, Meta(description="A mail address that does the same.")] = None
