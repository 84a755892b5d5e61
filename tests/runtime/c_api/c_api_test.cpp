// libcoppice.so beside the C++ engine that it wraps; what C alone can show is in checks.c.

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "graph/onnx.h"
#include "runtime/c_api/coppice.h"
#include "runtime/models.h"
#include "system/program.h"

namespace coppice::runtime::testing {
namespace {

using ::testing::HasSubstr;

class CApi : public ::testing::Test {
 protected:
  CApi() {
    graph::ModelInput input = image_input(1, 12);
    input.class_names = {"left", "right", "none"};
    model_ = random_network({"cnn", {4, 8}, 1, 0}, input, 3);
    graph::save_onnx(model_, file());
  }

  std::filesystem::path file() const { return folder_.path() / "model.onnx"; }

  std::filesystem::path sample(const graph::Tensor& values) const {
    core::write_file(folder_.path() / "sample.raw",
                     std::span(values.bytes(), static_cast<size_t>(values.bytes_size())));
    return folder_.path() / "sample.raw";
  }

  graph::Model model_;

 private:
  core::TemporaryFolder folder_;
};

TEST_F(CApi, GivesTheEnginesOutputsOnEveryBackend) {
  const graph::Tensor images = random_integers(graph::DType::U8, {5, 1, 12, 12}, 4);
  const core::Bytes bytes = graph::to_onnx(model_);
  for (const std::string& backend : backends()) {
    coppice_options options = COPPICE_OPTIONS_INIT;
    options.backend = backend.c_str();
    options.max_batch = 5;
    coppice_engine* engine = nullptr;
    ASSERT_EQ(coppice_load_memory(bytes.data(), bytes.size(), &options, &engine), COPPICE_OK)
        << coppice_last_error();
    EXPECT_EQ(coppice_describe(engine)->backend, backend);
    graph::Tensor logits(graph::DType::F32, {5, 3});
    const coppice_input input{images.bytes(), static_cast<size_t>(images.bytes_size())};
    const coppice_output output{logits.bytes(), static_cast<size_t>(logits.bytes_size())};
    ASSERT_EQ(coppice_run(engine, 5, &input, 1, &output, 1), COPPICE_OK) << coppice_last_error();
    const graph::Tensor expected =
        run_all(*build_engine(model_, {.backend = backend, .max_batch = 5}), images, 5);
    EXPECT_TRUE(std::ranges::equal(logits.data<float>(), expected.data<float>()));
    coppice_free(engine);
  }
}

TEST_F(CApi, EveryThreadHasItsOwnLastError) {
  coppice_engine* engine = nullptr;
  EXPECT_EQ(coppice_load("nowhere.onnx", nullptr, &engine), COPPICE_NOT_FOUND);
  std::string other = "unset";
  std::thread([&] { other = coppice_last_error(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_THAT(coppice_last_error(), HasSubstr("nowhere.onnx"));
}

TEST_F(CApi, HoldsItsPromisesToAProgramInC) {
  const auto outcome = coppice::testing::run_program(
      {C_CHECKS, file().string(), sample(random_integers(graph::DType::U8, {1, 144}, 1)).string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
}

TEST_F(CApi, TheExamplesAgree) {
  const graph::Tensor image = random_integers(graph::DType::U8, {1, 1, 12, 12}, 8);
  const std::string raw = sample(image).string();
  const auto in_c = coppice::testing::run_program({EXAMPLE_C, file().string(), raw});
  const auto in_cpp = coppice::testing::run_program({EXAMPLE_CPP, file().string(), raw});
  EXPECT_EQ(in_c.exit_code, 0) << in_c.error;
  EXPECT_EQ(in_cpp.exit_code, 0) << in_cpp.error;
  const auto best = argmax_rows(run_all(*build_engine(model_), image, 1))[0];
  const std::string name = model_.metadata.class_names[static_cast<size_t>(best)];
  EXPECT_THAT(in_c.out, HasSubstr("\n" + name + " #" + std::to_string(best) + " "));
  EXPECT_THAT(in_cpp.out, HasSubstr(name + " 0."));
  EXPECT_THAT(in_cpp.out, HasSubstr("slowest of "));
  const auto refused = coppice::testing::run_program({EXAMPLE_C, file().string(), file().string()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("does not hold 144 bytes"));
}

}  // namespace
}  // namespace coppice::runtime::testing
