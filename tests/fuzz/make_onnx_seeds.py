#!/usr/bin/python3
"""Writes one small model of every ONNX op that is read, in an old and a new opset, files that must be refused, and a dictionary of
op, attribute and string values for libFuzzer: make_onnx_seeds.py FOLDER DICTIONARY."""
import pathlib
import sys

import numpy as np
from onnx import TensorProto, defs, helper, numpy_helper

F32, U8, I64 = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT64
IMAGE, ROWS, TIME = (2, 4, 4), (6,), (3, 5)


def values(*shape):
    return np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def ints(*numbers):
    return np.array(numbers, dtype=np.int64)


# Op, sample's shape, other inputs, attributes, opsets; an input of None is left out.
CASES = [
    *[(op, IMAGE, [], {}, (9, 17)) for op in ("Relu", "Sigmoid", "Tanh", "Erf", "LeakyRelu", "Identity", "GlobalAveragePool",
                                              "GlobalMaxPool", "Flatten", "Dropout", "HardSigmoid")],
    ("HardSwish", IMAGE, [], {}, (14,)),
    *[(op, IMAGE, [values(2, 1, 1)], {}, (9, 17)) for op in ("Add", "Sub", "Mul", "Div", "PRelu")],
    ("Pow", IMAGE, [np.float32(2)], {}, (13,)),
    ("Clip", IMAGE, [], {"min": 0.0, "max": 6.0}, (9,)),
    ("Clip", IMAGE, [np.float32(0), np.float32(6)], {}, (13,)),
    ("Conv", IMAGE, [values(4, 1, 3, 3), values(4)], {"pads": [1, 1, 1, 1], "group": 2, "strides": [2, 1]}, (11,)),
    ("Conv", TIME, [values(4, 3, 2)], {"dilations": [2], "pads": [2, 0]}, (13,)),
    ("ConvTranspose", IMAGE, [values(2, 3, 2, 2)], {"strides": [2, 2], "output_padding": [1, 0]}, (11,)),
    ("Gemm", ROWS, [values(6, 3), values(3)], {}, (13,)),
    ("Gemm", ROWS, [values(3, 6), values(1, 3)], {"transB": 1}, (9,)),
    ("MatMul", ROWS, [values(6, 3)], {}, (13,)),
    ("MatMul", TIME, [values(5, 2)], {}, (13,)),
    ("BatchNormalization", IMAGE, [values(2), values(2), values(2), np.ones(2, np.float32)], {}, (9, 15)),
    ("LayerNormalization", TIME, [values(5), values(5)], {"axis": -1}, (17,)),
    ("MaxPool", IMAGE, [], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}, (10,)),
    ("MaxPool", TIME, [], {"kernel_shape": [2], "pads": [1, 0]}, (13,)),
    ("AveragePool", IMAGE, [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, (11,)),
    ("Softmax", ROWS, [], {"axis": 1}, (11, 13)),
    ("Concat", ROWS, ["x"], {"axis": 1}, (13,)),
    ("Split", ROWS, [], {"axis": 1}, (11,)),
    ("Split", ROWS, [ints(2, 4)], {"axis": -1}, (13,)),
    ("Slice", IMAGE, [], {"starts": [1, -3], "ends": [4, 99], "axes": [2, 3]}, (9,)),
    ("Slice", IMAGE, [ints(0), ints(4), ints(2), ints(2)], {}, (13,)),
    ("Gather", IMAGE, [ints(1)], {"axis": 1}, (13,)),
    ("Pad", IMAGE, [], {"pads": [0, 0, 1, 0, 0, 0, 0, 2], "mode": "reflect"}, (9,)),
    ("Pad", IMAGE, [ints(0, 0, 1, 0, 0, 0, 0, 2), np.float32(0.5)], {}, (13,)),
    ("Pad", IMAGE, [ints(1, 2), None, ints(3)], {"mode": "edge"}, (18,)),
    ("Resize", IMAGE, [None, np.array([1, 1, 2, 2], np.float32)], {}, (13,)),
    ("Resize", IMAGE, [None, None, ints(1, 2, 7, 5)], {"mode": "linear"}, (13,)),
    ("Upsample", IMAGE, [np.array([1, 1, 2, 3], np.float32)], {}, (9,)),
    ("Reshape", IMAGE, [ints(0, 8, -1)], {}, (13,)),
    ("Transpose", IMAGE, [], {"perm": [0, 2, 3, 1]}, (13,)),
    ("Squeeze", (1, 5), [ints(1)], {}, (13,)),
    ("Squeeze", (1, 5), [], {"axes": [1]}, (11,)),
    ("Unsqueeze", ROWS, [ints(1, -1)], {}, (13,)),
    ("ReduceMean", IMAGE, [], {"axes": [2, 3], "keepdims": 0}, (13,)),
    ("ReduceMean", IMAGE, [ints(1)], {}, (18,)),
    ("Cast", ROWS, [], {"to": F32}, (13,)),
    ("Einsum", ROWS, [], {"equation": "ij->ji"}, (13,)),
]


