"""Restores a JPEG by a TensorFlow Serving server's REST interface, with Python alone.

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
    """PNG files of JPEG files.

    Args:
        url: http://HOST:PORT/v1/models/NAME, with /versions/N or /labels/NAME behind it or not.
        contents: JPEG files; their base64 must fit into what the server takes.
        seeds: one for each; without, seed 0 for all.
        temperature: scale of the noise, where seeds are given.

    Raises:
        ValueError: the server refused; its words.
        OSError: it cannot be reached.
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
