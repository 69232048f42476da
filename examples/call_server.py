"""Asks a TensorFlow Serving server for several samples of one photograph, in one request.

    python export/saved_model.py --output_dir=models/default     # then serve it: export/README.md
    python examples/call_server.py http://localhost:8501/v1/models/default examples/wood.jpg samples

Nothing but Python is needed here: export/clients/rest_client.py can be copied as it is. Over gRPC,
export/clients/grpc_client.py also projects the result exactly.
"""

import argparse
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))  # where the package `export` is
from export.clients.rest_client import restore

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("url")
parser.add_argument("input", type=pathlib.Path)
parser.add_argument("folder", type=pathlib.Path, help="where the pictures go")
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
arguments = parser.parse_args()

try:
    content = arguments.input.read_bytes()
    pictures = restore(arguments.url, [content] * len(arguments.seeds), arguments.seeds)
except (OSError, ValueError) as error:  # not there; or the server refuses the file and says why
    sys.exit(f"{arguments.input}: {error}")
arguments.folder.mkdir(parents=True, exist_ok=True)
for seed, picture in zip(arguments.seeds, pictures, strict=True):
    target = arguments.folder / f"{arguments.input.stem}_{seed}.png"
    target.write_bytes(picture)
    print(target)
