// `coppice model export | bench | run` as a user starts them.

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "graph/onnx.h"
#include "runtime/engine.h"
#include "system/program.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Outcome model_command(std::vector<std::string> arguments) {
  std::vector<std::string> command{COPPICE, "model"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(command);
}

json json_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  return json::parse(outcome.out, nullptr, false);
}

/// As numpy.save writes it.
void write_npy(const fs::path& file,
               const std::string& descr,
               const std::string& shape,
               std::span<const std::byte> values) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string text = std::string("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  text += core::as_text(values);
  core::write_file(file, text);
}

class ModelCommands : public ::testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }

  /// A small classifier of 12x12 bytes.
  fs::path exported(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"export",
                                       "cnn",
                                       "--set",
                                       "model.widths=[4,8]",
                                       "--set",
                                       "input.shape=[1,12,12]",
                                       "--set",
                                       "input.class_names=[left,right,none]",
                                       "--set",
                                       "input.mean=[127]",
                                       "--set",
                                       "input.std=[50]",
                                       "--out",
                                       at(name).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = model_command(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    return at(name);
  }

  std::vector<uint8_t> write_images(const fs::path& file, int count) const {
    std::vector<uint8_t> pixels(static_cast<size_t>(count) * 144);
    for (size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<uint8_t>(i * 37 + i / 144 * 11);
    }
    write_npy(
        file, "|u1", "(" + std::to_string(count) + ", 12, 12)", std::as_bytes(std::span(pixels)));
    return pixels;
  }

 private:
  core::TemporaryFolder folder_;
};

TEST_F(ModelCommands, ExportWritesTheNetworkOfTheOptions) {
  const graph::Model model = graph::load_onnx(exported("a.onnx"));
  EXPECT_EQ(model.metadata.class_names, (std::vector<std::string>{"left", "right", "none"}));
  const graph::Node& input = *model.graph.inputs().at(0);
  EXPECT_EQ(input.dtype, graph::DType::U8);
  EXPECT_EQ(input.shape, (graph::Shape{graph::kBatch, 1, 12, 12}));
  const json told = json_of(model_command(
      {"export", "cnn", "--set", "seed=2", "--out", at("b.onnx").string(), "--json"}));
  EXPECT_EQ(told.at("hash"), graph::content_hash(graph::load_onnx(at("b.onnx"))));
  EXPECT_EQ(told.at("file_bytes"), fs::file_size(at("b.onnx")));
}

TEST_F(ModelCommands, WithoutStandardisationTheFileHasNone) {
  model_command({"export", "mlp", "--set", "input.dtype=f32", "--out", at("a.onnx").string()});
  for (const graph::Node& node : graph::load_onnx(at("a.onnx")).graph.nodes) {
    EXPECT_TRUE(node.op != graph::Op::Cast && node.op != graph::Op::Sub &&
                node.op != graph::Op::Div)
        << node.name;
  }
}

TEST_F(ModelCommands, ExportReadsTheNetworksThatComeWithIt) {
  const Outcome outcome = model_command({"export",
                                         CONFIGS "/models/resnet-20.yaml",
                                         "--set",
                                         "input.shape=[3,32,32]",
                                         "--out",
                                         at("r.onnx").string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("resnet"), HasSubstr("272,474")));  // parameters
}

TEST_F(ModelCommands, Int8IsCalibratedOnTheDataGiven) {
  write_images(at("x.npy"), 20);
  const fs::path by_data = exported("d.onnx", {"--int8", "--calibrate", at("x.npy").string()});
  const fs::path by_chance = exported("r.onnx", {"--int8", "--calibrate", "random"});
  size_t integers = 0;
  for (const graph::Node& node : graph::load_onnx(by_data).graph.nodes) {
    integers += node.op == graph::Op::QuantizeLinear;
  }
  EXPECT_GE(integers, 2U);
  EXPECT_NE(graph::content_hash(graph::load_onnx(by_data)),
            graph::content_hash(graph::load_onnx(by_chance)));
  // The same file again, quantised later.
  const fs::path fp32 = exported("f.onnx");
  const Outcome later = model_command({"export",
                                       fp32.string(),
                                       "--int8",
                                       "--calibrate",
                                       at("x.npy").string(),
                                       "--out",
                                       at("l.onnx").string()});
  EXPECT_EQ(later.exit_code, 0) << later.error;
  EXPECT_EQ(graph::content_hash(graph::load_onnx(at("l.onnx"))),
            graph::content_hash(graph::load_onnx(by_data)));
}

TEST_F(ModelCommands, ExportWritesCSourceAndItsBudget) {
  const Outcome outcome =
      model_command({"export",
                     exported("i.onnx", {"--int8", "--calibrate", "random"}).string(),
                     "--format",
                     "c",
                     "--prefix",
                     "sides",
                     "--out",
                     at("firmware").string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("flash_bytes"), HasSubstr("ram_bytes"), HasSubstr("macs")));
  EXPECT_THAT(core::read_text(at("firmware/sides.h")),
              HasSubstr("int sides_run(const uint8_t *input, float *output);"));
  EXPECT_THAT(core::read_text(at("firmware/sides.c")), HasSubstr("\"left\",\n  \"right\""));
  expect_error_line(model_command({"export", "cnn", "--prefix", "a"}), 2, HasSubstr("--format c"));
  expect_error_line(
      model_command({"export", "cnn", "--format", "c", "--prefix", "2", "--out", at("x").string()}),
      2,
      HasSubstr("names nothing in C"));
  EXPECT_EQ(model_command({"export", "cnn", "--format", "pickle"}).exit_code, 2);
}

