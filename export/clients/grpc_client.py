"""Restores a JPEG exactly through the gRPC interface of a TensorFlow Serving server.

    python grpc_client.py HOST:8500 photo.jpg restored.png --model=default --seed=3

The client reads the file's levels, the server runs the network and the float projection, and the
client finishes with the exact projection: the result compresses to the very same levels. It needs
keras-jpeg-gan, grpcio and tensorflow-serving-api.
"""

import argparse
import pathlib
import sys

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

import keras_jpeg_gan as jpeg_gan

# Levels take up to 12 bytes per pixel, and so does the answer; gRPC's default limit is 4 MB.
MAX_MESSAGE_BYTES = 512 << 20


def connect(address: str) -> prediction_service_pb2_grpc.PredictionServiceStub:
    """The service at HOST:PORT."""
    sizes = ("grpc.max_send_message_length", "grpc.max_receive_message_length")
    channel = grpc.insecure_channel(address, [(size, MAX_MESSAGE_BYTES) for size in sizes])
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def predict(
    service: prediction_service_pb2_grpc.PredictionServiceStub,
    model: str,
    signature: str,
    inputs: dict[str, np.ndarray],
    seconds: float = 600,
) -> dict[str, np.ndarray]:
    """Call a signature with arrays by name.

    Raises:
        grpc.RpcError: the server refused the request, or cannot be reached.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    answer = service.Predict(request, seconds)
    return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}


def restore_exactly(
    service: prediction_service_pb2_grpc.PredictionServiceStub,
    model: str,
    source: str | pathlib.Path | bytes,
    seed: int = 0,
) -> jpeg_gan.Restored:
    """Restore one file with signature `levels`, and project exactly.

    Raises:
        JpegFormatError: the file cannot be restored.
        grpc.RpcError: as `predict`; also if the server does not know the sampling.
    """
    decoder = jpeg_gan.Decoder(model)
    file = decoder.read(source)
    if len(file.model.parts) > 1:
        raise jpeg_gan.JpegFormatError(
            f"its colours are {file.model.value}: served models restore only grayscale and YCbCr"
        )
    gray = len(file.tables) == 1
    nothing = np.zeros((0, 0, 8, 8), np.int32)
    levels = file.quantized.levels
    parts = [*levels, nothing, nothing] if gray else levels
    found = predict(
        service,
        model,
        "levels",
        {
            **{
                name: part.astype(np.int32)
                for name, part in zip(("levels_y", "levels_cb", "levels_cr"), parts, strict=True)
            },
            "tables": np.stack(3 * file.tables if gray else file.tables).astype(np.float32),
            "height": np.int32(file.pixels.shape[0]),
            "width": np.int32(file.pixels.shape[1]),
            "seed": np.uint64(seed).astype(np.int64),
        },
    )
    pixels = found["pixels"][..., 0] if gray else found["pixels"]
    return decoder.finish(pixels, file, seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    try:
        restored = restore_exactly(connect(given.address), given.model, given.input, given.seed)
    except jpeg_gan.JpegGanError as error:
        sys.exit(f"{given.input}: {error}")
    except grpc.RpcError as error:
        sys.exit(f"{given.input}: {error.details()}")
    restored.save(given.output)
    print(restored.summary)
