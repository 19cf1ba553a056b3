"""What the tests of all packages share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("crm", deadline=None)
settings.load_profile("crm")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of other people's data; a test that asks for it carries the mark `reference`."""
    folder = os.environ.get("CRM_REFERENCE_DATA", "")
    if not folder:
        pytest.skip("CRM_REFERENCE_DATA names no folder of reference data")
    return Path(folder)
