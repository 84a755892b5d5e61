#!/usr/bin/python3
"""Writes optimizer_reference.h: what torch.optim makes of given gradients.

Run by hand when an optimiser is added: tests/train/make_optimizer_reference.py > tests/train/optimizer_reference.h
"""
import torch

START = [0.5, -1.25, 2.0, 0.0, -0.03125, 3.5]
GRADIENTS = [
    [0.1, -0.2, 0.3, -0.4, 0.5, -0.6],
    [-0.25, 0.5, 0.0, 1.0, -1.5, 0.75],
    [0.03, 0.02, -0.01, 0.0, 0.04, -0.05],
    [1.0, 1.0, -1.0, 2.0, 0.5, -2.0],
    [0.0, -0.3, 0.6, 0.9, -1.2, 0.15],
]
RATES = [0.1, 0.05, 0.2, 0.1, 0.01]
CASES = [
    ("sgd", "plain", torch.optim.SGD, dict(), dict(momentum=0.0, nesterov=False, weight_decay=0.0)),
    ("sgd", "momentum", torch.optim.SGD, dict(), dict(momentum=0.9, nesterov=False, weight_decay=0.01)),
    ("sgd", "nesterov", torch.optim.SGD, dict(), dict(momentum=0.8, nesterov=True, weight_decay=0.001)),
    ("adam", "adam", torch.optim.Adam, dict(betas=(0.9, 0.999), eps=1e-8), dict(weight_decay=0.01)),
    ("adam", "adam_short_memory", torch.optim.Adam, dict(betas=(0.5, 0.6), eps=1e-3), dict(weight_decay=0.0)),
    ("adamw", "adamw", torch.optim.AdamW, dict(betas=(0.9, 0.99), eps=1e-8), dict(weight_decay=0.1)),
]


def run(optimizer, options):
    value = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    rule = optimizer([value], lr=1.0, **options)
    for rate, gradient in zip(RATES, GRADIENTS):
        rule.param_groups[0]["lr"] = rate
        value.grad = torch.tensor(gradient, dtype=torch.float64)
        rule.step()
    return value.detach().tolist()


def numbers(values):
    return ", ".join(repr(float(v)) for v in values)


def main():
    print("// Written by make_optimizer_reference.py with torch", torch.__version__.split("+")[0] + ".")
    print("#pragma once\n\n#include <array>\n#include <string_view>\n")
    print("namespace coppice::train::reference {\n")
    print("inline constexpr std::array<double, %d> kStart{%s};" % (len(START), numbers(START)))
    print("inline constexpr std::array<double, %d> kRates{%s};" % (len(RATES), numbers(RATES)))
    print("inline constexpr std::array<std::array<double, %d>, %d> kGradients{{" % (len(START), len(GRADIENTS)))
    for gradient in GRADIENTS:
        print("    {%s}," % numbers(gradient))
    print("}};\n")
    print("struct Case {\n  std::string_view optimizer;\n  std::string_view name;\n  double momentum;\n  bool nesterov;")
    print("  double beta1;\n  double beta2;\n  double epsilon;\n  double weight_decay;\n  std::array<double, %d> end;\n};\n" % len(START))
    print("inline constexpr std::array<Case, %d> kCases{{" % len(CASES))
    for name, case, optimizer, adam, options in CASES:
        end = run(optimizer, {**adam, **options})
        b1, b2 = adam.get("betas", (0.9, 0.999))
        print('    {"%s", "%s", %r, %s, %r, %r, %r, %r, {%s}},' % (
            name, case, options.get("momentum", 0.0), str(options.get("nesterov", False)).lower(), b1, b2,
            adam.get("eps", 1e-8), options["weight_decay"], numbers(end)))
    print("}};\n\n}  // namespace coppice::train::reference")


if __name__ == "__main__":
    main()
