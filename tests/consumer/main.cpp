// Builds a network of the zoo, saves it as ONNX, reads it back and runs it as a device would.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "runtime/engine.h"

namespace {

using namespace coppice;

bool run() {
  graph::ModelInput input;
  input.class_names = {"left", "right"};
  const graph::Model model = graph::build_model({.name = "cnn", .widths = {4, 8}}, input, 1);

  const auto file = std::filesystem::temp_directory_path() / "coppice-consumer.onnx";
  graph::save_onnx(model, file);
  const graph::Model loaded = graph::load_onnx(file);
  std::filesystem::remove(file);

  const auto engine = runtime::build_engine(loaded, {.max_batch = 2});
  const graph::Tensor images(graph::DType::U8, {2, 1, 28, 28});
  const graph::Tensor logits = runtime::run_all(*engine, images, 2);
  std::printf("%s: %lld MACs on %s, classes %lld %lld\n",
              loaded.metadata.name.c_str(),
              static_cast<long long>(graph::cost(loaded).macs),
              std::string(engine->backend()).c_str(),
              static_cast<long long>(runtime::argmax_rows(logits)[0]),
              static_cast<long long>(runtime::argmax_rows(logits)[1]));
  return logits.shape() == graph::Shape{2, 2};
}

}  // namespace

int main() {
  try {
    return run() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
