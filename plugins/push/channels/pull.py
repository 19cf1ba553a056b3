"""The channel `pull`: nothing is sent; messages wait until `crm push pull` asks for them."""

from typing import Final

from crm.hookspecs import Channel

CHANNEL: Final = Channel("pull", None, help="Messages wait until they are pulled.")
