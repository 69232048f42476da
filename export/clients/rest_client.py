"""Restores a JPEG through the REST interface of a TensorFlow Serving server, with Python alone.

python rest_client.py http://HOST:8501/v1/models/default photo.jpg restored.png --seed=3
"""

import argparse
import base64
import json
import pathlib
import sys
import urllib.error
import urllib.request


def restore(
    url: str, contents: list[bytes], seeds: list[int] | None = None, temperature: float = 1.0
) -> list[bytes]:
    """Restore JPEG files to PNG files.

    Args:
        url: http://HOST:PORT/v1/models/NAME, optionally followed by /versions/N or /labels/NAME.
        contents: JPEG files; as base64 they must fit into the server's size limit.
        seeds: one per file, or None for seed 0 throughout.
        temperature: scale of the noise; used only with seeds.

    Raises:
        ValueError: the server refused, with its message.
        OSError: the server cannot be reached.
    """
    files = [{"b64": base64.b64encode(content).decode()} for content in contents]
    if seeds is None:
        body = {"instances": [{"image_bytes": file} for file in files]}
    else:
        rows = [
            {"image_bytes": file, "seed": seed, "temperature": temperature}
            for file, seed in zip(files, seeds, strict=True)
        ]
        body = {"signature_name": "sample", "instances": rows}
    request = urllib.request.Request(
        f"{url}:predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            predictions = json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        raise ValueError(json.loads(error.read()).get("error", str(error))) from error
    return [base64.b64decode(prediction["b64"]) for prediction in predictions]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    try:
        (png,) = restore(given.url, [given.input.read_bytes()], [given.seed])
    except (OSError, ValueError) as error:
        sys.exit(f"{given.input}: {error}")
    given.output.write_bytes(png)
