#!/usr/bin/python3
"""Times int8 and fp32 networks, one sample at a time on one thread, beside ONNX Runtime on the same exported files.

Ours is `coppice model bench` with the backend `auto`; the peer's network stands inside an ONNX Loop (peers/onnx_loop.py), so that
its JavaScript call is not counted. Both take turns; a time is the 10th percentile of means over some 10 ms, since what else runs
on the hardware only adds to it. Inputs are standardised
floats: no preprocessing is in the files. --case NAME (again for more), --rounds N, --seconds S (of each side and round).
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build" / "release"))
COPPICE = BUILD / "bin" / "coppice"
PEER = BUILD / "peers" / "onnxruntime"
MODELS = BUILD / "bench-models" / "runtime"
PEER_VERSION = "1.30"
BLOCK_US = 10_000

NETWORKS = {
    "cnn": ["cnn", "--set", "input.shape=[1,28,28]"],
    "resnet20": ["resnet", "--set", "model.depth=3", "--set", "input.shape=[3,32,32]"],
    "dscnn": ["ds_cnn", "--set", "input.shape=[1,49,10]", "--set", "input.classes=12"],
    "mobilenetv2": ["mobilenet_v2", "--set", "model.width_multiplier=0.5", "--set", "model.stem=imagenet",
                    "--set", "input.shape=[3,96,96]"],
    "mlp": ["mlp", "--set", "model.widths=[256,128]", "--set", "input.shape=[784]"],
}


def say(text):
    print(text, file=sys.stderr)


def export(network, kind):
    file = MODELS / f"{network}-{kind}.onnx"
    command = [str(COPPICE), "model", "export", *NETWORKS[network], "--set", "input.dtype=f32", "--out", str(file)]
    if kind == "int8":
        command += ["--int8", "--calibrate", "random"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return file


def prepare_peer():
    """Whether ONNX Runtime is there, got by npm if need be."""
    if (PEER / "node_modules" / "onnxruntime-node").exists():
        return True
    if shutil.which("node") is None or shutil.which("npm") is None:
        say("without node and npm there is no peer: its columns stay empty")
        return False
    PEER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(PEER),
               f"onnxruntime-node@{PEER_VERSION}"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        say("npm did not get onnxruntime-node: the peer's columns stay empty")
        return False
    return True


def in_loop(file):
    """The network inside a Loop, and the same Loop without it; None where python3-onnx lacks."""
    command = [sys.executable, str(ROOT / "bench/peers/onnx_loop.py"), str(file)]
    if subprocess.run(command, check=False).returncode != 0:
        say("the peer's models were not made (python3-onnx is needed): its columns stay empty")
        return None
    return file.with_suffix(".loop.onnx"), file.with_suffix(".idle.onnx")


def blocks(times_us):
    """Means over consecutive runs that together take BLOCK_US."""
    means, total, count = [], 0.0, 0
    for time in times_us:
        total, count = total + time, count + 1
        if total >= BLOCK_US:
            means.append(total / count)
            total, count = 0.0, 0
    return means or [total / count]


def undisturbed(times):
    return sorted(times)[len(times) // 10]


def bench(file, runs):
    command = [str(COPPICE), "model", "bench", str(file), "--json", "--keep-times", "--rounds", "1", "--runs", str(runs)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["cases"][0]


def peer_times(loops, seconds):
    """Microseconds of an iteration with the network and without it."""
    command = ["node", str(ROOT / "bench/peers/onnxruntime_loop.mjs"), str(PEER), str(seconds), *map(str, loops)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def peak_gmacs():
    """What VNNI reaches here, in GMAC/s, or None."""
    program = BUILD / "bench" / "runtime" / "vnni_peak"
    out = MODELS / "peak.json"
    if not program.exists() or subprocess.run([str(program), "--out", str(out)], check=False).returncode != 0:
        return None
    rows = json.loads(out.read_text())
    return rows[0]["ours"] if rows else None


def convolution_share(cases, peaks):
    """GMAC/s over the convolutions' steps alone, by the peak."""
    rates = []
    for case in cases:
        micros = sum(layer["us"] for layer in case["layers"] if layer["work"].startswith("convolution"))
        rates.append(case["macs"] / micros / 1e3 if micros > 0 else 0)
    return max(rates) / max(peaks)


def measure(name, file, loops, options):
    runs = max(50, int(options.seconds * 1e6 / bench(file, 50)["median_us"]))
    ours, peer, idle, cases, peaks = [], [], [], [], []
    for _ in range(options.rounds):
        cases.append(bench(file, runs))
        ours += blocks(cases[-1].pop("times_us"))
        if loops is not None:
            times = peer_times(loops, options.seconds)
            peer += times["network"]
            idle += times["idle"]
        if name == "resnet20-int8":
            peaks.append(peak_gmacs())
    row = {"case": name, "ours": undisturbed(ours), "unit": "us"}
    if loops is not None:
        row.update(peer=undisturbed(peer) - undisturbed(idle), peer_name="onnxruntime")
    rows = [row]
    if peaks and None not in peaks:
        rows.append({"case": f"{name}, share of the VNNI peak in its convolutions",
                     "ours": convolution_share(cases, peaks), "unit": "share"})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    names = [f"{network}-{kind}" for network in NETWORKS for kind in ("int8", "fp32")]
    parser.add_argument("--case", action="append", choices=names, help="only this one (again for more)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.15)
    options = parser.parse_args()
    MODELS.mkdir(parents=True, exist_ok=True)
    has_peer = prepare_peer()
    files = {name: export(*name.rsplit("-", 1)) for name in options.case or names}
    loops = {name: in_loop(file) if has_peer else None for name, file in files.items()}
    rows = [row for name, file in files.items() for row in measure(name, file, loops[name], options)]
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd))} ended with {error.returncode}")
