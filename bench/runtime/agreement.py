#!/usr/bin/python3
"""How far every backend is from libtorch and ONNX Runtime on the same exported files: the networks of configs/models.

Weights are random and so is every batch norm, that no branch is silent; inputs are standard normal and the same on all sides. Ours
runs through libcoppice.so, libtorch the module that --format torchscript makes of the file. fp32: the largest difference of an output,
by the largest output. int8: the share of inputs whose outputs are all identical (within 1e-5 of the largest: the last layer's sums are
scaled in float) and the largest difference in steps, 1/255 of the range that the outputs of all inputs have; to the reference
backend and to ONNX Runtime, of whose optimised model the float convolutions and products are counted. `int8` rounds all sums,
`int8-sums` is our quantiser's default, where it makes another file. --case NAME (again for more), --inputs N.
"""
import argparse
import collections
import ctypes
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnx.numpy_helper
import torch

import _peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build" / "release"))
COPPICE = BUILD / "bin" / "coppice"
PEER = BUILD / "peers" / "onnxruntime"
MODELS = BUILD / "bench-models" / "agreement"
BACKENDS = ("onednn", "xnnpack")
BATCH = 50
IDENTICAL = 1e-5
SHAPES = {"cnn-1d": [6, 128], "tcn": [6, 128], "layers": [6, 128], "ds-cnn": [1, 49, 10], "autoencoder": [24], "mlp": [784],
          **{name: [3, 32, 32] for name in ("resnet-18", "resnet-20", "resnet-32", "resnet-56", "mobilenet-v2")}}
FLOAT_LAYERS = {"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "ConvTranspose"}


class Port(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_size_t),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("sample_bytes", ctypes.c_size_t)]


class Description(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("task", ctypes.c_char_p), ("backend", ctypes.c_char_p), ("max_batch", ctypes.c_size_t),
                ("arena_bytes", ctypes.c_size_t), ("input_count", ctypes.c_size_t), ("inputs", ctypes.POINTER(ctypes.POINTER(Port))),
                ("output_count", ctypes.c_size_t), ("outputs", ctypes.POINTER(ctypes.POINTER(Port)))]


class Options(ctypes.Structure):
    _fields_ = [("struct_bytes", ctypes.c_size_t), ("backend", ctypes.c_char_p), ("threads", ctypes.c_size_t),
                ("max_batch", ctypes.c_size_t)]


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t)]


