"""Whether a file is restored as of an earlier save, and of which."""

import dataclasses

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection.earlier import Earlier
from keras_jpeg_gan.jpeg.resaved import EarlierSave, find_earlier_save

AUTO, OFF = "auto", "off"


def found(file: JpegFile, wanted: str) -> JpegFile:
    """A file with what an earlier save says of its picture, if it went through one.

    Args:
        file: as it was read.
        wanted: `AUTO`, so that the save is looked for; `OFF`, or one that is known, as
            `EarlierSave.parse`.

    Returns:
        The file itself where no save is found; of a JPEG file that is found to have been saved
        before, with a warning.

    Raises:
        JpegFormatError: no save is found in an image of another format, or one is given for a
            file whose pixels do not show its luma (`JpegFile.shows_luma`).
        ConfigError: the save is not as `EarlierSave.parse` takes it.
    """
    if wanted == OFF:
        return file
    if file.quantized is not None and not file.shows_luma:
        if wanted == AUTO:
            return file
        raise JpegFormatError(
            f"{file.model.value} {file.quantized.sampling}: its pixels do not show the luma that "
            "an earlier save left: use --earlier_save=off"
        )
    remarks: tuple[str, ...] = ()
    if wanted != AUTO:
        save: EarlierSave | None = EarlierSave.parse(wanted)
    elif file.quantized is None:
        save = find_earlier_save(file.pixels)
        if save is None:
            raise JpegFormatError(
                "no JPEG save shows in it: --earlier_save=QUALITY says which it went through"
            )
    else:
        save = find_earlier_save(file.pixels, file.tables[0])
        remarks = (
            "it was likely saved before, and is restored from that: --earlier_save=off holds it to "
            "the levels of the last save",
        )
    if save is None:
        return file
    tables = file.tables
    if file.quantized is None:
        tables = (save.luma, save.chroma, save.chroma)[: 1 if file.pixels.ndim == 2 else 3]
    earlier = Earlier.of(save, file.pixels, file.quantized)
    if earlier.possible is None:
        remarks = (
            f"no save with {save} shows in its pixels: the network takes its damage for that, "
            "and nothing is certified",
        )
    return dataclasses.replace(
        file, tables=tables, earlier=earlier, warnings=(*file.warnings, *remarks)
    )
