#!/usr/bin/python3
"""Times int8 and fp32 networks, one sample at a time on one thread, beside ONNX Runtime on the same exported files.

Both engines live in a process of their own and take turns of some milliseconds; the peer's network stands inside an ONNX Loop
(peers/onnx_loop.py), so that its JavaScript call is not counted. Of all turns the medians are taken, of the ratio, too: a turn's ratio
compares times that lie next to each other. The share of the VNNI peak comes from turns of its own (bench-tools/vnni_share).
Inputs are standardised floats: no preprocessing is in the files.
--case NAME (again for more), --turns N, --ms M (of each side and turn).
"""
import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys

import _peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build" / "release"))
TURNS = BUILD / "bench-tools" / "engine_turns"
SHARE = BUILD / "bench-tools" / "vnni_share"
COPPICE = BUILD / "bin" / "coppice"
PEER = BUILD / "peers" / "onnxruntime"
MODELS = BUILD / "bench-models" / "runtime"

# Files of a network. In int8 all is in integers, as ONNX Runtime's own quantisation writes it; int8-sums is our quantiser's default,
# where an Add takes one layer's sums before they are rounded: ONNX Runtime then computes that layer in float.
KINDS = ("int8", "fp32")
WITH_ADDS = ("resnet20", "mobilenetv2")

NETWORKS = {
    "cnn": ["cnn", "--set", "input.shape=[1,28,28]"],
    "resnet20": ["resnet", "--set", "model.depth=3", "--set", "input.shape=[3,32,32]"],
    "dscnn": ["ds_cnn", "--set", "input.shape=[1,49,10]", "--set", "input.classes=12"],
    "mobilenetv2": ["mobilenet_v2", "--set", "model.width_multiplier=0.5", "--set", "model.stem=imagenet",
                    "--set", "input.shape=[3,96,96]"],
    "mlp": ["mlp", "--set", "model.widths=[256,128]", "--set", "input.shape=[784]"],
}

# Not in the zoo, float alone: written by python3-onnx, imported and exported again.
RECURRENT = ("lstm", "gru") if importlib.util.find_spec("onnx") else ()


def export(network, kind):
    file = MODELS / f"{network}-{kind}.onnx"
    if network in RECURRENT:
        source = MODELS / f"{network}.onnx"
        importlib.import_module("_recurrent").write(network, source)
        subprocess.run([str(COPPICE), "model", "export", str(source), "--out", str(file)], check=True, stdout=subprocess.DEVNULL)
        return file
    command = [str(COPPICE), "model", "export", *NETWORKS[network], "--set", "input.dtype=f32", "--out", str(file)]
    if kind != "fp32":
        command += ["--int8", "--calibrate", "random", "--set", f"quantise.round_sums={'false' if kind == 'int8-sums' else 'true'}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return file


def in_loop(file):
    """The network inside a Loop, and the same Loop without it; None where python3-onnx lacks."""
    command = [sys.executable, str(ROOT / "bench/peers/onnx_loop.py"), str(file)]
    if subprocess.run(command, check=False).returncode != 0:
        _peer.say("the peer's models were not made (python3-onnx is needed): its columns stay empty")
        return None
    return file.with_suffix(".loop.onnx"), file.with_suffix(".idle.onnx")


class Turns:
    """A process that measures when asked."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)

    def take(self, micros):
        self.process.stdin.write(f"{micros}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise subprocess.CalledProcessError(self.process.wait(), self.process.args)
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def compare(name, file, loops, options):
    """Turns of both sides, each first in half of them."""
    micros = options.ms * 1000
    peer_command = ["node", ROOT / "bench/peers/onnxruntime_turns.mjs", PEER, *loops]
    ours, theirs = [], []
    with Turns([TURNS, file]) as engine, Turns(peer_command) as peer:
        for turn in range(options.turns):
            if turn % 2:
                theirs.append(peer.take(micros))
            ours.append(engine.take(micros))
            if not turn % 2:
                theirs.append(peer.take(micros))
    idle = statistics.median(times["idle"] for times in theirs)
    theirs = [times["network"] - idle for times in theirs]
    return {"case": name, "ours": statistics.median(ours), "peer": statistics.median(theirs), "peer_name": "onnxruntime",
            "ratio": statistics.median(a / b for a, b in zip(ours, theirs)), "unit": "us"}


def alone(name, file, options):
    with Turns([TURNS, file]) as engine:
        return {"case": name, "ours": statistics.median(engine.take(options.ms * 1000) for _ in range(options.turns)), "unit": "us"}


def undisturbed(rates):
    """What one turn in fifty exceeds."""
    return sorted(rates)[-1 - len(rates) // 50]


def vnni_share(name, file, options):
    """Convolutions with VNNI by what the processor reaches with VNNI from registers. What shares the core with us takes from the one
    more than from the other, and never adds: turns of a millisecond alternate in one process, and of each side the rate counts that
    one turn in fifty exceeds, which is the clock's highest step. A turn's rate is itself a median. Where the processor has AMX,
    oneDNN would use that instead and the share mean nothing: it is told not to."""
    command = [str(SHARE), str(file), str(options.turns * 10), "1"]
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}
    rates = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    if not rates:
        return []
    peak, reached = undisturbed(rates["peak"]), undisturbed(rates["convolutions"])
    of_turns = statistics.median(ours / most for ours, most in zip(rates["convolutions"], rates["peak"]))
    _peer.say(f"{name}: {reached:.0f} of {peak:.0f} GMAC/s in undisturbed turns; the median of the turns' shares is {of_turns:.2f}")
    return [{"case": f"{name}, share of the VNNI peak in its convolutions, without AMX", "ours": reached / peak, "unit": "share"}]


def measure(name, file, loops, options):
    rows = [compare(name, file, loops, options) if loops else alone(name, file, options)]
    return rows + (vnni_share(name, file, options) if name == "resnet20-int8" else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    names = [f"{network}-{kind}" for network in NETWORKS for kind in KINDS]
    names += [f"{network}-int8-sums" for network in WITH_ADDS]
    names += [f"{network}-fp32" for network in RECURRENT]
    parser.add_argument("--case", action="append", choices=names, help="only this one (again for more)")
    parser.add_argument("--turns", type=int, default=101)
    parser.add_argument("--ms", type=float, default=8)
    options = parser.parse_args()
    MODELS.mkdir(parents=True, exist_ok=True)
    has_peer = _peer.prepare(PEER)
    files = {name: export(*name.split("-", 1)) for name in options.case or names}
    loops = {name: in_loop(file) if has_peer else None for name, file in files.items()}
    rows = [row for name, file in files.items() for row in measure(name, file, loops[name], options)]
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd))} ended with {error.returncode}")
