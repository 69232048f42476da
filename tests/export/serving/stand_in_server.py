"""A stand-in for TensorFlow Serving, whose binary neither PyPI nor Debian has.

It speaks the server's v1 REST interface and its gRPC PredictionService, through the official
protos, for one loaded SavedModel. It tests clients and signatures, not the server.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class _Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model) -> None:
        self._model = model

    def Predict(self, request, context):  # noqa: N802
        function = self._model.signatures[request.model_spec.signature_name]
        given = {name: tf.constant(tf.make_ndarray(v)) for name, v in request.inputs.items()}
        try:
            found = function(**given)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        answer = predict_pb2.PredictResponse()
        for name, value in found.items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return answer


def _handler(model, name: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != f"/v1/models/{name}:predict":
                return self._answer(404, {"error": "no such model"})
            function = model.signatures[body.get("signature_name", "serving_default")]
            specs = function.structured_input_signature[1]
            rows = body["instances"]
            given = {
                key: tf.constant([_value(row[key]) for row in rows], specs[key].dtype)
                for key in rows[0]
            }
            try:
                ((key, found),) = function(**given).items()
            except tf.errors.InvalidArgumentError as error:
                return self._answer(400, {"error": error.message})
            assert key.endswith("_bytes")  # this suffix makes the server write base64
            texts = [{"b64": base64.b64encode(one).decode()} for one in found.numpy()]
            return self._answer(200, {"predictions": texts})

        def _answer(self, status: int, body: dict) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *arguments) -> None:
            pass

    return Handler


def _value(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


@contextlib.contextmanager
def serving(model, name: str) -> Iterator[tuple[str, str]]:
    """The model's REST URL, and the gRPC address."""
    rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(model, name))
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    sizes = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), options=sizes)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Service(model), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{rest.server_port}/v1/models/{name}", f"127.0.0.1:{port}"
    finally:
        server.stop(None)
        rest.shutdown()
        rest.server_close()
