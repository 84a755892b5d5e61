#!/usr/bin/python3
"""Writes fake_quantise_reference.h: values and gradients of PyTorch's fake quantisers.

Run by hand: tests/train/make_fake_quantise_reference.py > tests/train/fake_quantise_reference.h
"""
import torch

torch.manual_seed(3)


def literal(value):
    text = f"{value:.9g}"
    return text + ("F" if "." in text or "e" in text else ".0F")


def row(values):
    return "{" + ", ".join(literal(v) for v in values.flatten().tolist()) + "}"


def array(name, values):
    print(f"inline constexpr std::array<float, {values.numel()}> {name}{row(values)};")


x = torch.randn(3, 8) * 2
x[0, 0] = 0.0
scale = torch.tensor([0.02, 0.011, 0.017])
dy = torch.randn(3, 8)
activation = torch.randn(24) * 2
step = torch.tensor([0.009])
da = torch.randn(24)

print(f"// Written by make_fake_quantise_reference.py with torch {torch.__version__}.")
print("""// clang-format off
#pragma once

#include <array>

namespace coppice::train::reference {

/// Weights [3, 8] with a scale for each row, integers from -127 to 127; activations with one scale, from 0 to 255.
""")
array("kWeight", x)
array("kWeightScale", scale)
array("kWeightUpstream", dy)

w = x.clone().requires_grad_()
torch.fake_quantize_per_channel_affine(w, scale, torch.zeros(3, dtype=torch.int32), 0, -127, 127).backward(dy)
array("kWeightRounded", torch.fake_quantize_per_channel_affine(x, scale, torch.zeros(3, dtype=torch.int32), 0, -127, 127))
array("kWeightGradient", w.grad)

factor = 1 / (8 * 127) ** 0.5
w = x.clone().requires_grad_()
s = scale.clone().requires_grad_()
torch._fake_quantize_learnable_per_channel_affine(w, s, torch.zeros(3), 0, -127, 127, factor).backward(dy)
array("kLearnedWeightGradient", w.grad)
array("kWeightScaleGradient", s.grad)

array("kActivation", activation)
array("kActivationStep", step)
array("kActivationUpstream", da)
a = activation.clone().requires_grad_()
s = step.clone().requires_grad_()
y = torch._fake_quantize_learnable_per_tensor_affine(a, s, torch.zeros(1), 0, 255, 1 / (24 * 255) ** 0.5)
y.backward(da)
array("kActivationRounded", y.detach())
array("kActivationGradient", a.grad)
array("kStepGradient", s.grad)
print("\n}  // namespace coppice::train::reference")
