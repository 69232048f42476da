import numpy as np
from PIL import Image

from keras_jpeg_gan import Decoder
from keras_jpeg_gan.decoding.files.provenance import work_of
from tests.files import jpeg


def test_the_saved_image_is_the_restored_one(model, tmp_path):
    restored = Decoder(model).restore(jpeg(comment=b"made for a test"))
    for name in ("a.png", "a.webp", "a.tif"):
        restored.save(tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert np.array_equal(np.asarray(image), restored.pixels)
    with Image.open(tmp_path / "a.png") as image:
        assert work_of(image.text["Restoration"]) == restored.work
        assert str(restored.certificate) in image.text["Restoration"]
        assert image.text["Comment"] == "made for a test"
        assert image.text["Software"].startswith("keras-jpeg-gan")
    restored.save(tmp_path / "bare.png", keep_metadata=False)
    with Image.open(tmp_path / "bare.png") as image:
        assert image.text == {}
