#!/usr/bin/python3
"""Writes optimizer_reference.h: what torch.optim makes of given gradients, step by step.

Run by hand when an optimiser is added: tests/train/make_optimizer_reference.py > tests/train/optimizer_reference.h
"""
import random

import torch

STEPS = 50
START = [0.5, -0.25, 0.0, 0.75]
DRAW = random.Random(1)
GRADIENTS = [[round(DRAW.gauss(0, 1) * 10 ** DRAW.uniform(-2, 0.5), 6) for _ in START] for _ in range(STEPS)]
RATES = [round(0.01 * DRAW.uniform(0.1, 1), 6) for _ in range(STEPS)]
SGD, ADAM, ADAMW, RMSPROP = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop
CASES = [
    ("sgd", "plain", SGD, dict(momentum=0.0)),
    ("sgd", "momentum", SGD, dict(momentum=0.9, weight_decay=0.01)),
    ("sgd", "nesterov", SGD, dict(momentum=0.8, nesterov=True, weight_decay=0.001)),
    ("adam", "adam", ADAM, dict(betas=(0.9, 0.999), eps=1e-8)),
    ("adam", "adam_decay", ADAM, dict(betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)),
    ("adam", "adam_short_memory", ADAM, dict(betas=(0.5, 0.6), eps=1e-3)),
    ("adamw", "adamw", ADAMW, dict(betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1)),
    ("rmsprop", "rmsprop", RMSPROP, dict(alpha=0.99, eps=1e-8, momentum=0.0)),
    ("rmsprop", "rmsprop_momentum", RMSPROP, dict(alpha=0.9, eps=1e-6, momentum=0.7, weight_decay=0.01)),
    ("rmsprop", "rmsprop_centered", RMSPROP, dict(alpha=0.95, eps=1e-3, momentum=0.5, centered=True)),
]


def run(optimizer, options):
    value = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    rule = optimizer([value], lr=1.0, **{"weight_decay": 0.0, **options})
    path = []
    for rate, gradient in zip(RATES, GRADIENTS):
        rule.param_groups[0]["lr"] = rate
        value.grad = torch.tensor(gradient, dtype=torch.float64)
        rule.step()
        path.append(value.detach().tolist())
    return path


def numbers(values):
    return ", ".join("%.10g" % v for v in values)


def table(rows):
    return "{{\n" + "".join("    {%s},\n" % numbers(row) for row in rows) + "}}"


def main():
    print("// Written by make_optimizer_reference.py with torch", torch.__version__.split("+")[0] + ".")
    print("// clang-format off")
    print("#pragma once\n\n#include <array>\n#include <string_view>\n")
    print("namespace coppice::train::reference {\n")
    print("using Values = std::array<double, %d>;" % len(START))
    print("using Path = std::array<Values, %d>;\n" % STEPS)
    print("inline constexpr Values kStart{%s};" % numbers(START))
    print("inline constexpr std::array<double, %d> kRates{%s};" % (STEPS, numbers(RATES)))
    print("inline constexpr Path kGradients" + table(GRADIENTS) + ";\n")
    print("struct Case {\n  std::string_view optimizer;\n  std::string_view name;\n  double momentum;\n  bool nesterov;")
    print("  double beta1;\n  double beta2;\n  double alpha;\n  bool centered;\n  double epsilon;\n  double weight_decay;")
    print("  Path path;  ///< the values after each step\n};\n")
    print("inline constexpr std::array<Case, %d> kCases{{" % len(CASES))
    for name, case, optimizer, options in CASES:
        b1, b2 = options.get("betas", (0.9, 0.999))
        print('{"%s", "%s", %r, %s, %r, %r, %r, %s, %r, %r, %s},' % (
            name, case, options.get("momentum", 0.0), str(options.get("nesterov", False)).lower(), b1, b2,
            options.get("alpha", 0.99), str(options.get("centered", False)).lower(), options.get("eps", 1e-8),
            options.get("weight_decay", 0.0), table(run(optimizer, options))))
    print("}};\n\n}  // namespace coppice::train::reference")


if __name__ == "__main__":
    main()
