"""Networks that the zoo doesn't have: a window of sensor values through one LSTM or GRU, as PyTorch writes them."""
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STEPS, CHANNELS, HIDDEN, CLASSES = 128, 6, 64, 6  # as the windows of UCI's human activities
GATES = {"lstm": 4, "gru": 3}


def write(cell, file):
    """[n, steps, channels] to the logits of the last step; weights as torch.nn draws them."""
    random = np.random.default_rng(7)
    rows = GATES[cell] * HIDDEN

    def weight(name, *shape):
        bound = 1 / math.sqrt(HIDDEN)
        return numpy_helper.from_array(random.uniform(-bound, bound, shape).astype(np.float32), name)

    weights = [weight("w", 1, rows, CHANNELS), weight("r", 1, rows, HIDDEN), weight("b", 1, 2 * rows),
               weight("head", CLASSES, HIDDEN), weight("head_bias", CLASSES),
               numpy_helper.from_array(np.array([0], np.int64), "axis")]
    how = {"hidden_size": HIDDEN} if cell == "lstm" else {"hidden_size": HIDDEN, "linear_before_reset": 1}
    nodes = [helper.make_node("Transpose", ["x"], ["by_time"], perm=[1, 0, 2]),
             helper.make_node(cell.upper(), ["by_time", "w", "r", "b"], ["", "last"], **how),
             helper.make_node("Squeeze", ["last", "axis"], ["state"]),
             helper.make_node("Gemm", ["state", "head", "head_bias"], ["logits"], transB=1)]
    graph = helper.make_graph(nodes, cell,
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", STEPS, CHANNELS])],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(file))