TEST_F(ModelCommands, WhatIsCodedForTransferIsReadBack) {
  exported("a.onnx");
  const json told = json_of(model_command({"export",
                                           at("a.onnx").string(),
                                           "--format",
                                           "transfer",
                                           "--out",
                                           at("a.transfer").string(),
                                           "--json"}));
  EXPECT_EQ(told.at("transfer_bytes"), fs::file_size(at("a.transfer")));
  EXPECT_EQ(told.at("onnx_bytes"), fs::file_size(at("a.onnx")));
  EXPECT_LT(told.at("transfer_bytes"), told.at("onnx_bytes"));
  model_command({"export", at("a.transfer").string(), "--out", at("b.onnx").string()});
  EXPECT_EQ(core::read_file(at("b.onnx")), core::read_file(at("a.onnx")));
}

TEST_F(ModelCommands, RunPrintsWhatTheEngineComputes) {
  const fs::path file = exported("a.onnx");
  const auto pixels = write_images(at("x.npy"), 21);  // more than one batch
  const json told =
      json_of(model_command({"run", file.string(), at("x.npy").string(), "--top", "3", "--json"}));
  const auto engine = runtime::build_engine(graph::load_onnx(file), {.max_batch = 21});
  const auto images = graph::Tensor::from<uint8_t>({21, 1, 12, 12}, pixels);
  const graph::Tensor shares = runtime::softmax_rows(runtime::run_all(*engine, images, 21));
  ASSERT_EQ(told.at("samples").size(), 21U);
  const std::vector<std::string> names{"left", "right", "none"};
  for (size_t i = 0; i < 21; ++i) {
    const json& classes = told.at("samples")[i].at("classes");
    ASSERT_EQ(classes.size(), 3U);
    double before = 1;
    for (const json& one : classes) {
      const auto at = std::find(names.begin(), names.end(), one.at("class").get<std::string>());
      const auto index = static_cast<size_t>(at - names.begin());
      ASSERT_LT(index, 3U);
      const auto probability = one.at("probability").get<double>();
      EXPECT_NEAR(probability, shares.data<float>()[3 * i + index], 1e-6);
      EXPECT_LE(probability, before);
      before = probability;
    }
  }
}

TEST_F(ModelCommands, ARunsModelIsFoundInItsFolder) {
  fs::create_directories(at("run/release"));
  fs::copy_file(exported("a.onnx"), at("run/release/model.onnx"));
  write_images(at("x.npy"), 2);
  const Outcome outcome =
      model_command({"run", at("run").string(), at("x.npy").string(), "--limit", "1"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out, HasSubstr("%"));
  fs::create_directories(at("empty"));
  expect_error_line(model_command({"run", at("empty").string(), at("x.npy").string()}),
                    3,
                    HasSubstr("no model.onnx"));
}

TEST_F(ModelCommands, BenchComparesBackendsAndModels) {
  const fs::path fp32 = exported("f.onnx");
  const fs::path int8 = exported("i.onnx", {"--int8", "--calibrate", "random"});
  const json told = json_of(model_command({"bench",
                                           fp32.string(),
                                           int8.string(),
                                           "--backend",
                                           "onednn",
                                           "--backend",
                                           "reference",
                                           "--runs",
                                           "20",
                                           "--rounds",
                                           "2",
                                           "--json",
                                           "--keep-times",
                                           "--html",
                                           at("page.html").string()}));
  ASSERT_EQ(told.at("cases").size(), 4U);
  for (const json& one : told.at("cases")) {
    EXPECT_EQ(one.at("backend"), one.at("asked"));
    EXPECT_EQ(one.at("times_us").size(), 40U);
    EXPECT_LE(one.at("median_us"), one.at("p99_us"));
    EXPECT_GT(one.at("arena_bytes"), 0);
    EXPECT_GT(one.at("peak_bytes"), 1 << 20);
    EXPECT_FALSE(one.at("layers").empty());
  }
  EXPECT_GT(told.at("cases")[0].at("weight_bytes"), told.at("cases")[2].at("weight_bytes"));
  const std::string page = core::read_text(at("page.html"));
  EXPECT_THAT(page, AllOf(HasSubstr("<svg"), HasSubstr("convolution"), Not(HasSubstr("<script"))));
}

TEST_F(ModelCommands, BenchOfOneModelShowsItsLayers) {
  const Outcome outcome = model_command({"bench", exported("a.onnx").string(), "--runs", "5"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("median µs"), HasSubstr("p99 µs"), HasSubstr("logits")));
}

TEST_F(ModelCommands, WhatDoesNotFitIsRefused) {
  const fs::path file = exported("a.onnx");
  expect_error_line(model_command({"export", "resnte"}), 3, HasSubstr("did you mean 'resnet'"));
  expect_error_line(model_command({"export", "cnn", "--int8"}), 2, HasSubstr("--calibrate"));
  expect_error_line(
      model_command({"export", "cnn", "--set", "model.dpeth=2"}), 2, HasSubstr("dpeth"));
  expect_error_line(
      model_command({"export", file.string(), "--set", "model.depth=2"}), 2, HasSubstr("model"));
  const std::array<float, 3> values{};
  write_npy(at("x.npy"), "<f4", "(1, 3)", std::as_bytes(std::span(values)));
  expect_error_line(model_command({"run", file.string(), at("x.npy").string()}),
                    2,
                    HasSubstr("takes u8 [1, 12, 12]"));
  expect_error_line(model_command({"bench", file.string(), "--backend", "onednm"}),
                    3,
                    HasSubstr("did you mean 'onednn'"));
  core::write_file(at("broken.onnx"), std::string("no ONNX"));
  expect_error_line(model_command({"bench", at("broken.onnx").string()}), 5, HasSubstr("broken"));
}

}  // namespace
}  // namespace coppice::testing
