"""Frozen convolutional features of images, for perceptual losses, critics and metrics."""

import dataclasses
import hashlib
import io
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models.costs import Convolution
from keras_jpeg_gan.system import read_npz

# Of images in [0, 1]; torchvision trains its networks with these.
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class Conv:
    """A convolution and its ReLU; the features at a tap are returned."""

    name: str
    stride: int = 1
    padding: int = 1
    tap: bool = False


@dataclasses.dataclass(frozen=True)
class Pool:
    """Max pooling by stride 2 without padding: incomplete windows are dropped."""

    size: int


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A plain feed-forward network of convolutions and pooling."""

    name: str
    layers: tuple[Conv | Pool, ...]
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    deviation: tuple[float, float, float] = _IMAGENET_DEVIATION


def is_tap(layer: Conv | Pool) -> bool:
    """Whether a layer's features are handed on."""
    return isinstance(layer, Conv) and layer.tap


def _vgg(convolutions: tuple[int, ...], tapped: tuple[int, ...]) -> tuple[Conv | Pool, ...]:
    """VGG's stages of 3x3 convolutions; `tapped` has the number of the tap in each stage."""
    layers: list[Conv | Pool] = []
    for stage, (count, tap) in enumerate(zip(convolutions, tapped, strict=True), 1):
        layers += [Pool(2)] if stage > 1 else []
        layers += [Conv(f"conv{stage}_{i}", tap=i == tap) for i in range(1, count + 1)]
    return tuple(layers)


ALEXNET = Architecture(
    "AlexNet",
    (
        Conv("conv1", stride=4, padding=2, tap=True),
        Pool(3),
        Conv("conv2", padding=2, tap=True),
        Pool(3),
        Conv("conv3", tap=True),
        Conv("conv4", tap=True),
        Conv("conv5", tap=True),
    ),
)
VGG16 = Architecture("VGG16", _vgg((2, 2, 3), (2, 2, 3)))
# Keras' weights of VGG19 are the Visual Geometry Group's: BGR, 0..255, only the mean taken off.
VGG19 = Architecture(
    "VGG19",
    _vgg((2, 2, 4, 4, 4), (2, 2, 4, 4, 4)),
    mean=(123.68 / 255, 116.779 / 255, 103.939 / 255),
    deviation=(1 / 255, 1 / 255, 1 / 255),
)


