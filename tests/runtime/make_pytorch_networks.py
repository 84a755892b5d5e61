#!/usr/bin/env python3
"""Writes pytorch/*.onnx, exported by PyTorch 1.13 as its users do it, and pytorch/*.json with an
input of each and what PyTorch makes of it. Run it in this folder; the files are committed."""

import json
import pathlib
import warnings

import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent / "pytorch"


class Net(nn.Module):
    """A forward function over modules that it gets by name."""

    def __init__(self, forward, **modules):
        super().__init__()
        self.run = forward
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x):
        return self.run(self, x)


def classifier(m, x):
    x = m.pool(F.relu(m.norm(m.first(x))))
    x = F.relu(m.second(x))
    return m.head(x.view(x.size(0), -1))


def mobile(m, x):
    x = F.relu6(m.stem(x))
    gate = F.hardsigmoid(m.excite(F.adaptive_avg_pool2d(m.depthwise(x), 1)))
    x = F.hardswish(m.dilated(x * gate))
    return m.head(torch.flatten(m.pool(x), 1))


def series(m, x):
    x = F.leaky_relu(m.norm(m.first(x)), 0.1)
    x = x + F.relu(m.second(x))
    x = m.average(m.maximum(x))
    return m.head(F.adaptive_avg_pool1d(m.up(x), 1).squeeze(-1))


def autoencoder(m, x):
    x = m.prelu(m.down(x))
    return torch.sigmoid(m.last(F.silu(m.norm(m.up(x)))))


def unet(m, x):
    low = F.relu(m.down(m.pool(x)))
    high = F.interpolate(low, scale_factor=2, mode="nearest")
    return m.up(torch.cat([high, m.side(x)], 1))


def shapes(m, x):
    a, b = torch.chunk(m.conv(F.pad(x, (1, 2, 0, 1), mode="reflect")), 2, 1)
    x = F.interpolate(a * b, size=(9, 11), mode="bilinear", align_corners=True)
    x = F.max_pool2d(x, 3, 2, 1, ceil_mode=True)
    x = F.interpolate(F.pad(x, (1, 0), value=0.5), scale_factor=2, mode="bilinear")
    x = F.avg_pool2d(x[:, :, 1:, :-1], 3, 2, 1)
    return (x - x.mean((2, 3), keepdim=True)).permute(0, 2, 3, 1).mean(dim=2)


def mlp(m, x):
    x = m.norm(F.relu(m.first(x)))
    x = m.layer(F.gelu(m.second(x)))
    return torch.softmax(m.head(torch.tanh(x) / 0.5 - 0.25), dim=-1)


def lstm(m, x):
    steps, _ = m.lstm(x)
    return m.head(steps[:, -1])


def gru(m, x):
    _, last = m.gru(x)
    return m.head(last[-1])



