"""The preset `plain` and the resnet34 critic in PyTorch, with the weights in Keras' files."""

import math
import pathlib
from collections.abc import Sequence

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional

_EMBEDDING = 128
_STAGES = (3, 4, 6, 3)
_SLOPE = 0.2


class ResidualBlock(nn.Module):
    """Two convolutions that see the features and the noise, in a residual; then FiLM."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(features + 1, features, 3, padding=1) for _ in range(2)
        )
        self.noise_scale = nn.Parameter(torch.ones(()))
        self.modulation = nn.Linear(_EMBEDDING, 2 * features)

    def forward(
        self, features: torch.Tensor, embedding: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """features [B, C, H, W], embedding [B, E], noise [B, 1, H, W] -> [B, C, H, W]."""
        field = self.noise_scale * noise
        hidden = self.convs[0](torch.cat([features, field], 1))
        hidden = functional.leaky_relu(hidden, _SLOPE, inplace=not self.training)
        result = features + self.convs[1](torch.cat([hidden, field], 1))
        gamma, beta = self.modulation(embedding)[..., None, None].chunk(2, 1)
        return torch.addcmul(beta, result, 1 + gamma)


class Generator(nn.Module):
    """The preset `plain` (keras_jpeg_gan/models/multiscale.py), channels last."""

    def __init__(self, features: int, blocks: int) -> None:
        super().__init__()
        self.dense = nn.ModuleList(nn.Linear(128, _EMBEDDING) for _ in range(2))
        self.first = nn.Conv2d(12, features, 3, padding=1)
        self.grid_bias = nn.Parameter(torch.zeros(1, features, 4, 4))
        self.body = nn.ModuleList(ResidualBlock(features) for _ in range(blocks))
        self.last = nn.Conv2d(features, 12, 3, padding=1)
        self.to(memory_format=torch.channels_last)

    def forward(
        self, image: torch.Tensor, tables: torch.Tensor, noise: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """image [B, 3, H, W] in [0, 1], tables [B, 2, 8, 8] in steps, fields [B, 1, H/2, W/2]."""
        embedding = torch.log(tables.flatten(1)) / math.log(255)
        for dense in self.dense:
            embedding = functional.silu(dense(embedding))
        unshuffled = functional.pixel_unshuffle(image, 2)
        features = self.first(unshuffled.contiguous(memory_format=torch.channels_last))
        _, _, height, width = features.shape
        features = features + self.grid_bias.repeat(1, 1, height // 4, width // 4)
        for block, field in zip(self.body, noise, strict=True):
            features = block(features, embedding, field)
        return image + functional.pixel_shuffle(self.last(features), 2)

    @classmethod
    def from_weights(cls, path: pathlib.Path) -> "Generator":
        """The network whose weights and sizes a .weights.h5 has."""
        with h5py.File(path) as file:
            generator = cls(features=file["first/vars/1"].shape[0], blocks=len(file["body"]))
        generator.load(path)
        return generator

    def load(self, path: pathlib.Path) -> None:
        """Load the weights in a .weights.h5 with the same sizes."""
        with h5py.File(path) as file:
            for name, dense in zip(("dense", "dense_1"), self.dense, strict=True):
                _assign(dense, file[f"embedding/dense/{name}/vars"])
            _assign(self.first, file["first/vars"])
            _assign(self.last, file["last/vars"])
            bias = torch.from_numpy(file["vars/0"][()].astype(np.float32))
            self.grid_bias.data = bias.permute(2, 0, 1)[None]
            for i, block in enumerate(self.body):
                own = file[f"body/residual_block{_suffix(i)}"]
                for j, conv in enumerate(block.convs):
                    _assign(conv, own[f"convs/noisy_conv2d{_suffix(j)}/vars"])
                block.noise_scale.data = torch.tensor(float(own["vars/0"][()]))
                modulation = file[f"layers/modulation{_suffix(i)}/dense/vars"]
                _assign(block.modulation, modulation)
        # TensorFlow has the channel of a pixel last in space-to-depth, PyTorch first.
        order = torch.arange(12).reshape(4, 3).T.flatten()
        self.first.weight.data = self.first.weight.data[:, order]
        self.last.weight.data = self.last.weight.data[order]
        self.last.bias.data = self.last.bias.data[order]
        self.to(memory_format=torch.channels_last)


class BasicBlock(nn.Module):
    """ResNet's block of two 3x3 convolutions, without normalization."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        # Keras pads a stride of two on the right and below alone.
        self.pad = (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1)
        self.conv_0 = nn.Conv2d(channels, filters, 3, stride, padding=stride % 2)
        self.conv_1 = nn.Conv2d(filters, filters, 3, padding=1)
        self.shortcut = None
        if stride > 1 or channels != filters:
            self.shortcut = nn.Conv2d(channels, filters, 1, stride)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, filters, H / stride, W / stride]."""
        beside = features if self.shortcut is None else self.shortcut(features)
        padded = functional.pad(features, self.pad) if self.conv_0.padding == (0, 0) else features
        return functional.relu(beside + self.conv_1(functional.relu(self.conv_0(padded))))


class Critic(nn.Module):
    """The resnet34 critic (keras_jpeg_gan/models/critic.py), for sizes that are multiples of 32."""

    def __init__(self, width: float) -> None:
        super().__init__()
        channels = [round(width * 64 * 2**stage) for stage in range(len(_STAGES))]
        self.first = nn.Conv2d(3, channels[0], 7, 2)
        blocks, before = [], channels[0]
        for stage, count in enumerate(_STAGES):
            for i in range(count):
                blocks.append(BasicBlock(before, channels[stage], 2 if stage and not i else 1))
                before = channels[stage]
        self.blocks = nn.Sequential(*blocks)
        self.logit = nn.Linear(channels[-1], 1)
        self.to(memory_format=torch.channels_last)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """image [B, 3, H, W] in [0, 1] -> [B, 1]."""
        features = functional.relu(self.first(functional.pad(2 * image - 1, (2, 3, 2, 3))))
        features = functional.max_pool2d(functional.pad(features, (0, 1, 0, 1)), 3, 2)
        return self.logit(self.blocks(features).mean((2, 3)))

    def load(self, path: pathlib.Path) -> None:
        """The weights of a .weights.h5 of a critic of this width."""
        with h5py.File(path) as file:
            _assign(self.first, file["first/vars"])
            _assign(self.logit, file["layers/dense/vars"])
            for i, block in enumerate(self.blocks):
                for name, layer in block.named_children():
                    _assign(layer, file[f"blocks/basic_block{_suffix(i)}/{name}/vars"])
        self.to(memory_format=torch.channels_last)


def _suffix(number: int) -> str:
    return f"_{number}" if number else ""


def _assign(layer: nn.Module, variables: h5py.Group) -> None:
    """Kernel and bias of Keras' layout."""
    kernel, bias = (torch.from_numpy(variables[n][()].astype(np.float32)) for n in "01")
    axes = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
    layer.weight.data = kernel.permute(axes).contiguous()
    layer.bias.data = bias
