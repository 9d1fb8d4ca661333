"""Settings of the whole test run."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "kvaudit", deadline=None, derandomize=False, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("kvaudit")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real templates and recordings beside the project; tests that need it skip, saying so, when it is absent."""
    folder = Path(os.environ.get("KVAUDIT_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip(f"no corpus of recordings at {folder}; set KVAUDIT_CORPUS to run this test")
    return folder
