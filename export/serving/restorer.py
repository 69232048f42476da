"""Files in, pictures out, in one TensorFlow graph: what a SavedModel serves."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from export.network import Network
from export.serving import border
from export.serving.colour import damped, kept_colour
from export.serving.header import Header, checked, estimated_quality, network_tables, parse
from export.serving.noise import window
from keras_jpeg_gan.decoding.tiles import GRID
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection.floating import MARGIN
from keras_jpeg_gan.jpeg.sampling import GRAY, Sampling
from keras_jpeg_gan.jpeg.tensors import codec, consistency
from keras_jpeg_gan.models import costs

# Files of these samplings are projected; for others the network's output is returned as it is.
SAMPLINGS = (GRAY, *map(Sampling.parse, ("4:4:4", "4:2:2", "4:4:0", "4:2:0")))
# Largest side of the part that a window contributes, in pixels.
TILE = 512

_BYTES = tf.TensorSpec((None,), tf.string, "image_bytes")
_LEVELS = (None, None, 8, 8)


class Restorer(tf.Module):
    """A model's signatures by name, in `functions`; `tile_specs` has the inputs of `tile`.

    Args:
        network: the model.
        max_megapixels: larger images are refused.
        tile: side of the tiles of signature `tile`, in pixels.
    """

    def __init__(self, network: Network, max_megapixels: float = 100.0, tile: int = 256) -> None:
        super().__init__()
        self.network = network
        self.halo = costs.halo(network.generator, GRID)
        self.max_megapixels = max_megapixels
        # The variables to save: Keras' wrappers are not tracked.
        self.tracked = [variable.value for variable in network.generator.variables]
        # Each is traced once, however many signatures call it.
        whole, image = tf.TensorSpec((), tf.int32), tf.TensorSpec((None, None, 3), tf.uint8)
        text, number = tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.float32)
        seed, steps = tf.TensorSpec((), tf.int64), tf.TensorSpec((3, 8, 8), tf.float32)
        floats = tf.TensorSpec((None, None, 3), tf.float32)
        self._network = _traced(self._run, floats, steps, seed, number, whole, whole)
        self._project = _traced(self._project_piece, floats, image, steps, whole)
        self._png = _traced(self._restore_file, whole, text, seed, number, whole)
        self.tile_specs = {
            name: tf.TensorSpec((None, *spec.shape[1:]), spec.dtype, name)
            for name, spec in network.specs(tile, as_bytes=False).items()
        }
        self.functions = self._signatures()

    def _signatures(self) -> dict[str, Any]:
        seeds = tf.TensorSpec((None,), tf.int64, "seed")
        temperatures = tf.TensorSpec((None,), tf.float32, "temperature")
        number = tf.TensorSpec((), tf.int32, "num_samples")
        asked = {
            "serving_default": (self.first, [_BYTES]),
            "sample": (self.sample, [_BYTES, seeds, temperatures]),
            "mean": (self.mean, [_BYTES, seeds, number]),
            "inspect": (self.inspect, [_BYTES]),
            "levels": (
                self.from_levels,
                [
                    tf.TensorSpec(_LEVELS, tf.int32, "levels_y"),
                    tf.TensorSpec(_LEVELS, tf.int32, "levels_cb"),
                    tf.TensorSpec(_LEVELS, tf.int32, "levels_cr"),
                    tf.TensorSpec((3, 8, 8), tf.float32, "tables"),
                    tf.TensorSpec((), tf.int32, "height"),
                    tf.TensorSpec((), tf.int32, "width"),
                    tf.TensorSpec((), tf.int64, "seed"),
                ],
            ),
        }
        found = {
            name: _traced(function, *specs).get_concrete_function()
            for name, (function, specs) in asked.items()
        }
        found["tile"] = tf.function(self.network.restore, autograph=False).get_concrete_function(
            **self.tile_specs
        )
        return found

    def first(self, image_bytes: Any) -> dict[str, Any]:
        """JPEG files [N] -> PNG files [N], with seed 0."""
        count = tf.shape(image_bytes)
        return self.sample(image_bytes, tf.zeros(count, tf.int64), tf.ones(count))

    def sample(self, image_bytes: Any, seed: Any, temperature: Any) -> dict[str, Any]:
        """JPEG files [N], seed [N] int64, temperature [N] -> PNG files [N]."""

        def one(given: tuple[Any, ...]) -> Any:
            position, content, own_seed, scale = given
            return self._png(position, content, own_seed, scale, tf.constant(1))

        numbered = (tf.range(tf.size(image_bytes)), image_bytes, seed, temperature)
        return {"image_bytes": _each(one, numbered, tf.string)}

    def mean(self, image_bytes: Any, seed: Any, num_samples: Any) -> dict[str, Any]:
        """JPEG files [N], seed [N], num_samples [] -> the mean of so many samples, PNG [N]."""

        def one(given: tuple[Any, ...]) -> Any:
            position, content, own_seed = given
            return self._png(position, content, own_seed, 1.0, tf.maximum(num_samples, 1))

        numbered = (tf.range(tf.size(image_bytes)), image_bytes, seed)
        return {"image_bytes": _each(one, numbered, tf.string)}

    def inspect(self, image_bytes: Any) -> dict[str, Any]:
        """JPEG files [N] -> height, width, components, estimated quality [N]; factors, tables."""
        kinds = {
            "height": tf.int32,
            "width": tf.int32,
            "components": tf.int32,
            "factors": tf.int32,
            "tables": tf.float32,
            "quality": tf.int32,
        }

        def one(given: tuple[Any, Any]) -> dict[str, Any]:
            header, _ = parse(given[1], given[0])
            return {**header._asdict(), "quality": estimated_quality(header)}

        return _each(one, (tf.range(tf.size(image_bytes)), image_bytes), kinds)

    def from_levels(
        self,
        levels_y: Any,
        levels_cb: Any,
        levels_cr: Any,
        tables: Any,
        height: Any,
        width: Any,
        seed: Any,
    ) -> dict[str, Any]:
        """Levels of a file -> pixels after the float projection, and the largest violation.

        The numbers of blocks tell the sampling: gray (levels_cb and levels_cr are empty), 4:4:4,
        4:2:2, 4:4:0 or 4:2:0.

        Args:
            levels_y, levels_cb, levels_cr: [Hb, Wb, 8, 8] int32, without dummy blocks.
            tables: [3, 8, 8] float32 steps.
            height, width: [] int32; seed: [] int64.

        Returns:
            pixels [H, W, 3] float32, not clipped, with equal channels for a gray file;
            violation [] float32, the largest one in steps; consistent is <= 1/2.
        """
        known = self._known_sampling(levels_y, levels_cb, height, width)
        tf.debugging.Assert(known >= 0, ["levels: numbers of blocks of no known sampling"])
        all_levels = [tf.cast(part, tf.float32)[None] for part in (levels_y, levels_cb, levels_cr)]

        def restored(sampling: Sampling) -> Callable[[], Any]:
            def branch() -> Any:
                parts = sampling.components
                file = Quantized(all_levels[:parts], tf.unstack(tables)[:parts], sampling)
                decoded = codec.decompress(file, height, width)
                colour = tf.repeat(decoded[0], 3, axis=-1) if parts == 1 else decoded[0]
                pixels = self._network(colour, tables, seed, 1.0, 0, 0)
                pixels = damped(pixels, kept_colour(colour), 0, 0)
                pixels = tf.reduce_mean(pixels, -1, keepdims=True) if parts == 1 else pixels
                projected, largest = border.project(pixels[None], file, height, width, MARGIN)
                return tf.broadcast_to(projected[0], tf.shape(colour)), largest

            return branch

        pixels, violation = tf.switch_case(known, [restored(sampling) for sampling in SAMPLINGS])
        return {"pixels": pixels, "violation": violation}

    def _known_sampling(self, levels_y: Any, levels_cb: Any, height: Any, width: Any) -> Any:
        """Index in SAMPLINGS of what the numbers of blocks can be; -1 where it is none."""
        luma, chroma = tf.shape(levels_y)[:2], tf.shape(levels_cb)[:2]
        found = tf.constant(-1)
        for i, sampling in enumerate(SAMPLINGS):
            (across, down) = sampling.ratios[-1]
            own = tf.stack([-(-height // (8 * down)), -(-width // (8 * across))])
            expected = tf.zeros_like(own) if sampling == GRAY else own
            whole = tf.stack([-(-height // 8), -(-width // 8)])
            fits = tf.reduce_all(luma == whole) & tf.reduce_all(chroma == expected)
            found = tf.where(fits, i, found)
        return found

    def _restore_file(
        self, position: Any, content: Any, seed: Any, temperature: Any, count: Any
    ) -> Any:
        """One file restored: its PNG."""
        header, content = parse(content, position)
        pixels = tf.cast(header.height, tf.float32) * tf.cast(header.width, tf.float32)
        fits = pixels <= 1e6 * self.max_megapixels
        content = checked(fits, position, "too many pixels", content)
        colour, plain = _decode(content, fancy=True), _decode(content, fancy=False)
        restored = self._restore(colour, plain, header, seed, temperature, count)
        return tf.cond(
            header.components == 1,
            lambda: tf.io.encode_png(restored[..., :1]),
            lambda: tf.io.encode_png(restored),
        )

    def _restore(
        self, colour: Any, plain: Any, header: Header, seed: Any, temperature: Any, count: Any
    ) -> Any:
        """Restore a file tile by tile: [H, W, 3] uint8.

        Beyond the image itself, memory is that of a few tiles, whatever the size.

        Args:
            colour: the decode with smooth chroma, [H, W, 3] uint8.
            plain: the decode with repeated chroma, [H, W, 3] uint8.
        """
        rows = tf.TensorArray(tf.uint8, 0, dynamic_size=True, infer_shape=False)
        kept = kept_colour(colour)

        def row(y: Any, rows: Any) -> tuple[Any, Any]:
            pieces = tf.TensorArray(tf.uint8, 0, dynamic_size=True, infer_shape=False)

            def piece(x: Any, pieces: Any) -> tuple[Any, Any]:
                part = self._piece(colour, plain, kept, header, y, x, seed, temperature, count)
                final = tf.cast(tf.clip_by_value(tf.round(part), 0, 255), tf.uint8)
                return x + TILE, pieces.write(x // TILE, tf.transpose(final, (1, 0, 2)))

            _, pieces = tf.while_loop(
                lambda x, _: x < header.width, piece, (0, pieces), parallel_iterations=1
            )
            return y + TILE, rows.write(y // TILE, tf.transpose(pieces.concat(), (1, 0, 2)))

        _, rows = tf.while_loop(
            lambda y, _: y < header.height, row, (0, rows), parallel_iterations=1
        )
        return tf.ensure_shape(rows.concat(), (None, None, 3))

    def _piece(
        self,
        colour: Any,
        plain: Any,
        kept_cells: Any,
        header: Header,
        y: Any,
        x: Any,
        seed: Any,
        temperature: Any,
        count: Any,
    ) -> Any:
        """The part of the tile at row y and column x: the mean of projected samples.

        The mean is as consistent as the samples: the set of consistent images is convex.
        """
        sampling = _sampling_of(header)
        top, left = tf.maximum(y - self.halo, 0), tf.maximum(x - self.halo, 0)
        bottom = tf.minimum(y + TILE, header.height)
        right = tf.minimum(x + TILE, header.width)
        cut = tf.cast(colour[top : bottom + self.halo, left : right + self.halo], tf.float32)
        own = plain[y:bottom, x:right]

        def add(k: Any, total: Any) -> tuple[Any, Any]:
            its_seed = seed + tf.cast(k, tf.int64)
            sample = self._network(cut, header.tables, its_seed, temperature, top, left)
            kept = sample[y - top : bottom - top, x - left : right - left]
            kept = damped(kept, kept_cells, y, x)
            return k + 1, total + self._project(kept, own, header.tables, sampling)

        nothing = tf.zeros_like(own, tf.float32)
        _, total = tf.while_loop(lambda k, _: k < count, add, (0, nothing), parallel_iterations=1)
        return total / tf.cast(count, tf.float32)

    def _run(
        self, colour: Any, tables: Any, seed: Any, temperature: Any, top: Any, left: Any
    ) -> Any:
        """Run the network, with padding to its grid: [h, w, 3], 0 to 255 -> [h, w, 3] float32."""
        height, width = tf.shape(colour)[0], tf.shape(colour)[1]
        rows, columns = (-(-size // GRID) * GRID for size in (height, width))
        padded = tf.gather(colour, tf.minimum(tf.range(rows), height - 1), axis=0)
        padded = tf.gather(padded, tf.minimum(tf.range(columns), width - 1), axis=1)
        noise = {}
        for i, s in enumerate(self.network.noise_strides):
            field = window(seed, i, top // s, left // s, rows // s, columns // s)
            noise[f"noise_{i}"] = temperature * field[None, ..., None]
        restored = self.network.restore(padded[None], network_tables(tables)[None], **noise)
        return restored["restored"][0, :height, :width]

    def _project_piece(self, pixels: Any, plain: Any, tables: Any, sampling: Any) -> Any:
        """The float projection onto the levels of a decode with repeated chroma."""

        def projected(known: Sampling) -> Callable[[], Any]:
            def branch() -> Any:
                parts = known.components
                own = tf.unstack(tables)[:parts]
                given, decoded = pixels[None], tf.cast(plain, tf.float32)[None]
                if parts == 1:
                    given = tf.reduce_mean(given, axis=-1, keepdims=True)
                    decoded = decoded[..., :1]
                levels = codec.compress(decoded, own, known, rounded=False)
                found = consistency.project(given, Quantized(levels, own, known), MARGIN)[0]
                return tf.broadcast_to(found, tf.shape(pixels))

            return branch

        branches = [projected(known) for known in SAMPLINGS]
        return tf.switch_case(sampling, [*branches, lambda: pixels])


def _traced(function: Callable, *specs: tf.TensorSpec) -> Any:
    return tf.function(function, input_signature=specs, autograph=False)


def _each(function: Callable, numbered: tuple, kinds: Any) -> Any:
    """Apply a function of one file to all files of a batch, one after the other."""
    return tf.map_fn(function, numbered, fn_output_signature=kinds, parallel_iterations=1)


def _decode(content: Any, fancy: bool) -> Any:
    return tf.io.decode_jpeg(
        content, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=fancy
    )


def _sampling_of(header: Header) -> Any:
    """Index in SAMPLINGS, or their number if it is none of them."""
    index = tf.constant(len(SAMPLINGS))
    for i, known in enumerate(SAMPLINGS[1:], start=1):
        # Only ratios of factors matter: 2x2 for all components is 4:4:4.
        factors = known.reduced
        same = tf.reduce_all(header.factors * factors[0] == header.factors[0] * factors)
        index = tf.where(same, i, index)
    return tf.where(header.components == 1, 0, index)
