#!/usr/bin/python3
"""The usual way to train the loop's CNN: Python's torch, its default threads, the whole data set in memory.

The same network, batches, optimiser, augmentation (flip, shift by up to 2 pixels) and, with --teacher-widths, the same
distillation as the jobs of configs/loop; the teacher's weights are random, which costs the same time. Prints a line of JSON:
seconds_per_epoch (mean, without reading the data and without a few batches to warm up), images, torch, threads.
"""
import argparse
import json
import time

import h5py
import torch
from torch import nn
from torch.nn import functional as F


def make_cnn(widths, classes, mean, std, dropout):
    class Normalise(nn.Module):
        def forward(self, x):
            return (x.float() - mean) / std

    layers, channels = [Normalise()], 1
    for stage, width in enumerate(widths):
        if stage > 0:
            layers.append(nn.MaxPool2d(2))
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes)]
    return nn.Sequential(*layers)


def augment(images, most=2):
    """Flips half of the batch and moves every image by whole pixels, zeros coming in."""
    n, _, height, width = images.shape
    flipped = torch.where((torch.rand(n) < 0.5)[:, None, None, None], images.flip(3), images)
    padded = F.pad(flipped, (most, most, most, most))
    rows = torch.randint(0, 2 * most + 1, (n, 1, 1)) + torch.arange(height)[None, :, None]
    columns = torch.randint(0, 2 * most + 1, (n, 1, 1)) + torch.arange(width)[None, None, :]
    return padded[torch.arange(n)[:, None, None], 0, rows, columns].unsqueeze(1)


def train_epoch(student, teacher, optimizer, schedule, images, labels, options, batches=None):
    order = torch.randperm(len(images))[: None if batches is None else batches * options.batch_size]
    for start in range(0, len(order), options.batch_size):
        index = order[start:start + options.batch_size]
        batch = augment(images[index])
        logits = student(batch)
        loss = F.cross_entropy(logits, labels[index], label_smoothing=options.label_smoothing)
        if teacher is not None:
            t = options.temperature
            with torch.no_grad():
                target = F.log_softmax(teacher(batch) / t, 1)
            soft = F.kl_div(F.log_softmax(logits / t, 1), target, reduction="batchmean", log_target=True) * t * t
            loss = (1 - options.alpha) * loss + options.alpha * soft
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="data-set version (HDF5)")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--teacher-widths", type=int, nargs="+")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--label-smoothing", type=float, default=0.0)
    parser.add_argument("--temperature", type=float, default=4.0)
    parser.add_argument("--alpha", type=float, default=0.7)
    options = parser.parse_args()

    torch.manual_seed(1)
    with h5py.File(options.data, "r") as file:
        images, labels = torch.from_numpy(file["samples"][:]), torch.from_numpy(file["labels"][:])
        classes = len(json.loads(file.attrs["schema"])["class_names"])
    mean, std = images.float().mean().item(), images.float().std().item()
    student = make_cnn(options.widths, classes, mean, std, options.dropout)
    teacher = None
    if options.teacher_widths:
        teacher = make_cnn(options.teacher_widths, classes, mean, std, 0.0).eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    steps = -(-len(images) // options.batch_size)
    warm_up = 4
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=steps * options.epochs + warm_up + 1)
    student.train()
    train_epoch(student, teacher, optimizer, schedule, images, labels, options, batches=warm_up)
    start = time.perf_counter()
    for _ in range(options.epochs):
        train_epoch(student, teacher, optimizer, schedule, images, labels, options)
    seconds = (time.perf_counter() - start) / options.epochs
    print(json.dumps({"seconds_per_epoch": seconds, "images": len(images), "torch": torch.__version__,
                      "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
