#!/usr/bin/python3
"""Times epochs of plain training here and in Python's torch: same network, batch, data and optimiser, in turns.

Cases cnn (16-32-64) and mlp (784-100-100-10) on the 10,000 test images of Fashion-MNIST (an epoch's time is proportional to the
images), resnet20 on 6,400 made images of 32x32x3; batch 128. A figure is
the median, over all turns, of the epochs after each process's first. Printed besides: the share of this machine's sgemm on all cores,
counting three times the forward multiply-adds; the share of an epoch that waits for input, with augmentation; and an epoch beside
a process that keeps one core busy.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import h5py
import numpy
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build" / "release"))
MODELS = {
    "cnn": {"name": "cnn", "widths": [16, 32, 64], "depth": 1, "dropout": 0},
    "mlp": {"name": "mlp", "widths": [100, 100], "dropout": 0},
    "resnet20": {"name": "resnet", "widths": [16, 32, 64], "depth": 3, "dropout": 0},
}
EPOCHS = {"cnn": 5, "mlp": 15, "resnet20": 3}
PEERS = {"cnn": ("python-default", "python-2-threads"), "mlp": ("python-default", "python-2-threads"),
         "resnet20": ("python-2-threads",)}
PEER_THREADS = {"python-default": 0, "python-2-threads": 2}
AUGMENTATION = [{"name": "flip", "probability": 0.5}, {"name": "shift", "low": 0, "high": 2},
                {"name": "rotate", "low": 0, "high": 10, "probability": 0.5}, {"name": "noise", "low": 0, "high": 0.05, "probability": 0.5}]
BATCH = 128


def run(command, **options):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def import_data(folder, manifest, part):
    """The file of a data-set version."""
    run([BUILD / "bin/coppice", "data", "import", manifest, "--versions", folder / "versions", "--part", part])
    return max((folder / "versions").glob("*.h5"), key=lambda file: file.stat().st_mtime_ns)


def made_images(folder, count):
    """Noisy colour images in CIFAR-10's binary form: speed depends on their number and shape alone."""
    rng = numpy.random.default_rng(1)
    labels = rng.integers(0, 10, count)
    images = rng.integers(0, 200, (count, 3072)) + 5 * labels[:, None]
    numpy.concatenate([labels[:, None], images], axis=1).astype(numpy.uint8).tofile(folder / "made.bin")
    manifest = {"name": "made", "folder": str(folder), "class_names": [str(c) for c in range(10)], "files": [{"path": "made.bin"}],
                "parts": [{"name": "train", "source": {"format": "cifar10", "files": ["made.bin"]}}]}
    (folder / "made.yaml").write_text(yaml.safe_dump(manifest))
    return import_data(folder, folder / "made.yaml", "train")


def our_epochs(folder, case, data, epochs, augmentation=()):
    """Rows of metrics.jsonl after the first epoch, and the job's figures."""
    out = pathlib.Path(tempfile.mkdtemp(dir=folder))
    train = {"epochs": epochs, "batch_size": BATCH, "schedule": {"name": "constant"}, "augmentation": list(augmentation),
             "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}}
    spec = {"kind": "train", "name": "bench", "seed": 1, "inputs": {"train": str(data)},
            "options": {"model": MODELS[case], "train": train}}
    (out / "job.yaml").write_text(yaml.safe_dump(spec))
    run([BUILD / "bin/coppice-train", "--job", out / "job.yaml", "--out", out / "run"])
    rows = [json.loads(line) for line in (out / "run/metrics.jsonl").read_text().splitlines()]
    return rows[1:], json.loads((out / "run/summary.json").read_text())["figures"]


def peer_epochs(case, data, epochs, peer):
    command = [sys.executable, ROOT / "bench/peers/train_epochs.py", "--data", data, "--network", case, "--epochs", epochs,
               "--batch-size", BATCH, "--threads", PEER_THREADS[peer]]
    return json.loads(run(command))["seconds"][1:]


def sgemm_peak():
    """Multiply-adds per second of single-precision matrix products on all cores, by the OpenBLAS that Coppice's libtorch has.

    In a process of its own: OpenBLAS takes newer processors for old ones, and is told better as jobs tell it.
    """
    program = """
import os, time, torch
torch.set_num_threads(os.cpu_count())
a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
def seconds():
    start = time.perf_counter()
    a @ b
    return time.perf_counter() - start
print(2048**3 / min(seconds() for _ in range(8)))
"""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    known = {"OPENBLAS_CORETYPE": "SkylakeX"} if "avx512f" in flags else {}
    return float(run([sys.executable, "-c", program], env={**os.environ, **known}))


def compare(case, folder, data, turns, peak):
    with h5py.File(data) as file:
        images = len(file["labels"])
    ours, peers = [], {name: [] for name in PEERS[case]}
    for turn in range(turns):
        print(f"{case}: turn {turn + 1} of {turns}", file=sys.stderr)
        rows, figures = our_epochs(folder, case, data, EPOCHS[case])
        ours += [row["seconds"] for row in rows]
        for name, seconds in peers.items():
            seconds += peer_epochs(case, data, EPOCHS[case], name)
    median = statistics.median(ours)
    share = 3 * figures["macs"] * images / median / peak
    rows = [{"case": case, "ours": median, "peer": statistics.median(seconds), "peer_name": name, "unit": "s"}
            for name, seconds in peers.items()]
    return rows + [{"case": f"{case}, share of sgemm's peak", "ours": 100 * share, "unit": "%"}]


def input_wait(folder, data):
    rows, _ = our_epochs(folder, "cnn", data, EPOCHS["cnn"], AUGMENTATION)
    share = statistics.median(row["input_wait_seconds"] / row["seconds"] for row in rows)
    return {"case": "cnn with augmentation, waiting for input", "ours": 100 * share, "unit": "%"}


def beside_a_busy_core(folder, data, turns):
    """Peer: the same epoch on the quiet machine."""
    quiet, busy = [], []
    for _ in range(turns):
        quiet += [row["seconds"] for row in our_epochs(folder, "cnn", data, EPOCHS["cnn"])[0]]
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as spinner:
            try:
                busy += [row["seconds"] for row in our_epochs(folder, "cnn", data, EPOCHS["cnn"])[0]]
            finally:
                spinner.kill()
    return {"case": "cnn, another process keeps one core busy", "ours": statistics.median(busy),
            "peer": statistics.median(quiet), "peer_name": "the same, quiet", "unit": "s"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--cases", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--turns", type=int, default=3, help="processes of each side and case, in turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coppice-train-") as temporary:
        folder = pathlib.Path(temporary)
        fashion = import_data(folder, ROOT / "datasets/fashion-mnist.yaml", "test")
        data = {"cnn": fashion, "mlp": fashion, "resnet20": made_images(folder, 6400)}
        peak = sgemm_peak()
        rows = [{"case": "sgemm on all cores", "ours": 2 * peak / 1e9, "unit": "GFLOP/s"}]
        for case in options.cases:
            rows += compare(case, folder, data[case], options.turns, peak)
        if "cnn" in options.cases:
            rows += [input_wait(folder, fashion), beside_a_busy_core(folder, fashion, options.turns)]
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {error.cmd[0]} ended with {error.returncode}")