def file_of(nodes, sample, tensors, opset, outputs=("y",)):
    x = helper.make_tensor_value_info("x", F32, ["n", *sample])
    graph = helper.make_graph(nodes, "seed", [x], [helper.make_tensor_value_info(y, F32, None) for y in outputs])
    graph.initializer.extend(tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def single_ops():
    for i, (op, sample, inputs, attributes, opsets) in enumerate(CASES):
        names = ["x"] + ["" if v is None else v if isinstance(v, str) else f"c{k}" for k, v in enumerate(inputs)]
        tensors = [numpy_helper.from_array(np.asarray(v), f"c{k}") for k, v in enumerate(inputs)
                   if v is not None and not isinstance(v, str)]
        outputs = ["y", "z"] if op == "Split" else ["y"]
        for opset in opsets:
            yield f"{i:02}-{op}-{opset}", file_of([helper.make_node(op, names, outputs, **attributes)], sample, tensors, opset, outputs)


def recurrent(op, gates):
    tensors = [numpy_helper.from_array(values(2, gates * 2, 3), "w"), numpy_helper.from_array(values(2, gates * 2, 2), "r"),
               numpy_helper.from_array(values(2, gates * 4), "b")]
    more = {"linear_before_reset": 1} if op == "GRU" else {}
    nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
             helper.make_node(op, ["t", "w", "r", "b"], ["all", "last"], hidden_size=2, direction="bidirectional", **more),
             helper.make_node("Transpose", ["last"], ["y"], perm=[1, 0, 2])]
    return file_of(nodes, (4, 3), tensors, 14)


def quantised():
    tensors = [numpy_helper.from_array(np.float32(0.1), "s"), numpy_helper.from_array(np.uint8(3), "z"),
               numpy_helper.from_array(values(3, 6), "w"), numpy_helper.from_array(np.full(3, 0.01, np.float32), "ws"),
               numpy_helper.from_array(np.zeros(3, np.int8), "wz")]
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]), helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
             helper.make_node("QuantizeLinear", ["w", "ws", "wz"], ["wq"], axis=0),
             helper.make_node("DequantizeLinear", ["wq", "ws", "wz"], ["wd"], axis=0),
             helper.make_node("Gemm", ["d", "wd"], ["y"], transB=1)]
    return file_of(nodes, ROWS, tensors, 13)


def computed_shape():
    one, two = numpy_helper.from_array(np.int64(0), "zero"), numpy_helper.from_array(ints(-1, 2), "tail")
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
             helper.make_node("Unsqueeze", ["n"], ["n1"], axes=[0]), helper.make_node("Concat", ["n1", "tail"], ["to"], axis=0),
             helper.make_node("Cast", ["to"], ["f"], to=F32), helper.make_node("Floor", ["f"], ["g"]),
             helper.make_node("Sqrt", ["g"], ["h"]), helper.make_node("Cast", ["g"], ["i"], to=I64),
             helper.make_node("Mul", ["to", "tail2"], ["j"]), helper.make_node("Slice", ["to"], ["k"], starts=[0], ends=[3]),
             helper.make_node("ConstantOfShape", ["tail2"], ["filled"]), helper.make_node("Expand", ["h0", "to"], ["e"]),
             helper.make_node("Reshape", ["x", "k"], ["y"])]
    more = [numpy_helper.from_array(ints(1, 1, 1), "tail2"), numpy_helper.from_array(np.float32(0), "h0")]
    return file_of(nodes, ROWS, [one, two, *more], 11)


def refused():
    inner = helper.make_graph([], "inner", [], [])
    yield "subgraph", file_of([helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)], ROWS, [], 13)
    yield "cycle", file_of([helper.make_node("Relu", ["y"], ["z"]), helper.make_node("Relu", ["z"], ["y"])], ROWS, [], 13)
    outside = numpy_helper.from_array(values(6), "w")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../w.bin")
    yield "external", file_of([helper.make_node("Add", ["x", "w"], ["y"])], ROWS, [outside], 13)
    sparse = file_of([helper.make_node("Relu", ["x"], ["y"])], ROWS, [], 13)
    sparse.graph.sparse_initializer.add().dims.extend([4, 4])
    yield "sparse", sparse


def dictionary():
    words = {"ai.onnx", "n", "x", "y", "location", "offset", "length"}
    for schema in defs.get_all_schemas():
        words.add(schema.name)
        for name, attribute in schema.attributes.items():
            words.add(name)
            default = attribute.default_value
            if default.type == default.STRING:
                words.add(default.s.decode())
    return "".join(f'"{word}"\n' for word in sorted(words) if word.isprintable() and word and '"' not in word)


def main():
    folder, words = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [*single_ops(), ("lstm", recurrent("LSTM", 4)), ("gru", recurrent("GRU", 3)), ("quantised", quantised()),
             ("computed-shape", computed_shape()), *refused()]
    for name, model in seeds:
        (folder / f"op-{name}.onnx").write_bytes(model.SerializeToString())
    words.write_text(dictionary())


if __name__ == "__main__":
    main()
