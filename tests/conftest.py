"""What tests share: where the data lies, if it is there."""

import pathlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run_slow", action="store_true", help="run the slow tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run_slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: give --run_slow"))


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The data folder that stands beside the project, or a skip."""
    path = pathlib.Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("no data: ../shared/data is not here")
    return path


@pytest.fixture(scope="session")
def kodak(shared_data: pathlib.Path) -> list[pathlib.Path]:
    """The 24 Kodak photographs, in order."""
    return sorted((shared_data / "kodak").glob("*.png"))
