"""What tests share: where the data lies, if it is there; and their order."""

import pathlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run_slow", action="store_true", help="run the slow tests too")


# Of two processes that take one file after another, none should start on a long one last.
LONG_FOLDERS = ("training", "export", "models", "evaluation", "decoding")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = pathlib.Path(__file__).parent
    folders = {name: place for place, name in enumerate(LONG_FOLDERS)}
    items.sort(key=lambda item: folders.get(item.path.relative_to(here).parts[0], len(folders)))
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