class FeatureNetwork(keras.Model):
    """A frozen network that returns the features at its taps.

    Attributes:
        linear: LPIPS' non-negative weights for each tap's channels, or none.
        sha256: hash of the weights file, or of the arrays where Keras supplied them.

    Args:
        architecture: which network.
        weights: NAME_kernel [kh, kw, in, out] and NAME_bias [out] for every convolution.
        before_relu: return features before their ReLU, as perceptual losses want them.
        linear, sha256: see the attributes.
    """

    def __init__(
        self,
        architecture: Architecture,
        weights: Mapping[str, np.ndarray],
        before_relu: bool = False,
        linear: list[np.ndarray] | None = None,
        sha256: str = "",
    ) -> None:
        super().__init__(name=architecture.name, trainable=False)
        self.architecture = architecture
        self.before_relu = before_relu
        self.linear = linear
        self.sha256 = sha256
        self._tap_scales = [1.0] * sum(is_tap(layer) for layer in architecture.layers)
        self._arrays: dict[str, Any] = {}
        for layer in architecture.layers:
            if isinstance(layer, Conv):
                for part in ("kernel", "bias"):
                    name = f"{layer.name}_{part}"
                    self._arrays[name] = self._constant(name, weights[name])
        self.built = True

    def _constant(self, name: str, value: np.ndarray) -> Any:
        value = np.asarray(value, np.float32)
        return self.add_weight(
            name=name,
            shape=value.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(value),
            trainable=False,
        )

    def call(self, image: Any) -> list[Any]:
        """image [B, H, W, 3] in [0, 1] -> features [B, h, w, C] at each tap, first to last."""
        mean = np.array(self.architecture.mean, np.float32)
        deviation = np.array(self.architecture.deviation, np.float32)
        features = (image - mean) / deviation
        taps: list[Any] = []
        for layer in self.architecture.layers:
            if isinstance(layer, Pool):
                features = ops.max_pool(features, layer.size, strides=2, padding="valid")
                continue
            side = (layer.padding, layer.padding)
            # Padded by hand: "same" is lopsided where the stride is not 1.
            features = ops.pad(features, ((0, 0), side, side, (0, 0)))
            kernel = self._arrays[f"{layer.name}_kernel"]
            linear = ops.conv(features, kernel, strides=layer.stride, padding="valid")
            linear = linear + self._arrays[f"{layer.name}_bias"]
            features = ops.relu(linear)
            if layer.tap:
                scale = self._tap_scales[len(taps)]
                taps.append(scale * (linear if self.before_relu else features))
        return taps

    def normalize(self, photographs: np.ndarray) -> None:
        """Scale each tap to unit root mean square over photographs.

        Networks differ in the size of their features: those of Keras' VGG19 come from inputs
        whose root mean square is 58 times that of torchvision's networks. Weights of perceptual
        losses mean the same for all of them only after this.

        Args:
            photographs: [B, H, W, 3] in [0, 1].
        """
        taps = [np.asarray(ops.convert_to_numpy(tap), np.float64) for tap in self(photographs)]
        self._tap_scales = [
            scale / float(np.sqrt(np.mean(tap**2)))
            for scale, tap in zip(self._tap_scales, taps, strict=True)
        ]

    def convolutions(self) -> list[Convolution]:
        """All convolutions, in order."""
        found, stride = [], 1
        for layer in self.architecture.layers:
            if isinstance(layer, Pool):
                stride *= 2
            else:
                stride *= layer.stride
                kernel = self._arrays[f"{layer.name}_kernel"]
                found.append(Convolution(tuple(kernel.shape), stride))
        return found

    def tap_strides(self) -> list[int]:
        """Image pixels from one position of each tap to the next."""
        layers = [layer for layer in self.architecture.layers if isinstance(layer, Conv)]
        found = zip(layers, self.convolutions(), strict=True)
        return [convolution.stride for layer, convolution in found if layer.tap]

    @property
    def tap_channels(self) -> list[int]:
        """How many channels each tap has."""
        return [
            int(self._arrays[f"{layer.name}_bias"].shape[0])
            for layer in self.architecture.layers
            if isinstance(layer, Conv) and is_tap(layer)
        ]

    @classmethod
    def load(cls, path: str | pathlib.Path, before_relu: bool = False) -> "FeatureNetwork":
        """AlexNet, or VGG16 up to its third stage, from arrays in an .npz file.

        Args:
            path: an .npz with NAME_kernel and NAME_bias for every convolution: conv1 ... conv5
                for AlexNet (with lin1 ... lin5, its LPIPS weights), conv1_1 ... for VGG16.
            before_relu: see the constructor.

        Raises:
            ModelError: there is no such file, or it contains neither network.
        """
        try:
            content = pathlib.Path(path).read_bytes()
            found = read_npz(io.BytesIO(content))
            arrays = {name: array.astype(np.float32) for name, array in found.items()}
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: feature weights cannot be read ({error})") from error
        architecture = ALEXNET if "conv5_kernel" in arrays else VGG16
        missing = {
            f"{layer.name}_{part}"
            for layer in architecture.layers
            if isinstance(layer, Conv)
            for part in ("kernel", "bias")
        } - set(arrays)
        if missing:
            raise ModelError(
                f"{path}: neither AlexNet's nor VGG16's weights ({min(missing)} is missing)"
            )
        linear = [arrays[f"lin{i}"] for i in range(1, 6)] if "lin5" in arrays else None
        digest = hashlib.sha256(content).hexdigest()
        return cls(architecture, arrays, before_relu, linear, digest)

    @classmethod
    def vgg19(cls, weights: str = "imagenet", before_relu: bool = True) -> "FeatureNetwork":
        """VGG19 from keras.applications.

        Args:
            weights: "imagenet" (downloaded once by Keras), or the path of a .weights.h5 or .h5
                file of keras.applications' VGG19 without its top.
            before_relu: see the constructor.

        Raises:
            ModelError: the weights can be neither downloaded nor read.
        """
        try:
            network = keras.applications.VGG19(include_top=False, weights=weights)
        except Exception as error:  # urllib's, h5py's or Keras' own: they share no class
            raise ModelError(f"VGG19: no weights {weights!r} ({error})") from error
        arrays = {}
        for layer in VGG19.layers:
            if isinstance(layer, Conv):
                name = f"block{layer.name[4:]}".replace("_", "_conv")  # conv1_2: block1_conv2
                kernel, bias = network.get_layer(name).get_weights()
                arrays[f"{layer.name}_kernel"], arrays[f"{layer.name}_bias"] = kernel, bias
        arrays["conv1_1_kernel"] = arrays["conv1_1_kernel"][:, :, ::-1]  # BGR to RGB
        digest = hashlib.sha256(b"".join(a.tobytes() for a in arrays.values())).hexdigest()
        return cls(VGG19, arrays, before_relu, sha256=digest)
