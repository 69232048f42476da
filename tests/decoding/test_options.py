import pytest

from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("projection", "exactly"),
        ("blend", 1.5),
        ("blend", -0.1),
        ("blend", float("nan")),
        ("temperature", -1),
        ("temperature", float("nan")),
        ("bits", 12),
    ],
)
def test_values_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        RestoreOptions(**{name: value})
