// fuzz_onnx_seeds FOLDER: models of our own exporter for the fuzzer to start from.

#include <cstdio>
#include <exception>

#include "graph/models.h"
#include "graph/onnx.h"

int main(int argc, char** argv) {
  namespace graph = coppice::graph;
  if (argc != 2) {
    std::fputs("usage: fuzz_onnx_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    for (const int64_t opset : {13, 17}) {
      const std::string name = "every-op-" + std::to_string(opset) + ".onnx";
      graph::save_onnx(graph::testing::model_with_every_op(), folder / name, opset);
    }
    for (const std::string& name : graph::zoo().names()) {
      auto [options, input] = graph::testing::zoo_example(name);
      const graph::Model model = graph::build_model(options, input, 1);
      graph::save_onnx(model, folder / (name + ".onnx"));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
