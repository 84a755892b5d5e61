// Names, literals and what the header says.

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "c_source/compiled.h"
#include "c_source/names.h"
#include "core/error.h"
#include "graph/cost.h"
#include "runtime/models.h"
#include "system/program.h"

namespace coppice::c_source::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

graph::Model small_network() {
  graph::Model model = runtime::testing::random_network(
      {.name = "cnn", .widths = {4}}, runtime::testing::image_input(1, 6), 3);
  model.metadata.name = "cnn-small";
  return model;
}

TEST(CSourceText, IdentifiersComeFromAnyName) {
  EXPECT_EQ(identifier("resnet-20 v2"), "resnet_20_v2");
  EXPECT_EQ(identifier("3d"), "model_3d");
  EXPECT_EQ(identifier(""), "model_");
}

TEST(CSourceText, AFloatIsReadBackToTheSameBits) {
  for (const float value :
       {0.1F, -1.0F, 3.0F, 1e-40F, 3.4028235e38F, 1.0F / 3, 16777216.0F, -0.0F}) {
    const std::string text = float_literal(value);
    EXPECT_TRUE(text.ends_with("f")) << text;
    EXPECT_THAT(text, ::testing::ContainsRegex("[.e]")) << text;
    const float again = std::strtof(text.c_str(), nullptr);
    EXPECT_EQ(std::memcmp(&again, &value, sizeof value), 0) << text;
  }
}

TEST(CSourceText, TheHeaderTellsShapesClassesAndBudget) {
  const graph::Model model = small_network();
  const CSource source = generate(model);
  EXPECT_EQ(source.prefix, "cnn_small");
  EXPECT_EQ(source.macs, graph::cost(model).macs);
  EXPECT_THAT(source.header,
              AllOf(HasSubstr("int cnn_small_run(const uint8_t *input, float *output);"),
                    HasSubstr("#define CNN_SMALL_INPUT_SIZE 36"),
                    HasSubstr("#define CNN_SMALL_OUTPUT_SIZE 10"),
                    HasSubstr("#define CNN_SMALL_CLASSES 10"),
                    HasSubstr("uint8_t [1, 6, 6]")));
  EXPECT_THAT(source.header,
              HasSubstr(std::to_string(source.arena_bytes) + " bytes (static memory)"));
}

TEST(CSourceText, OnlyThePrefixIsSeenByOtherFiles) {
  const std::string code = generate(small_network(), {.prefix = "net"}).code;
  std::istringstream lines(code);
  std::string line;
  while (std::getline(lines, line)) {
    const bool definition = !line.empty() && line.find('(') != std::string::npos &&
                            std::isalpha(static_cast<unsigned char>(line[0])) != 0;
    EXPECT_TRUE(!definition || line.starts_with("static ") || line.starts_with("int net_run"))
        << line;
  }
}

TEST(CSourceText, HostileNamesAreOnlyText) {
  graph::Model model = small_network();
  const std::string hostile =
      "*/ #error \"\\ ?"
      "?/ \n //";
  model.metadata.name = hostile;
  model.metadata.class_names[0] = hostile;
  for (graph::Node& node : model.graph.nodes) {
    for (std::string& input : node.inputs) {
      input = input == "logits" ? hostile : input;
    }
    node.name = node.name == "logits" ? hostile : node.name;
  }
  model.graph.outputs = {hostile};
  const Compiled compiled(model, {.prefix = "net"});
  const auto* names = static_cast<const char* const*>(compiled.symbol("net_class_names"));
  ASSERT_NE(names, nullptr);
  EXPECT_EQ(std::string(names[0]), hostile);
  EXPECT_EQ(std::string(names[9]), "j");
}

TEST(CSourceText, ANullPointerIsAnError) {
  const Compiled compiled(small_network(), {.prefix = "net"});
  auto* run = reinterpret_cast<int (*)(const void*, void*)>(compiled.symbol("net_run"));
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run(nullptr, nullptr), 1);
}

TEST(CSourceText, APrefixMustBeAName) {
  for (const char* prefix : {"2fast", "a-b", "float", "string", "a b", "é"}) {
    try {
      generate(small_network(), {.prefix = prefix});
      ADD_FAILURE() << prefix;
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument);
      EXPECT_THAT(error.what(), HasSubstr(prefix));
    }
  }
}

#if defined(__x86_64__)
/// Rounding by adding and taking away needs sums in single precision.
TEST(CSourceText, ArithmeticInMorePrecisionIsRefused) {
  const core::TemporaryFolder folder;
  write_files(generate(small_network(), {.prefix = "net"}), folder.path());
  const auto outcome = coppice::testing::run_program({C_COMPILER,
                                                      "-std=c99",
                                                      "-mfpmath=387",
                                                      "-fsyntax-only",
                                                      (folder.path() / "net.c").string()});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_THAT(outcome.error, HasSubstr("single precision"));
}
#endif

TEST(CSourceText, FilesLieInTheFolder) {
  const core::TemporaryFolder folder;
  const CSource source = generate(small_network());
  write_files(source, folder.path() / "a" / "b");
  EXPECT_EQ(core::read_text(folder.path() / "a" / "b" / "cnn_small.c"), source.code);
  EXPECT_EQ(core::read_text(folder.path() / "a" / "b" / "cnn_small.h"), source.header);
  core::write_file(folder.path() / "file", std::string("x"));
  EXPECT_THROW(write_files(source, folder.path() / "file"), core::Error);
}

}  // namespace
}  // namespace coppice::c_source::testing
