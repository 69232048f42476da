"""Writes the folder that TensorFlow Serving is pointed at."""

import io
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from export.serving.restorer import Restorer
from keras_jpeg_gan.system import captured_standard_error

_WARMUP = "tf_serving_warmup_requests"
# Requests for signature `tile` are batched; files are not, since their sizes differ.
_BATCHING = """max_batch_size { value: 8 }
batch_timeout_micros { value: 5000 }
num_batch_threads { value: 2 }
max_enqueued_batches { value: 64 }
"""


def write_version(restorer: Restorer, folder: pathlib.Path, version: int) -> pathlib.Path:
    """Write folder/version, whole or not at all, and the server's settings beside it.

    Raises:
        OSError: it cannot be written, or exists.
    """
    target = folder / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    # Not an integer, so that no server takes it for a version before it is complete.
    unfinished = pathlib.Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder))
    try:
        with captured_standard_error():
            tf.saved_model.save(restorer, str(unfinished), signatures=restorer.functions)
        extra = unfinished / "assets.extra"
        extra.mkdir()
        name = restorer.network.card.name
        with tf.io.TFRecordWriter(str(extra / _WARMUP)) as writer:
            for log in _warmup(restorer, name):
                writer.write(log.SerializeToString())
        unfinished.chmod(0o755)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    (folder / "batching.config").write_text(_BATCHING)
    (folder / "models.config").write_text(models_config(name, version))
    return target


def models_config(name: str, version: int) -> str:
    """The server's --model_config_file, which labels this version `stable`."""
    return f"""model_config_list {{
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: {version} }} }}
    version_labels {{ key: "stable" value: {version} }}
  }}
}}
"""


def _warmup(restorer: Restorer, model: str) -> Iterator[prediction_log_pb2.PredictionLog]:
    """A request for each signature whose first call would otherwise be slow."""
    files = [_tiny_jpeg(subsampling) for subsampling in (0, 1, 2)]
    inputs = {
        "serving_default": {"image_bytes": files},
        "sample": {
            "image_bytes": files,
            "seed": np.arange(3, dtype=np.int64),
            "temperature": np.ones(3, np.float32),
        },
        "tile": {
            name: np.ones([1, *spec.shape[1:]], np.float32)
            for name, spec in restorer.tile_specs.items()
        },
    }
    for signature, values in inputs.items():
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = signature
        for name, value in values.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        log = prediction_log_pb2.PredictLog(request=request)
        yield prediction_log_pb2.PredictionLog(predict_log=log)


def _tiny_jpeg(subsampling: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (48, 48), "teal").save(buffer, "JPEG", subsampling=subsampling)
    return buffer.getvalue()
