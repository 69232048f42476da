"""The forward pass of the decoder's network in PyTorch: eager, and compiled by Inductor."""

import shutil
from typing import Any

import torch

from benchmarks.inputs import Settings, jpeg_path, network_inputs
from benchmarks.processes import Tasks
from benchmarks.torch_networks import Generator
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.models.cards import find_model


def facts() -> dict[str, Any]:
    """Versions."""
    return {"PyTorch": torch.__version__}


def prepare(settings: Settings) -> Tasks:
    """The network, with the decoder's weights, on the photograph."""
    torch.set_num_threads(settings.threads)
    generator = Generator.from_weights(find_model(settings.model)[0]).eval()
    strides = (2,) * len(generator.body)
    pixels, tables, noise = network_inputs(JpegFile.read(jpeg_path(settings)), strides)
    # The transposed view of an array with channels last is what PyTorch calls channels_last.
    image = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    fields = [torch.from_numpy(field).permute(0, 3, 1, 2) for field in noise]
    steps = torch.from_numpy(tables)

    def restore(network: Any) -> Any:
        with torch.inference_mode():
            return (255 * network(image / 255, steps, fields)).permute(0, 2, 3, 1)

    tasks = {"network": lambda: restore(generator)}
    if shutil.which("g++"):  # Inductor writes C++
        compiled = torch.compile(generator)
        tasks["network, compiled"] = lambda: restore(compiled)
    return tasks
