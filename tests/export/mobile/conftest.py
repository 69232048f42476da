"""The bundled sampler as a phone has it: TFLite files of one tile, and the reference restorer."""

import json

import pytest

from export.network import Network
from export.tflite.convert import convert_network
from export.tflite.projection import convert_projection
from keras_jpeg_gan.decoding.decoder import Decoder
from tests.export.mobile.photographs import restorer
from tests.files import ROOT

TILE = 128


@pytest.fixture(scope="module")
def network() -> bytes:
    return convert_network(Network.load("default"), TILE, "float32", False)


@pytest.fixture(scope="module")
def projection() -> bytes:
    return convert_projection(TILE)


@pytest.fixture(scope="module")
def card() -> restorer.Card:
    bundled = ROOT / "keras_jpeg_gan" / "weights" / "default.tflite.json"
    return restorer.read_card(json.dumps({**json.loads(bundled.read_text()), "tile": TILE}))


@pytest.fixture(scope="module")
def plain(network: bytes, card: restorer.Card) -> restorer.Restorer:
    return restorer.Restorer(network, card, threads=1)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    """In float32, like the file."""
    return Decoder("default", runtime="tensorflow")
