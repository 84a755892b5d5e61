"""Loads every exported module below a folder as a user does and compares what it computes.

python3 check_torchscript.py FOLDER: each sub-folder holds model.pt, case.json, input<i>.raw and output<i>.raw.
"""
import json
import pathlib
import sys

import numpy
import torch

TYPES = {"f32": numpy.float32, "u8": numpy.uint8, "i8": numpy.int8}


def read(folder, name, port):
    values = numpy.fromfile(folder / name, TYPES[port["dtype"]])
    return torch.from_numpy(values.reshape(port["shape"]))


def check(folder):
    case = json.loads((folder / "case.json").read_text())
    module = torch.jit.load(str(folder / "model.pt"))
    inputs = [read(folder, f"input{i}.raw", port) for i, port in enumerate(case["inputs"])]
    with torch.no_grad():
        outputs = module(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    worst = 0.0
    assert len(outputs) == len(case["outputs"]), "number of outputs"
    for i, (output, port) in enumerate(zip(outputs, case["outputs"])):
        expected = read(folder, f"output{i}.raw", port)
        assert output.dtype == expected.dtype and output.shape == expected.shape, (output.dtype, output.shape)
        assert torch.equal(torch.isnan(output), torch.isnan(expected)), "missing values"
        output, expected = output.double().nan_to_num(), expected.double().nan_to_num()
        worst = max(worst, float((output - expected).abs().max() / expected.abs().max().clamp(min=1e-30)))
    assert worst <= 1e-5, f"outputs differ by {worst}"
    assert list(module.class_names) == case["class_names"], "class names"
    assert not module.training
    assert sum(p.numel() for p in module.parameters()) == case["parameters"], "parameters"
    if case["parameters"]:  # it can be trained on
        module.train()
        result = module(*inputs)
        (result[0] if isinstance(result, tuple) else result).square().mean().backward()
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
    return worst


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    for folder in sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_dir()):
        try:
            print(f"{folder.name} {check(folder):.2e}")
        except Exception as error:  # the name of the case belongs to every failure
            sys.exit(f"{folder.name}: {error}")
