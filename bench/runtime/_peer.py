"""ONNX Runtime, got by npm into the build folder: what the benchmarks of this folder share."""
import pathlib
import shutil
import subprocess
import sys

VERSION = "1.30"


def say(text):
    print(text, file=sys.stderr)


def prepare(folder: pathlib.Path):
    """Whether ONNX Runtime is in `folder`, got there if need be."""
    if (folder / "node_modules" / "onnxruntime-node").exists():
        return True
    if shutil.which("node") is None or shutil.which("npm") is None:
        say("without node and npm there is no peer: its columns stay empty")
        return False
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), f"onnxruntime-node@{VERSION}"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        say("npm did not get onnxruntime-node: the peer's columns stay empty")
        return False
    return True
