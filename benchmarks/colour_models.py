"""What restoration gains where a file does not code YCbCr: RGB-coded, CMYK and YCCK files.

    python -m benchmarks.colour_models --images=KODAK --profile=CMYK.icc

Crops of photographs are converted to inks by an ICC profile of a CMYK printer, saved by libjpeg,
and restored. PSNR is of each component, R, G, B or C, M, Y, K, in the mean over the crops.
"Together" shows the network the first three channels as one RGB picture, where the decoder shows
it each by itself. `--output` is a folder for pictures to look at: original, decode and restored,
converted back to sRGB by the profile.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image, ImageCms

from keras_jpeg_gan.data.sources import find_images, read_image
from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.files.writer import image_of
from keras_jpeg_gan.decoding.views import View
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.colour_model import ColourModel
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import network_tables, quality_tables
from keras_jpeg_gan.metrics import psnr

CODINGS = (
    (ColourModel.RGB, "4:4:4"),
    (ColourModel.CMYK, "4:4:4:4"),
    (ColourModel.YCCK, "4:4:4:4"),
    (ColourModel.YCCK, "4:2:0:4"),
)
_SRGB = ImageCms.createProfile("sRGB")


def coded(pixels: np.ndarray, model: ColourModel, sampling: str, quality: int) -> JpegFile:
    """Compress pixels with libjpeg: chroma with the chroma table, everything else with luma's."""
    luma, chroma = quality_tables(quality)
    other = chroma if model.converted else luma
    tables = [luma, other, other, luma][: pixels.shape[2]]
    return JpegFile.read(encoder.encode(pixels, tables, Sampling.parse(sampling), model.converted))


def together(decoder: Decoder, file: JpegFile) -> np.ndarray:
    """The network's output for the first three channels as one RGB picture."""
    view = View(slice(0, 3), file.model.inks, network_tables(file.tables[:3])[None])
    seen = view.picture(file.pixels[None])
    return view.values(decoder.runtime.restore(seen, view.tables, None))[0]


def psnr_of_channels(found: np.ndarray, original: np.ndarray) -> np.ndarray:
    """PSNR of each channel, in dB."""
    channels = range(original.shape[2])
    return np.array([psnr(found[..., k], original[..., k]) for k in channels])


def shown(values: list[np.ndarray], signed: bool = False) -> str:
    """The mean over images, a number for each channel."""
    form = "+.2f" if signed else ".2f"
    return ", ".join(format(value, form) for value in np.mean(values, axis=0))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--profile", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="regression", help="a regression")
    parser.add_argument("--every", type=int, default=4, help="take every n-th image")
    parser.add_argument("--crop", type=int, default=256, help="from the middle, a multiple of 16")
    parser.add_argument("--qualities", type=int, nargs="+", default=[20, 60])
    parser.add_argument("--output", type=pathlib.Path)
    given = parser.parse_args()
    to_inks = ImageCms.buildTransform(_SRGB, str(given.profile), "RGB", "CMYK")
    to_srgb = ImageCms.buildTransform(str(given.profile), _SRGB, "CMYK", "RGB")
    decoder = Decoder(given.model)
    crops = []
    for path in find_images(given.images)[:: given.every]:
        whole = Image.fromarray(read_image(path))
        left, top = (whole.width - given.crop) // 2, (whole.height - given.crop) // 2
        crops.append(whole.crop((left, top, left + given.crop, top + given.crop)))
    print(
        "| file | sampling | quality | decode, dB | restored, dB | gain | together, gain | exact |"
    )
    print("| --- | --- | ---: | --- | --- | --- | --- | ---: |")
    for model, sampling in CODINGS:
        for quality in given.qualities:
            decodes, results, gains, others, exact = [], [], [], [], 0
            for number, crop in enumerate(crops):
                image = ImageCms.applyTransform(crop, to_inks) if model.inks else crop
                original = np.asarray(image)
                file = coded(original, model, sampling, quality)
                estimate = decoder.estimate(file)
                restored = decoder.finish(estimate, file)
                exact += restored.certificate is not None and restored.certificate.exact
                decodes.append(psnr_of_channels(file.pixels, original))
                results.append(psnr_of_channels(restored.pixels, original))
                gains.append(results[-1] - decodes[-1])
                if not model.converted:
                    estimate[..., :3] = together(decoder, file)
                    other = decoder.finish(estimate, file).pixels
                    others.append(psnr_of_channels(other, original)[:3] - decodes[-1][:3])
                if given.output and model.inks:
                    given.output.mkdir(parents=True, exist_ok=True)
                    images = [image_of(p) for p in (original, file.pixels, restored.pixels)]
                    looks = [np.asarray(ImageCms.applyTransform(i, to_srgb)) for i in images]
                    name = f"{model.value}_{sampling.replace(':', '')}_{quality}_{number}.png"
                    Image.fromarray(np.concatenate(looks, axis=1)).save(given.output / name)
            print(
                f"| {model.value} | {sampling} | {quality} | {shown(decodes)} | {shown(results)} "
                f"| {shown(gains, True)} | {shown(others, True) if others else ''} "
                f"| {exact} of {len(crops)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
