// Runs one sample through a model, from C++: run_model_cpp MODEL.onnx SAMPLE
//
// SAMPLE holds the raw values of one sample, as the model's input takes them. Prints the classes
// with their probabilities, and which step of the run takes longest.
//
//   find_package(coppice REQUIRED)
//   target_link_libraries(run_model_cpp PRIVATE coppice::runtime)
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "graph/onnx.h"
#include "runtime/engine.h"
#include "runtime/profile.h"

namespace {

using namespace coppice;

graph::Tensor read_sample(const std::filesystem::path& file, const graph::Node& input) {
  graph::Shape shape = input.shape;
  shape[0] = 1;
  graph::Tensor sample(input.dtype, shape);
  const core::Bytes bytes = core::read_file(file);
  if (std::ssize(bytes) != sample.bytes_size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      file.string() + " does not hold one sample of the model's input");
  }
  std::memcpy(sample.bytes(), bytes.data(), bytes.size());
  return sample;
}

void run(const std::filesystem::path& model_file, const std::filesystem::path& sample_file) {
  const graph::Model model = graph::load_onnx(model_file);
  const auto engine = runtime::build_engine(model, {.backend = "auto", .threads = 1});
  const graph::Tensor sample = read_sample(sample_file, *model.graph.inputs().at(0));
  const graph::Tensor shares = runtime::softmax_rows(runtime::run_all(*engine, sample, 1));
  const auto& names = model.metadata.class_names;
  for (size_t i = 0; i < shares.data<float>().size(); ++i) {
    std::printf("%s %.4f\n",
                i < names.size() ? names[i].c_str() : std::to_string(i).c_str(),
                static_cast<double>(shares.data<float>()[i]));
  }
  const auto steps = runtime::measure_steps(*engine, {.runs = 50});
  const auto slowest = std::max_element(
      steps.begin(), steps.end(), [](const runtime::StepTime& a, const runtime::StepTime& b) {
        return a.micros < b.micros;
      });
  std::printf("slowest of %zu steps on %s: %s (%s)\n",
              steps.size(),
              std::string(engine->backend()).c_str(),
              slowest->node.c_str(),
              slowest->work.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: run_model_cpp MODEL.onnx SAMPLE\n");
    return 2;
  }
  try {
    run(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