class Library:
    """libcoppice.so by its C interface."""

    def __init__(self):
        self.c = ctypes.CDLL(str(BUILD / "lib" / "libcoppice.so"))
        self.c.coppice_last_error.restype = ctypes.c_char_p
        self.c.coppice_describe.restype = ctypes.POINTER(Description)
        for function in (self.c.coppice_describe, self.c.coppice_free):
            function.argtypes = [ctypes.c_void_p]
        self.c.coppice_run.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(Buffer), ctypes.c_size_t,
                                       ctypes.POINTER(Buffer), ctypes.c_size_t]

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.c.coppice_last_error().decode())

    def outputs(self, file, backend, samples):
        """The first output of every sample, flat."""
        engine = ctypes.c_void_p()
        options = Options(ctypes.sizeof(Options), backend.encode(), 1, BATCH)
        self.check(self.c.coppice_load(str(file).encode(), ctypes.byref(options), ctypes.byref(engine)))
        model = self.c.coppice_describe(engine).contents
        sizes = [model.outputs[i].contents.sample_bytes // 4 for i in range(model.output_count)]
        results = []
        for part in np.split(samples, range(BATCH, len(samples), BATCH)):
            made = [np.empty((len(part), size), np.float32) for size in sizes]
            out = (Buffer * len(made))(*[Buffer(m.ctypes.data, m.nbytes) for m in made])
            given = Buffer(part.ctypes.data, part.nbytes)
            self.check(self.c.coppice_run(engine, len(part), ctypes.byref(given), 1, out, len(made)))
            results.append(made[0])
        self.c.coppice_free(engine)
        return np.concatenate(results)


def export(source, file, *arguments):
    command = [str(COPPICE), "model", "export", str(source), "--out", str(file), "--json", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def randomise_norms(file, random):
    """A fresh batch norm is the identity, and one at the end of a branch may be zero."""
    model = onnx.load(str(file))
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "BatchNormalization":
            for name, (low, high) in zip(node.input[1:], ((0.5, 1.5), (-0.3, 0.3), (-0.3, 0.3), (0.5, 1.5))):
                values = random.uniform(low, high, weights[name].dims).astype(np.float32)
                weights[name].CopyFrom(onnx.numpy_helper.from_array(values, name))
    onnx.save(model, str(file))


def export_network(name, random):
    """Kind → file."""
    files = {kind: MODELS / f"{name}-{kind}.onnx" for kind in ("fp32", "int8", "int8-sums")}
    shape = json.dumps(SHAPES.get(name, [1, 28, 28]))
    export(ROOT / "configs/models" / f"{name}.yaml", files["fp32"], "--set", "input.dtype=f32", "--set", f"input.shape={shape}")
    randomise_norms(files["fp32"], random)
    hashes = {}
    for kind, rounded in (("int8", "true"), ("int8-sums", "false")):
        made = export(files["fp32"], files[kind], "--int8", "--calibrate", "random", "--set", f"quantise.round_sums={rounded}")
        hashes[kind] = made["hash"]
    if hashes["int8"] == hashes["int8-sums"]:
        del files["int8-sums"]
    return files


def libtorch_outputs(file, samples):
    module_file = file.with_suffix(".pt")
    export(file, module_file, "--format", "torchscript")
    module = torch.jit.load(str(module_file)).eval()
    with torch.inference_mode():
        parts = [module(part) for part in torch.from_numpy(samples).split(BATCH)]
    parts = [part[0] if isinstance(part, (tuple, list)) else part for part in parts]
    return torch.cat(parts).reshape(len(samples), -1).numpy()


def onnxruntime_outputs(file, samples):
    """Its outputs, and how many convolutions and products it computes in float."""
    given, made, optimised = (file.with_suffix(suffix) for suffix in (".in.raw", ".out.raw", ".optimised.onnx"))
    samples.tofile(given)
    script = ROOT / "bench/peers/onnxruntime_outputs.mjs"
    subprocess.run(["node", str(script), str(PEER), str(file), str(given), str(made), str(optimised)], check=True)
    ops = collections.Counter(node.op_type for node in onnx.load(str(optimised)).graph.node)
    result = np.fromfile(made, np.float32).reshape(len(samples), -1)
    given.unlink()
    made.unlink()
    return result, sum(ops[op] for op in FLOAT_LAYERS)


def float_row(case, ours, theirs):
    difference = np.abs(ours.astype(np.float64) - theirs).max() / np.abs(theirs).max()
    return {"case": f"{case}: largest difference", "ours": float(difference), "unit": "relative"}


def integer_rows(case, ours, theirs):
    difference = np.abs(ours.astype(np.float64) - theirs).max(axis=1)
    step = (theirs.max() - theirs.min()) / 255
    return [{"case": f"{case}: identical inputs", "ours": float((difference <= IDENTICAL * np.abs(theirs).max()).mean()), "unit": "share"},
            {"case": f"{case}: largest difference", "ours": float(difference.max() / step), "unit": "steps"}]


def measure(name, library, options):
    random = np.random.default_rng(7)
    files = export_network(name, random)
    samples = random.standard_normal((options.inputs, *SHAPES.get(name, [1, 28, 28])), np.float32)
    rows = []
    for kind, file in files.items():
        case = f"{name}-{kind}"
        _peer.say(f"{case}, {options.inputs} inputs")
        peer, float_layers = onnxruntime_outputs(file, samples)
        ours = {backend: library.outputs(file, backend, samples) for backend in ("reference", *BACKENDS)}
        if kind == "fp32":
            torchs = libtorch_outputs(file, samples)
            for backend, outputs in ours.items():
                rows.append(float_row(f"{case}, {backend} to libtorch", outputs, torchs))
                rows.append(float_row(f"{case}, {backend} to onnxruntime", outputs, peer))
            continue
        rows.append({"case": f"{case}: layers that onnxruntime computes in float", "ours": float_layers, "unit": "layers"})
        for backend in BACKENDS:
            rows += integer_rows(f"{case}, {backend} to reference", ours[backend], ours["reference"])
        rows += integer_rows(f"{case}, reference to onnxruntime", ours["reference"], peer)
        rows += [{"case": f"{case}, reference to onnxruntime: same arg-max", "unit": "share",
                  "ours": float((ours["reference"].argmax(axis=1) == peer.argmax(axis=1)).mean())}]
    return rows


def main():
    names = sorted(path.stem for path in (ROOT / "configs/models").glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--case", action="append", choices=names, help="only this one (again for more)")
    parser.add_argument("--inputs", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    MODELS.mkdir(parents=True, exist_ok=True)
    rows = []
    if _peer.prepare(PEER):
        library = Library()
        for name in options.case or names:
            rows += measure(name, library, options)
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        detail = (error.stderr or b"").decode().strip().splitlines()[-1:]
        sys.exit(f"error: {' '.join(map(str, error.cmd))} ended with {error.returncode} {' '.join(detail)}")
