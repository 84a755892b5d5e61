#include "runtime/choice_cache.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "runtime/models.h"

namespace coppice::runtime::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(PickFastest, TakesTheEarlierOneOfThoseThatAreAsFast) {
  EXPECT_EQ(pick_fastest({{"a", 10}, {"b", 5}, {"c", 7}}), 1U);
  EXPECT_EQ(pick_fastest({{"a", 10.1}, {"b", 10}}), 0U);
  EXPECT_EQ(pick_fastest({{"a", 10.3}, {"b", 10}}), 1U);
  EXPECT_EQ(pick_fastest({{"a", 10.3}, {"b", 10}}, 0.05), 0U);
  EXPECT_EQ(pick_fastest({{"a", 1}}), 0U);
}

class ChoiceFile : public ::testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "deep" / "engine.json"; }

  void write(const std::string& text) const {
    fs::create_directories(file().parent_path());
    core::write_file(file(), text);
  }

  core::TemporaryFolder folder_;
};

const std::vector<Timing> kTimings{{"onednn", 12.5}, {"xnnpack", 30}};

TEST_F(ChoiceFile, KeepsEntriesBesideOthers) {
  const ChoiceCache cache(file());
  EXPECT_EQ(cache.find("one"), std::nullopt);
  EXPECT_TRUE(cache.store("one", kTimings));
  EXPECT_TRUE(cache.store("two", {{"reference", 1}}));
  EXPECT_EQ(ChoiceCache(file()).find("one"), kTimings);
  EXPECT_TRUE(cache.store("one", {{"xnnpack", 2}}));
  EXPECT_EQ(cache.find("one"), (std::vector<Timing>{{"xnnpack", 2}}));
  EXPECT_EQ(cache.find("two"), (std::vector<Timing>{{"reference", 1}}));
}

TEST_F(ChoiceFile, TheOldestGivesWay) {
  const ChoiceCache cache(file());
  for (int i = 0; i < 257; ++i) {
    EXPECT_TRUE(cache.store(fmt::format("key {}", i), kTimings));
  }
  EXPECT_EQ(cache.find("key 0"), std::nullopt);
  EXPECT_EQ(cache.find("key 1"), kTimings);
  EXPECT_EQ(cache.find("key 256"), kTimings);
}

TEST_F(ChoiceFile, DamageCountsAsEmptyAndIsWrittenOver) {
  const ChoiceCache cache(file());
  for (const char* text : {"",
                           "{\"one\": {\"onednn\": 1",
                           "[1, 2]",
                           "{\"one\": 3}",
                           "{\"one\": {}}",
                           "{\"one\": {\"onednn\": \"fast\"}}",
                           "{\"one\": {\"onednn\": -1}}",
                           "\xff\xfe garbage"}) {
    write(text);
    EXPECT_EQ(cache.find("one"), std::nullopt) << text;
    EXPECT_TRUE(cache.store("one", kTimings)) << text;
    EXPECT_EQ(cache.find("one"), kTimings) << text;
  }
}

TEST_F(ChoiceFile, NoPlaceToWriteIsNoError) {
  core::write_file(folder_.path() / "deep", std::string_view("a file, no folder"));
  const ChoiceCache cache(file());
  EXPECT_FALSE(cache.store("one", kTimings));
  EXPECT_EQ(cache.find("one"), std::nullopt);
  EXPECT_FALSE(ChoiceCache({}).store("one", kTimings));
}

TEST(ProcessorOf, IsTheFirstOnesModelAndFeatures) {
  const std::string x86 =
      "processor\t: 0\nmodel name\t: A CPU\ncpu MHz\t\t: 2100.1\nflags\t\t: fpu avx2\n\n";
  EXPECT_EQ(processor_of(x86 + "processor\t: 1\nmodel name\t: another\n"), "A CPU\nfpu avx2\n");
  EXPECT_EQ(processor_of(x86),
            processor_of("model name\t: A CPU\ncpu MHz\t: 99\nflags\t: fpu avx2\n"));
  EXPECT_EQ(processor_of("processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd0b\n"),
            "fp asimd\n0xd0b\n");
  EXPECT_EQ(processor_of(""), "");
}

class AutoBackend : public ChoiceFile {
 protected:
  std::unique_ptr<Engine> build(int64_t max_batch = 1) const {
    return build_engine(model_,
                        {.backend = "auto", .max_batch = max_batch, .cache = file().string()});
  }

  graph::Model model_ = random_network({"cnn", {6, 10}, 1, 0}, image_input(1, 12), 1);
};

TEST_F(AutoBackend, MeasuresOnceAndRemembers) {
  const auto first = build();
  EXPECT_THAT(std::string(first->reason()), HasSubstr("measured now"));
  EXPECT_THAT(std::string(first->reason()), HasSubstr(std::string(first->backend())));
  const core::Bytes before = core::read_file(file());
  const auto again = build();
  EXPECT_EQ(again->backend(), first->backend());
  EXPECT_THAT(std::string(again->reason()), HasSubstr("remembered in " + file().string()));
  EXPECT_EQ(core::read_file(file()), before);
  EXPECT_THAT(std::string(build(2)->reason()), HasSubstr("measured now"));
}

/// What the file says is what runs, so two runs of a program agree even where a second measurement
/// would not.
TEST_F(AutoBackend, FollowsTheFile) {
  build();
  auto json = nlohmann::ordered_json::parse(core::read_text(file()));
  ASSERT_EQ(json.size(), 1U);
  for (const std::string& chosen : backends()) {
    for (auto& entry : json) {
      entry = {{"onednn", 50.0}, {"xnnpack", 50.0}, {"reference", 50.0}};
      entry[chosen] = 1.0;
    }
    core::write_file(file(), json.dump());
    EXPECT_EQ(build()->backend(), chosen);
  }
}

TEST_F(AutoBackend, ABackendThatIsGoneIsMeasuredAnew) {
  build();
  auto json = nlohmann::ordered_json::parse(core::read_text(file()));
  for (auto& entry : json) {
    entry = {{"tensor-engine", 1.0}};
  }
  core::write_file(file(), json.dump());
  EXPECT_THAT(std::string(build()->reason()), HasSubstr("measured now"));
}

TEST_F(AutoBackend, RunsWithoutAFile) {
  core::write_file(folder_.path() / "deep", std::string_view("a file, no folder"));
  const auto engine = build();
  EXPECT_THAT(std::string(engine->reason()), HasSubstr("measured now"));
  EXPECT_THAT(std::string(engine->reason()), Not(HasSubstr("kept in")));
  const auto none = build_engine(model_, {.backend = "auto", .cache = "none"});
  EXPECT_THAT(std::string(none->reason()), HasSubstr("measured now"));
}

TEST_F(AutoBackend, FirstIsTheSameWithoutMeasuring) {
  const auto engine = build_engine(model_);
  EXPECT_EQ(engine->backend(), backends().front());
  EXPECT_THAT(std::string(engine->reason()), HasSubstr("the first that takes the model"));
  EXPECT_FALSE(fs::exists(file()));
}

}  // namespace
}  // namespace coppice::runtime::testing
