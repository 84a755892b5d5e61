#!/usr/bin/python3
"""Times backend `auto` beside the best single backend, one sample at a time on one thread: the networks of runtime/latency.

All backends take turns, each time in a process of its own; a time is the 10th percentile of means over some 10 ms. `auto` measures
in its first process and remembers its choice for the others, in a file made for this run. --case NAME (again for more), --rounds N,
--runs N.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import _peer
import latency

BACKENDS = ("onednn", "xnnpack")
LIMIT = 1.03


def measure(file, options, cache):
    command = [str(latency.COPPICE), "model", "bench", str(file), "--json", "--keep-times", "--cache", str(cache),
               "--rounds", str(options.rounds), "--runs", str(options.runs)]
    for backend in ("auto", *BACKENDS):
        command += ["--backend", backend]
    cases = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["cases"]
    times = {case["asked"]: latency.undisturbed(latency.blocks(case["times_us"])) for case in cases if "error" not in case}
    auto = next(case for case in cases if case["asked"] == "auto")
    return auto, times.pop("auto"), times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    names = [f"{network}-{kind}" for network in latency.NETWORKS for kind in ("int8", "fp32")]
    parser.add_argument("--case", action="append", choices=names, help="only this one (again for more)")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--runs", type=int, default=2000)
    options = parser.parse_args()
    latency.MODELS.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="coppice-auto-") as scratch:
        for name in options.case or names:
            file = latency.export(*name.rsplit("-", 1))
            auto, ours, others = measure(file, options, pathlib.Path(scratch) / "engine.json")
            best = min(others, key=others.get)
            _peer.say(f"{name}: {auto['backend']} ({auto['reason']})")
            if ours > LIMIT * others[best]:
                _peer.say(f"{name}: auto is more than {LIMIT - 1:.0%} slower than {best}")
            rows.append({"case": name, "ours": ours, "peer": others[best], "peer_name": f"the best: {best}", "unit": "us"})
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd))} ended with {error.returncode}")
