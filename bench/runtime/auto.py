#!/usr/bin/python3
"""Times backend `auto` beside the best single backend, one sample at a time on one thread: the networks of runtime/latency.

Every backend lives in a process of its own, and all take turns of a millisecond, shorter than a time slice, in an order drawn for
every round of them. The ratio is the median of the rounds' ratios, so that what else the machine does lies on both halves. Several
processes follow each other, as the same code is some per cent faster or slower by where its memory happens to lie: a second
process of the chosen backend (`again`), in turns with the others, shows how much that and the method leave.
`auto` measures before the turns and remembers its choice for them, in a file made for this run. --case NAME (again for more),
--processes N (of each backend), --turns N (of each process), --ms M (of each backend and turn).
"""
import argparse
import collections
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack

import _peer
import latency

BACKENDS = ("onednn", "xnnpack")
LIMIT = 1.03


def choose(file, cache):
    """What `auto` chooses and why; kept in `cache`."""
    command = [str(latency.COPPICE), "model", "bench", str(file), "--json", "--cache", str(cache), "--backend", "auto",
               "--rounds", "1", "--runs", "1"]
    (case,) = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["cases"]
    return case["backend"], case["reason"]


def take_turns(file, sides, cache, options):
    """Microseconds of every turn, by side: side → backend."""
    times = collections.defaultdict(list)
    names = list(sides)
    order = random.Random(7)
    for _ in range(options.processes):
        with ExitStack() as stack:
            engines = {side: stack.enter_context(latency.Turns([latency.TURNS, file, backend, cache])) for side, backend in sides.items()}
            for _ in range(options.turns):
                for side in order.sample(names, len(names)):
                    times[side].append(engines[side].take(options.ms * 1000))
    return times


def ratio(times, side, other):
    return statistics.median(a / b for a, b in zip(times[side], times[other]))


def measure(name, file, cache, options):
    chosen, reason = choose(file, cache)
    _peer.say(f"{name}: {chosen} ({reason})")
    times = take_turns(file, {"auto": "auto", **{backend: backend for backend in BACKENDS}, "again": chosen}, cache, options)
    best = min(BACKENDS, key=lambda backend: statistics.median(times[backend]))
    against_best, noise = ratio(times, "auto", best), ratio(times, "again", chosen)
    _peer.say(f"{name}: auto by {best} {against_best:.3f}, {chosen} by itself {noise:.3f}")
    if against_best > LIMIT:
        _peer.say(f"{name}: auto is more than {LIMIT - 1:.0%} slower than {best}")
    return {"case": name, "ours": statistics.median(times["auto"]), "peer": statistics.median(times[best]),
            "peer_name": f"the best: {best}", "ratio": against_best, "unit": "us"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    names = [f"{network}-{kind}" for network in latency.NETWORKS for kind in latency.KINDS]
    parser.add_argument("--case", action="append", choices=names, help="only this one (again for more)")
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--turns", type=int, default=151)
    parser.add_argument("--ms", type=float, default=1)
    options = parser.parse_args()
    latency.MODELS.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="coppice-auto-") as scratch:
        for name in options.case or names:
            file = latency.export(*name.rsplit("-", 1))
            rows.append(measure(name, file, pathlib.Path(scratch) / "engine.json", options))
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd))} ended with {error.returncode}")
