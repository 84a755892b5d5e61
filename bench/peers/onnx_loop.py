#!/usr/bin/python3
"""Puts a network inside an ONNX Loop: onnx_loop.py MODEL.onnx writes MODEL.loop.onnx and MODEL.idle.onnx beside it.

Inputs of both: `trips` (int64), and the network's input and output with batch 1. Every trip hands the input on, so that the network
can't be computed once ahead of the Loop. MODEL.idle.onnx hands both on without the network: what the Loop itself costs.
"""
import pathlib
import sys

import onnx
from onnx import TensorProto, helper


def with_batch_of_one(value):
    fixed = onnx.ValueInfoProto()
    fixed.CopyFrom(value)
    fixed.type.tensor_type.shape.dim[0].ClearField("dim_param")
    fixed.type.tensor_type.shape.dim[0].dim_value = 1
    return fixed


def renamed(value, name):
    copy = onnx.ValueInfoProto()
    copy.CopyFrom(value)
    copy.name = name
    return copy


def loop_model(model, with_network):
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    (source,) = [with_batch_of_one(value) for value in graph.input if value.name not in weights]
    result = with_batch_of_one(graph.output[0])
    names = {name for node in graph.node for name in [*node.input, *node.output]}
    assert not any(name.startswith("loop_") for name in names), "the network uses names of the Loop"
    body_inputs = [helper.make_tensor_value_info("loop_trip", TensorProto.INT64, []),
                   helper.make_tensor_value_info("loop_going", TensorProto.BOOL, []),
                   source, renamed(result, "loop_before")]
    nodes = [helper.make_node("Identity", ["loop_going"], ["loop_on"]),
             helper.make_node("Identity", [source.name], ["loop_source"])]
    last = renamed(result, "loop_result")
    if with_network:
        nodes += list(graph.node)
        nodes.append(helper.make_node("Identity", [result.name], ["loop_result"]))
    else:
        nodes.append(helper.make_node("Identity", ["loop_before"], ["loop_result"]))
    body = helper.make_graph(nodes, "body", body_inputs,
                             [helper.make_tensor_value_info("loop_on", TensorProto.BOOL, []),
                              renamed(source, "loop_source"), last],
                             initializer=list(graph.initializer) if with_network else [])
    loop = helper.make_node("Loop", ["trips", "always", "x", "y"], ["x_after", "y_after"], body=body)
    outer = helper.make_graph(
        [loop], "loop",
        [helper.make_tensor_value_info("trips", TensorProto.INT64, []), renamed(source, "x"), renamed(result, "y")],
        [renamed(source, "x_after"), renamed(result, "y_after")],
        initializer=[helper.make_tensor("always", TensorProto.BOOL, [], [True])])
    made = helper.make_model(outer, opset_imports=model.opset_import)
    made.ir_version = model.ir_version
    onnx.checker.check_model(made)
    return made


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    file = pathlib.Path(sys.argv[1])
    model = onnx.load(file)
    onnx.save(loop_model(model, True), file.with_suffix(".loop.onnx"))
    onnx.save(loop_model(model, False), file.with_suffix(".idle.onnx"))


if __name__ == "__main__":
    main()
