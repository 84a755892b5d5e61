// The same file for a microcontroller: what lies in flash and what in RAM.

#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "c_source/c_source.h"
#include "compress/quantise.h"
#include "core/files.h"
#include "runtime/models.h"
#include "system/program.h"

namespace coppice::c_source::testing {
namespace {

using coppice::testing::Outcome;
using coppice::testing::run_program;

/// Bytes of each section, as `size -A` tells them.
std::map<std::string, int64_t> section_sizes(const std::string& object) {
  const Outcome outcome = run_program({ARM_SIZE, "-A", object});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  std::map<std::string, int64_t> sizes;
  std::istringstream lines(outcome.out);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name;
    int64_t bytes = 0;
    if (words >> name >> bytes && name.starts_with(".")) {
      sizes[name.substr(0, name.find('.', 1))] += bytes;  // .rodata.str1.4 is .rodata
    }
  }
  return sizes;
}

TEST(CSourceArm, WeightsLieInFlashAndActivationsInTheArena) {
  if (std::string(ARM_C_COMPILER).empty() || std::string(ARM_SIZE).empty()) {
    GTEST_SKIP() << "no arm-none-eabi-gcc: install gcc-arm-none-eabi and libnewlib-arm-none-eabi";
  }
  const graph::Model network =
      runtime::testing::random_network({.name = "ds_cnn"}, runtime::testing::image_input(1, 20), 3);
  const auto samples = runtime::testing::random_integers(graph::DType::U8, {8, 1, 20, 20}, 2);
  const CSource source = generate(compress::quantise(network, samples, {}), {.prefix = "kws"});
  const core::TemporaryFolder folder;
  write_files(source, folder.path());
  const std::string object = (folder.path() / "kws.o").string();
  const Outcome built = run_program({ARM_C_COMPILER,
                                     "-mcpu=cortex-m4",
                                     "-mthumb",
                                     "-std=c99",
                                     "-Os",
                                     "-Wall",
                                     "-Wextra",
                                     "-Werror",
                                     "-pedantic",
                                     "-c",
                                     (folder.path() / "kws.c").string(),
                                     "-o",
                                     object});
  ASSERT_EQ(built.exit_code, 0) << built.error;
  const auto sizes = section_sizes(object);
  const auto size = [&](const char* name) {
    const auto it = sizes.find(name);
    return it == sizes.end() ? int64_t{0} : it->second;
  };
  EXPECT_EQ(size(".data"), 0);
  EXPECT_EQ(size(".bss"), source.arena_bytes);
  EXPECT_GE(size(".rodata"), source.constant_bytes);
  EXPECT_LE(size(".rodata"), source.constant_bytes + 4096);  // geometry and alignment
  EXPECT_LE(size(".text"), 8192);
}

}  // namespace
}  // namespace coppice::c_source::testing
