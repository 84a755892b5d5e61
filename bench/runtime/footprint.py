#!/usr/bin/python3
"""What coppice-edge costs a device, beside its limits: bytes on disk, time to the first prediction, resident memory.

Bytes: the program (stripped) and every shared library that it loads, less what Debian's smallest system has (packages that are essential or
of priority required, and all that they depend on: debootstrap --variant=minbase). With oneDNN: its own files on top. Time: from
starting the process until it has ended, with a signed ResNet-20 and one image, the files in the page cache; the median.
Memory: the most that was resident while it predicts many images. The backend is xnnpack; --backend NAME takes another.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build" / "release"))
COPPICE, EDGE = BUILD / "bin" / "coppice", BUILD / "bin" / "coppice-edge"
SIGN = BUILD / "bench-tools" / "sign_model"
RESNET20 = ["resnet", "--set", "model.depth=3", "--set", "input.shape=[3,32,32]"]
SIDE = 32


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def base_packages():
    """Names of the packages that the smallest Debian system has."""
    fields = "${Package}\t${Essential}\t${Priority}\t${Depends}, ${Pre-Depends}\t${Provides}\n"
    needs, providers, base = {}, {}, []
    for line in output("dpkg-query", "-W", "-f", fields).splitlines():
        name, essential, priority, depends, provides = line.split("\t")
        needs[name] = [[re.split(r"[ :(]", choice.strip())[0] for choice in group.split("|")]
                       for group in depends.split(",") if group.strip()]
        for provided in provides.split(","):
            providers.setdefault(re.split(r"[ (]", provided.strip())[0], name)
        if essential == "yes" or priority == "required":
            base.append(name)
    found = set()
    while base:
        name = base.pop()
        if name not in found:
            found.add(name)
            for group in needs[name]:  # of alternatives the first that is installed
                known = [needs.get(choice) is not None and choice or providers.get(choice) for choice in group]
                base.extend([choice for choice in known if choice][:1])
    return found


def libraries(file):
    """Every library that the loader maps for a program or library."""
    paths = re.findall(r"(/\S+) \(0x", output("ldd", str(file)))
    return {pathlib.Path(path).resolve() for path in paths}


def owner(library):
    """The package of a file, or None."""
    for path in (library, pathlib.Path(str(library).removeprefix("/usr"))):
        found = subprocess.run(["dpkg-query", "-S", str(path)], capture_output=True, text=True, check=False).stdout
        if found:
            return found.split(":")[0]
    return None


def brought(files, base):
    """Bytes by name of the files that do not come with the base system."""
    return {file.name: file.stat().st_size for file in sorted(files) if owner(file) not in base}


def one_image(file):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"".join(b"\0" + bytes((x * y * (c + 1)) % 256 for x in range(SIDE) for c in range(3)) for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def release_of(kind, folder):
    model = folder / f"{kind}.onnx"
    extra = ["--int8", "--calibrate", "random"] if kind == "int8" else []
    output(str(COPPICE), "model", "export", *RESNET20, "--out", str(model), *extra)
    output(str(SIGN), str(model), str(folder / kind))
    return folder / kind


def command_for(release, images, backend, cache):
    key = next((release / "keys").glob("*.pub"))
    return [str(EDGE), "run", "--release", str(release / "release"), "--key", str(key), "--images", str(images),
            "--backend", backend, "--cache", str(cache)]


def milliseconds_to_first(command, repeats):
    times = []
    for _ in range(repeats + 3):
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times[3:])


def peak_bytes(command):
    """The kernel's high-water mark, read while the process runs: rusage would count ours before the exec."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            mark = re.search(r"VmHWM:\s+(\d+) kB", status)
            if mark and pathlib.Path(f"/proc/{process.pid}/exe").exists():
                peak = max(peak, 1024 * int(mark[1]))
            time.sleep(0.001)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak


def row(case, ours, limit, unit):
    return {"case": case, "ours": ours, "peer": limit, "peer_name": "limit", "unit": unit}


def sizes():
    base = base_packages()
    with tempfile.TemporaryDirectory(prefix="coppice-footprint-") as scratch:
        stripped = pathlib.Path(scratch) / EDGE.name
        subprocess.run(["strip", "-o", str(stripped), str(EDGE)], check=True)  # as a package ships it
        files = {EDGE.name: stripped.stat().st_size}
    files.update(brought(libraries(EDGE), base))
    for name, size in sorted(files.items(), key=lambda item: -item[1]):
        print(f"{size / 1e6:8.3f} MB  {name}", file=sys.stderr)
    rows = [row("coppice-edge and its libraries", sum(files.values()) / 1e6, 12, "MB")]
    library = [pathlib.Path(path) for path in re.findall(r"libdnnl\.so\.\d+ .*=> (/\S+)", output("/sbin/ldconfig", "-p"))]
    if library:
        more = brought(libraries(library[0]) | {library[0].resolve()}, base)
        more = {name: size for name, size in more.items() if name not in files}
        rows.append({"case": "oneDNN on top, where it is installed", "ours": sum(more.values()) / 1e6, "unit": "MB"})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--backend", default="xnnpack")
    parser.add_argument("--repeats", type=int, default=31)
    options = parser.parse_args()
    rows = sizes()
    with tempfile.TemporaryDirectory(prefix="coppice-footprint-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "one").mkdir()
        (folder / "many").mkdir()
        one_image(folder / "one" / "image.png")
        for i in range(1000):
            os.link(folder / "one" / "image.png", folder / "many" / f"{i}.png")
        for kind in ("fp32", "int8"):
            release = release_of(kind, folder)
            cache = folder / "engine.json"
            first = milliseconds_to_first(command_for(release, folder / "one", options.backend, cache), options.repeats)
            memory = peak_bytes(command_for(release, folder / "many", options.backend, cache)) / 1e6
            rows.append(row(f"start to first prediction, ResNet-20 {kind}", first, 30, "ms"))
            rows.append(row(f"resident memory, ResNet-20 {kind}", memory, 25, "MB"))
    pathlib.Path(options.out).write_text(json.dumps(rows))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd))} ended with {error.returncode}")