def attention(m, x):
    n, t, width = x.shape
    x = m.norm(x)
    q, k, v = (p.view(n, t, 2, width // 2).transpose(1, 2) for p in m.qkv(x).split(width, dim=-1))
    scores = torch.softmax(q @ k.transpose(-2, -1) / (width // 2) ** 0.5, dim=-1)
    x = x + m.out((scores @ v).transpose(1, 2).reshape(n, t, width))
    return m.head(x[:, 0])


def encoder(m, x):
    """Image patches as tokens, as in a small vision transformer."""
    x = m.patches(x).flatten(2).transpose(1, 2) + m.place.value
    return m.head(m.norm(m.layers(x)).mean(dim=1))


def small(m, x):
    x = F.relu(m.norm(m.first(x)))
    x = F.max_pool2d(F.relu(m.second(x)), 2)
    return m.head(torch.flatten(x, 1))


def quantised(m, x):
    def act(y, scale):
        return torch.fake_quantize_per_tensor_affine(y, scale, 0, 0, 255)

    def weight(conv):
        return torch.fake_quantize_per_channel_affine(
            conv.weight, conv.scale, torch.zeros(len(conv.scale), dtype=torch.int32), 0, -128, 127)

    x = act(F.relu(F.conv2d(act(x, 0.01), weight(m.a), m.a.bias, padding=1)), 0.02)
    return F.conv2d(x, weight(m.b), m.b.bias).mean((2, 3))


def place(tokens=5, width=8):
    module = nn.Module()
    module.register_parameter("value", nn.Parameter(torch.randn(1, tokens, width)))
    return module


NETWORKS = {
    "classifier": (13, (1, 9, 8), lambda: Net(
        classifier, first=nn.Conv2d(1, 4, 3, padding=1), norm=nn.BatchNorm2d(4),
        pool=nn.MaxPool2d(2), second=nn.Conv2d(4, 6, 3), head=nn.Linear(24, 3))),
    "mobile": (11, (3, 8, 8), lambda: Net(
        mobile, stem=nn.Conv2d(3, 6, 3, 2, 1, bias=False), depthwise=nn.Conv2d(6, 6, 3, groups=6),
        excite=nn.Conv2d(6, 6, 1), dilated=nn.Conv2d(6, 8, 3, padding=2, dilation=2, groups=2),
        pool=nn.AdaptiveAvgPool2d(1), head=nn.Linear(8, 3))),
    "mobile14": (14, (3, 8, 8), lambda: NETWORKS["mobile"][2]()),
    "series": (12, (3, 20), lambda: Net(
        series, first=nn.Conv1d(3, 4, 3, padding=2, dilation=2), norm=nn.BatchNorm1d(4),
        second=nn.Conv1d(4, 4, 5, padding=2, groups=2), maximum=nn.MaxPool1d(2),
        average=nn.AvgPool1d(3, 2, 1), up=nn.ConvTranspose1d(4, 5, 4, 2, 1),
        head=nn.Linear(5, 3))),
    "autoencoder": (13, (1, 8, 8), lambda: Net(
        autoencoder, down=nn.Conv2d(1, 4, 3, 2, 1), prelu=nn.PReLU(4),
        up=nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1, groups=2),
        norm=nn.BatchNorm2d(6), last=nn.ConvTranspose2d(6, 1, 3, padding=1, dilation=1))),
    "unet": (9, (2, 6, 8), lambda: Net(
        unet, pool=nn.MaxPool2d(2), down=nn.Conv2d(2, 4, 3, padding=1), side=nn.Conv2d(2, 3, 1),
        up=nn.Conv2d(7, 2, 3, padding=1))),
    "shapes": (11, (2, 6, 5), lambda: Net(shapes, conv=nn.Conv2d(2, 6, 2))),
    "shapes16": (16, (2, 6, 5), lambda: NETWORKS["shapes"][2]()),
    "mlp": (17, (7,), lambda: Net(
        mlp, first=nn.Linear(7, 8), norm=nn.BatchNorm1d(8), second=nn.Linear(8, 6),
        layer=nn.LayerNorm(6), head=nn.Linear(6, 4))),
    "mlp13": (13, (7,), lambda: NETWORKS["mlp"][2]()),
    "lstm": (13, (6, 3), lambda: Net(
        lstm, lstm=nn.LSTM(3, 4, batch_first=True, bidirectional=True), head=nn.Linear(8, 2))),
    "gru": (15, (6, 3), lambda: Net(
        gru, gru=nn.GRU(3, 4, num_layers=2, batch_first=True), head=nn.Linear(4, 2))),
    "transformer": (13, (5, 3), lambda: Net(
        lambda m, x: m.head(m.layer(m.embed(x) + m.place.value).mean(1)), embed=nn.Linear(3, 8),
        place=place(), layer=nn.TransformerEncoderLayer(8, 2, 12, batch_first=True),
        head=nn.Linear(8, 2))),
    "encoder": (14, (1, 12, 12), lambda: Net(
        encoder, patches=nn.Conv2d(1, 8, 4, 4), place=place(9), norm=nn.LayerNorm(8),
        layers=nn.TransformerEncoder(nn.TransformerEncoderLayer(
            8, 4, 16, activation="gelu", norm_first=True, batch_first=True), 2),
        head=nn.Linear(8, 4))),
    "encoder17": (17, (1, 12, 12), lambda: NETWORKS["encoder"][2]()),
    "small": (13, (1, 12, 12), lambda: Net(
        small, first=nn.Conv2d(1, 8, 3, 2, 1), norm=nn.BatchNorm2d(8),
        second=nn.Conv2d(8, 8, 3, padding=1), head=nn.Linear(72, 4))),
    "attention": (17, (5, 8), lambda: Net(
        attention, norm=nn.LayerNorm(8), qkv=nn.Linear(8, 24), out=nn.Linear(8, 8),
        head=nn.Linear(8, 2))),
    "quantised": (13, (2, 6, 6), lambda: Net(
        quantised, a=nn.Conv2d(2, 4, 3, padding=1), b=nn.Conv2d(4, 3, 3))),
}


def scatter(module):
    """Norms and slopes that make a difference."""
    for m in module.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            m.running_mean.uniform_(-0.5, 0.5)
            m.running_var.uniform_(0.5, 2)
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.uniform_(m.bias, -0.5, 0.5)
        if isinstance(m, nn.Conv2d):
            m.register_buffer("scale", m.weight.detach().abs().amax(dim=(1, 2, 3)) / 127)
        if isinstance(m, nn.PReLU):
            nn.init.uniform_(m.weight, -0.5, 0.5)


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, (opset, shape, make) in NETWORKS.items():
        torch.manual_seed(1)
        net = make()
        scatter(net)
        net.eval()
        x = torch.rand(3, *shape)
        torch.onnx.export(net, x[:2], str(FOLDER / f"{name}.onnx"), opset_version=opset,
                          input_names=["x"], output_names=["y"],
                          dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
        with torch.no_grad():
            y = net(x)
        values = {key: {"shape": list(t.shape), "values": [float(f"{v:.9g}") for v in t.flatten()]}
                  for key, t in {"input": x, "output": y}.items()}
        (FOLDER / f"{name}.json").write_text(json.dumps({"opset": opset, **values}) + "\n")


if __name__ == "__main__":
    main()
