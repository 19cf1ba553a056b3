"""What the configuration says of values that are kept encrypted, and of where records are kept."""

from typing import Annotated

import msgspec


class RecordsConfig(msgspec.Struct, frozen=True):
    """Where the records are kept: customers, orders, consents and all else that is edited row by row."""

    url: Annotated[
        str | None,
        msgspec.Meta(
            description="A PostgreSQL database for a team, such as postgresql://crm@db.example/crm; without it "
            "`records.db` in the workspace. The password is best left to ~/.pgpass."
        ),
    ] = None


class ProtectionConfig(msgspec.Struct, frozen=True):
    """Which values of records are kept encrypted, and by which key."""

    encrypt: Annotated[
        bool,
        msgspec.Meta(
            description="Keep id numbers, phone numbers, e-mail addresses, and texts that hold such values encrypted. "
            "`crm customers encrypt` brings what is stored already into line."
        ),
    ] = False
    key_file: Annotated[
        str | None,
        msgspec.Meta(
            description="File of the key, of mode 0600, best kept outside of the workspace. `field.key` in the "
            "workspace if unset; made on first use. Without it encrypted values are lost."
        ),
    ] = None
