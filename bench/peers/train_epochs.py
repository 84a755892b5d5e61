#!/usr/bin/python3
"""Times epochs of plain training in Python's torch: a batch is indexed from memory, forward, backward, SGD with momentum.

The same networks, batches and optimiser as the jobs of bench/train/epochs.py. Prints a line of JSON: seconds (of each epoch),
loss (mean of the last epoch), torch, threads.
"""
import argparse
import json
import time

import h5py
import torch
from torch import nn
from torch.nn import functional as F


class Normalise(nn.Module):
    def __init__(self, images):
        super().__init__()
        pixels = images[:1000].float()
        dims = [0, 2, 3]
        self.mean = pixels.mean(dims, keepdim=True)
        self.std = pixels.std(dims, keepdim=True)

    def forward(self, x):
        return (x.float() - self.mean) / self.std


def conv_bn_relu(inputs, outputs, stride=1):
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def make_cnn(images, classes, widths=(16, 32, 64)):
    layers, channels = [Normalise(images)], images.shape[1]
    for stage, width in enumerate(widths):
        layers += ([nn.MaxPool2d(2)] if stage > 0 else []) + conv_bn_relu(channels, width)
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def make_mlp(images, classes, widths=(100, 100)):
    layers, features = [Normalise(images), nn.Flatten()], images[0].numel()
    for width in widths:
        layers += [nn.Linear(features, width), nn.ReLU()]
        features = width
    return nn.Sequential(*layers, nn.Linear(features, classes))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(*conv_bn_relu(inputs, outputs, stride),
                                  nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def make_resnet20(images, classes):
    layers, channels = [Normalise(images), *conv_bn_relu(images.shape[1], 16)], 16
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        for block in range(3):
            layers.append(Residual(channels, width, stride if block == 0 else 1))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


NETWORKS = {"cnn": make_cnn, "mlp": make_mlp, "resnet20": make_resnet20}


def epoch(network, optimizer, images, labels, batch_size):
    total = 0.0
    order = torch.randperm(len(images))
    for start in range(0, len(order), batch_size):
        index = order[start:start + batch_size]
        loss = F.cross_entropy(network(images[index]), labels[index])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(index)
    return total / len(images)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="an HDF5 data-set version: samples u8 [n, c, h, w], labels")
    parser.add_argument("--network", choices=NETWORKS, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=0, help="0: torch's default")
    options = parser.parse_args()
    torch.manual_seed(1)
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    with h5py.File(options.data) as file:
        images = torch.from_numpy(file["samples"][:])
        labels = torch.from_numpy(file["labels"][:]).long()
    network = NETWORKS[options.network](images, int(labels.max()) + 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    seconds = []
    for _ in range(options.epochs):
        start = time.perf_counter()
        loss = epoch(network, optimizer, images, labels, options.batch_size)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds, "loss": loss, "torch": torch.__version__, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
