#!/usr/bin/python3
"""Times the stages of the closed loop: one run of configs/loop/fashion-mnist.yaml, nothing found finished.

Training is compared with the same training in Python's torch (bench/peers/train_cnn.py), per epoch; the other stages have
no peer. Arguments besides --out go to `coppice run` (--set data.train=2000).
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build" / "release"))
PEER_EPOCHS = 2


def run_loop(folder, arguments):
    command = [str(BUILD / "bin" / "coppice"), "run", str(ROOT / "configs/loop/fashion-mnist.yaml"),
               "--out", str(folder), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    summary = json.loads((folder / "summary.json").read_text())
    if "stages" not in summary:
        sys.exit("error: summary.json of the run holds no times of stages")
    return summary


def training_data(folder, stage):
    """The data-set version that a stage's job trained on."""
    job = next((folder / "stages").glob(f"{stage}-*/job.yaml"))
    return yaml.safe_load(job.read_text())["inputs"]["train"]


def peer_seconds(data, job, teacher):
    """Seconds per epoch of the peer, or None where it can't run."""
    model, train = job["model"], job["train"]
    command = [sys.executable, str(ROOT / "bench/peers/train_cnn.py"), "--data", data, "--epochs", str(PEER_EPOCHS),
               "--batch-size", str(train["batch_size"]), "--dropout", str(model["dropout"]),
               "--label-smoothing", str(train["label_smoothing"]), "--widths", *map(str, model["widths"])]
    if teacher is not None:
        command += ["--teacher-widths", *map(str, teacher["model"]["widths"])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        print("the peer did not run: its columns stay empty (python3-torch and python3-h5py are needed)", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def comparable(job):
    """The peer knows one pass over the data by the CNN with one convolution a stage."""
    return job["model"]["name"] == "cnn" and job["model"]["depth"] == 1 and job["train"]["steps_per_epoch"] == 0


def training_row(name, seconds, folder, config, teacher):
    job = config[name]
    row = {"case": f"{name}, one epoch", "ours": seconds / job["train"]["epochs"], "unit": "s"}
    if comparable(job):
        peer = peer_seconds(training_data(folder, name), job, teacher)
        if peer is not None:
            row.update(peer=peer["seconds_per_epoch"], peer_name=f"PyTorch {peer['torch']}, threads: {peer['threads']}")
    return row


def mean_row(case, values):
    return [{"case": case, "ours": sum(values) / len(values), "unit": "s"}] if values else []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    options, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="coppice-loop-") as temporary:
        folder = pathlib.Path(temporary) / "run"
        summary = run_loop(folder, arguments)
        config = yaml.safe_load((folder / "config.yaml").read_text())
        stages = summary["stages"]
        rows = []
        for name in ("import", "teacher", "student", "prune", "recover", "quantise", "gate"):
            if name in ("teacher", "student"):
                rows.append(training_row(name, stages[name], folder, config, config["teacher"] if name == "student" else None))
            elif name in stages:
                rows.append({"case": name, "ours": stages[name], "unit": "s"})
        rows += mean_row("a simulated day, mean", [t for name, t in stages.items() if name.startswith("day-")])
        retrainings = {}
        for name, seconds in stages.items():
            if name.startswith("retrain-"):
                tag = "-".join(name.split("-")[:2])
                retrainings[tag] = retrainings.get(tag, 0) + seconds
        rows += mean_row("a retraining, mean", list(retrainings.values()))
        rows.append({"case": "the whole loop", "ours": summary["figures"]["wall_seconds"], "unit": "s"})
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: coppice {error.cmd[1]} ended with {error.returncode}")
