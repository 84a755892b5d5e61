#include "monitor/drift.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error.h"
#include "monitor/streams.h"

namespace coppice::monitor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What every detector promises.
class DriftConformance : public testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<DriftDetector> make() {
    return make_drift_detector(
        {.detector = GetParam(), .delta = 0.01, .threshold = 20, .min_samples = 30});
  }
};

TEST_P(DriftConformance, FindsARiseOfTheErrorSoonAndOnlyThen) {
  int early = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto detector = make();
    bool found = false;
    for (const int64_t signal :
         all_signals(*detector, bernoulli_stream({{500, 0.1}, {300, 0.6}}, seed))) {
      early += signal < 500 ? 1 : 0;
      found = found || (signal >= 500 && signal < 600);
    }
    EXPECT_TRUE(found) << seed;
  }
  EXPECT_LE(early, 2);
}

TEST_P(DriftConformance, AConstantStreamNeverDrifts) {
  const auto detector = make();
  for (int i = 0; i < 3000; ++i) {
    ASSERT_FALSE(detector->add(0.25));
  }
}

TEST_P(DriftConformance, ResetMakesItNew) {
  const auto used = make();
  const auto fresh = make();
  all_signals(*used, bernoulli_stream({{100, 0.2}, {77, 0.9}}, 4));
  used->reset();
  const auto stream = bernoulli_stream({{300, 0.2}, {300, 0.8}}, 5);
  EXPECT_EQ(all_signals(*used, stream), all_signals(*fresh, stream));
}

TEST_P(DriftConformance, RefusesNaN) {
  EXPECT_THROW(make()->add(std::numeric_limits<double>::quiet_NaN()), core::Error);
}

INSTANTIATE_TEST_SUITE_P(All,
                         DriftConformance,
                         testing::ValuesIn(drift_detectors().names()),
                         [](const auto& detector) { return detector.param; });

TEST(DriftDetectors, AreListed) {
  EXPECT_THAT(drift_detectors().names(), ElementsAre("adwin", "page_hinkley"));
}

TEST(DriftDetectors, UnknownNameNamesTheNearest) {
  try {
    make_drift_detector({.detector = "adwim"});
    FAIL() << "an unknown detector was made";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("adwin"));
  }
}

TEST(DriftOptions, AreReadFromYaml) {
  const auto options = core::read_options<DriftOptions>(
      core::parse_config_text("detector: adwin\ndelta: 0.002\nmin_samples: 64\n", "drift.yaml"));
  EXPECT_EQ(options.detector, "adwin");
  EXPECT_EQ(options.delta, 0.002);
  EXPECT_EQ(options.threshold, 20);
  EXPECT_EQ(options.min_samples, 64);
  for (const char* bad :
       {"detector: cusum\n", "delta: 2\n", "threshold: -1\n", "min_samples: 0\n"}) {
    EXPECT_THROW(core::read_options<DriftOptions>(core::parse_config_text(bad, "drift.yaml")),
                 core::Error)
        << bad;
  }
}

}  // namespace
}  // namespace coppice::monitor
