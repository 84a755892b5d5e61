#include <set>

#include <gtest/gtest.h>

#include "sweep/sampler.h"

namespace coppice::sweep {
namespace {

/// What every listed sampler does, over spaces that all can handle.
class SamplerConformance : public ::testing::TestWithParam<std::string> {
 protected:
  const Sampler& sampler() const { return *samplers().get(GetParam()); }

  std::vector<Assignment> propose(int64_t count, uint64_t seed) const {
    std::vector<Assignment> result;
    std::vector<Trial> history;
    for (int64_t i = 0; i < count; ++i) {
      const auto assignment = sampler().propose(space_, i, seed, history);
      if (!assignment) {
        break;
      }
      result.push_back(*assignment);
      Trial trial;
      trial.number = i;
      trial.assignment = *assignment;
      trial.state = i % 5 == 4 ? Trial::State::Failed : Trial::State::Finished;
      trial.objective = static_cast<double>(i % 3);
      history.push_back(trial);
    }
    return result;
  }

  std::vector<ParameterOptions> space_ = {
      {"model.depth", {"2", "3"}, {}, false, false},
      {"train.optimizer.name", {"sgd", "adam", "adamw"}, {}, false, false},
      {"model.dropout", {"0", "0.25"}, {}, false, false}};
};

TEST_P(SamplerConformance, AssignsEveryFieldOneOfItsValues) {
  const auto assignments = propose(30, 1);
  ASSERT_FALSE(assignments.empty());
  for (const Assignment& assignment : assignments) {
    ASSERT_EQ(assignment.size(), space_.size());
    for (const ParameterOptions& parameter : space_) {
      const std::string& value = assignment.at(parameter.field);
      EXPECT_NE(std::find(parameter.values.begin(), parameter.values.end(), value),
                parameter.values.end());
    }
  }
}

TEST_P(SamplerConformance, SameSeedSameTrials) {
  EXPECT_EQ(propose(30, 7), propose(30, 7));
}

TEST_P(SamplerConformance, KeepsToItsSize) {
  const auto size = sampler().size(space_);
  const auto assignments = propose(30, 1);
  EXPECT_EQ(assignments.size(), static_cast<size_t>(size.value_or(30)));
  if (size) {
    EXPECT_EQ(std::set<Assignment>(assignments.begin(), assignments.end()).size(),
              assignments.size())
        << "a space that is used up was gone through without repetition";
  }
}

TEST_P(SamplerConformance, ReachesEveryValue) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Assignment& assignment : propose(60, 3)) {
    seen.insert(assignment.begin(), assignment.end());
  }
  EXPECT_EQ(seen.size(), 7u);
}

INSTANTIATE_TEST_SUITE_P(All,
                         SamplerConformance,
                         ::testing::ValuesIn(samplers().names()),
                         [](const auto& sampler) { return sampler.param; });

}  // namespace
}  // namespace coppice::sweep
