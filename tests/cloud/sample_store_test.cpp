#include "cloud/sample_store.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/tiny_dataset.h"
#include "core/expect_error.h"
#include "core/files.h"

namespace coppice::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr core::Timestamp kReceived{std::chrono::days{20000}};

link::Sample sample(int64_t sequence, size_t payload_bytes = 16) {
  link::Sample s;
  s.sequence = sequence;
  s.payload.assign(payload_bytes, static_cast<std::byte>(sequence));
  s.predicted = sequence % 4;
  s.confidence = 0.25;
  s.feedback = -1;
  s.reason = "uncertain";
  s.inclusion_probability = 0.125;
  s.captured_ms = 1000 * sequence;
  s.model_hash = "abc";
  return s;
}

std::vector<link::Sample> samples(int64_t from, int64_t to) {
  std::vector<link::Sample> result;
  for (int64_t i = from; i <= to; ++i) {
    result.push_back(sample(i));
  }
  return result;
}

class SampleStoreTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "samples.db"; }

  static SampleStore::Stored put(SampleStore& store,
                                 const std::string& device,
                                 std::vector<link::Sample> samples) {
    return store.store(std::vector{SampleStore::Batch{device, std::move(samples)}}, kReceived);
  }

  static void label_all(SampleStore& store) {
    std::vector<SampleStore::Label> labels;
    for (const auto& [key, sample] : store.unlabelled(1000000)) {
      labels.push_back({key, sample.sequence % 4});
    }
    store.set_labels(labels);
  }

  static std::vector<std::string> origins(const SampleStore& store, bool held_out) {
    std::vector<std::string> result;
    store.dataset(testing::tiny_schema(), held_out, {}, &result);
    return result;
  }

  core::TemporaryFolder folder_;
};

TEST_F(SampleStoreTest, StoresEverySampleOnceAcrossAReopen) {
  {
    SampleStore store(file(), 0.2);
    const auto first = put(store, "a", samples(1, 5));
    EXPECT_EQ(first.added, 5);
    EXPECT_EQ(first.repeated, 0);
    const auto again = put(store, "a", samples(4, 7));
    EXPECT_EQ(again.added, 2);
    EXPECT_EQ(again.repeated, 2);
    EXPECT_EQ(put(store, "b", samples(1, 2)).added, 2) << "another device, another key";
  }
  SampleStore store(file(), 0.2, false);
  EXPECT_EQ(store.count(), 9);
  const auto again = store.store(
      std::vector<SampleStore::Batch>{{"a", samples(1, 8)}, {"b", samples(2, 2)}, {"c", {}}},
      kReceived);
  EXPECT_EQ(again.added, 1);
  EXPECT_EQ(again.repeated, 8);
  EXPECT_EQ(store.count(), 10);
}

TEST_F(SampleStoreTest, ARepeatChangesNothing) {
  SampleStore store(file(), 0, false);
  put(store, "a", {sample(1)});
  store.set_labels(std::vector<SampleStore::Label>{{{"a", 1}, 3}});
  link::Sample other = sample(1);
  other.payload.assign(16, std::byte{99});
  put(store, "a", {other});
  const auto dataset = store.dataset(testing::tiny_schema(), false);
  EXPECT_EQ(dataset->label(0), 3);
  EXPECT_EQ(data::read_all(*dataset).samples, sample(1).payload);
}

TEST_F(SampleStoreTest, GivesBackWhatWasPutIn) {
  SampleStore store(file(), 0.2, false);
  std::vector<link::Sample> in{sample(1, 16), sample(2, 0), sample(3, 5000), sample(4, 1)};
  in[1].predicted = -1;
  in[2].feedback = 7;
  in[3].reason = "it's \"quoted\"; DROP TABLE sample";
  put(store, "a", in);
  const auto out = store.unlabelled(10);
  ASSERT_THAT(out, SizeIs(4));
  for (size_t i = 0; i < in.size(); ++i) {
    EXPECT_EQ(out[i].key.device, "a");
    EXPECT_EQ(out[i].key.sequence, in[i].sequence);
    EXPECT_EQ(out[i].sample, in[i]);
  }
  EXPECT_THAT(store.unlabelled(3), SizeIs(3));
  EXPECT_THAT(store.unlabelled(0), IsEmpty());
}

TEST_F(SampleStoreTest, LabelsMakeADataset) {
  SampleStore store(file(), 0, false);
  put(store, "b", samples(1, 3));
  put(store, "a", {sample(1), sample(2, 7)});
  store.set_labels(
      std::vector<SampleStore::Label>{{{"b", 1}, 0}, {{"b", 3}, 2}, {{"a", 1}, 3}, {{"a", 2}, 1}});
  EXPECT_EQ(store.labelled(false), 4);
  EXPECT_EQ(store.labelled(true), 0);
  std::vector<std::string> origins;
  const auto dataset = store.dataset(testing::tiny_schema(), false, {}, &origins);
  EXPECT_THAT(origins, ElementsAre("b/1", "b/3", "a/1")) << "a/2 has another size";
  ASSERT_EQ(dataset->size(), 3);
  EXPECT_EQ(dataset->label(1), 2);
  EXPECT_EQ(store.dataset(testing::tiny_schema(), false, core::from_millis(2000))->size(), 1);
  EXPECT_EQ(store.dataset(testing::tiny_schema(), true)->size(), 0);
}

TEST_F(SampleStoreTest, WhatNobodyCanTellGoesToTheEndOfTheQueue) {
  SampleStore store(file(), 0, false);
  put(store, "a", samples(1, 3));
  const auto first = store.unlabelled(1);
  store.set_labels(std::vector<SampleStore::Label>{{first[0].key, -1}});
  const auto next = store.unlabelled(3);
  ASSERT_THAT(next, SizeIs(3));
  EXPECT_EQ(next[0].key.sequence, 2);
  EXPECT_EQ(next[2].key.sequence, 1);
}

TEST_F(SampleStoreTest, LabelsAreTakenTogetherOrNotAtAll) {
  SampleStore store(file(), 0, false);
  put(store, "a", samples(1, 2));
  const std::vector<SampleStore::Label> labels{{{"a", 1}, 0}, {{"a", 9}, 0}};
  EXPECT_ERROR(store.set_labels(labels), NotFound, HasSubstr("sample 9 of device 'a'"));
  EXPECT_EQ(store.labelled(false), 0);
}

TEST_F(SampleStoreTest, WhatIsHeldOutDependsOnTheKeyAlone) {
  SampleStore forward(file(), 0.2, false);
  put(forward, "a", samples(1, 500));
  put(forward, "b", samples(1, 500));
  label_all(forward);
  const auto held_out = origins(forward, true);
  const auto trained_on = origins(forward, false);
  EXPECT_EQ(held_out.size() + trained_on.size(), 1000U);
  EXPECT_NEAR(static_cast<double>(held_out.size()), 200, 50);
  EXPECT_EQ(forward.labelled(true), std::ssize(held_out));

  SampleStore backward(folder_.path() / "other.db", 0.2, false);
  auto reversed = samples(1, 500);
  std::reverse(reversed.begin(), reversed.end());
  for (link::Sample& s : reversed) {
    s.payload[0] = std::byte{200};
  }
  put(backward, "b", reversed);
  put(backward, "a", reversed);
  label_all(backward);
  const auto as_set = [](const std::vector<std::string>& v) {
    return std::set<std::string>(v.begin(), v.end());
  };
  EXPECT_EQ(as_set(origins(backward, true)), as_set(held_out));

  SampleStore changed(file(), 0.9, false);  // another share for what comes, not for what is there
  EXPECT_EQ(origins(changed, true), held_out);
}

/// A model that is right in `accuracy` of cases; audits of 5 % and every third mistake are sent.
std::vector<link::Sample> biased_stream(core::Rng& rng,
                                        int64_t first,
                                        int64_t size,
                                        double& accuracy) {
  std::vector<link::Sample> sent;
  int64_t right = 0;
  const double chance = rng.uniform(0.6, 0.95);
  for (int64_t i = first; i < first + size; ++i) {
    link::Sample s = sample(i, 1);
    const bool is_right = rng.bernoulli(chance);
    s.predicted = (i + (is_right ? 0 : 1)) % 4;  // the label is i % 4
    right += is_right ? 1 : 0;
    // The audit share was changed on the way.
    const double share = i < first + size / 2 ? 0.02 : 0.1;
    if (rng.bernoulli(share)) {
      s.reason = "audit";
      s.inclusion_probability = share;
      sent.push_back(s);
    } else if (!is_right && rng.bernoulli(1.0 / 3)) {
      s.reason = "misclassified";
      s.inclusion_probability = (1 - share) / 3;
      sent.push_back(s);
    }
  }
  accuracy = static_cast<double>(right) / static_cast<double>(size);
  return sent;
}

TEST_F(SampleStoreTest, AccuracyIsEstimatedWithoutBiasFromABiasedStream) {
  SampleStore store(file(), 0.2, false);
  core::Rng rng(8);
  constexpr int kTrials = 12;
  constexpr int64_t kSize = 3000;
  double error_sum = 0;
  double variance_sum = 0;
  double raw_error_sum = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const int64_t first = 1 + trial * kSize;
    double accuracy = 0;
    const auto sent = biased_stream(rng, first, kSize, accuracy);
    put(store, "a", sent);
    label_all(store);
    const auto estimate = store.estimate_accuracy(core::from_millis(1000 * first));
    EXPECT_NEAR(static_cast<double>(estimate.audits), 180, 50);
    EXPECT_GT(estimate.standard_error, 0);
    EXPECT_NEAR(estimate.accuracy, accuracy, 4 * estimate.standard_error);
    error_sum += estimate.accuracy - accuracy;
    variance_sum += estimate.standard_error * estimate.standard_error;
    const auto right = std::count_if(sent.begin(), sent.end(), [](const link::Sample& s) {
      return s.predicted == s.sequence % 4;
    });
    raw_error_sum += static_cast<double>(right) / static_cast<double>(sent.size()) - accuracy;
  }
  EXPECT_LT(std::abs(error_sum), 3 * std::sqrt(variance_sum)) << "of the mean over all trials";
  EXPECT_LT(raw_error_sum / kTrials, -0.2) << "what is sent as a whole is much harder";
}

TEST_F(SampleStoreTest, WeighsAuditsByTheirInclusion) {
  SampleStore store(file(), 0, false);
  std::vector<link::Sample> audits = samples(1, 3);
  for (link::Sample& s : audits) {
    s.reason = "audit";
  }
  audits[0].inclusion_probability = 0.01;  // stands for 100, right
  audits[1].inclusion_probability = 0.1;   // for 10, wrong
  audits[1].predicted = 3;
  audits[2].inclusion_probability = 0.1;  // for 10, not labelled
  put(store, "a", audits);
  EXPECT_TRUE(std::isnan(store.estimate_accuracy({}).accuracy));
  EXPECT_EQ(store.estimate_accuracy({}).audits, 0);
  store.set_labels(std::vector<SampleStore::Label>{{{"a", 1}, 1}, {{"a", 2}, 2}});
  const auto estimate = store.estimate_accuracy({});
  EXPECT_EQ(estimate.audits, 2);
  EXPECT_DOUBLE_EQ(estimate.accuracy, 100.0 / 110);
  const double effective = 110.0 * 110 / (100 * 100 + 10 * 10);
  EXPECT_NEAR(estimate.standard_error, std::sqrt(100.0 / 110 * 10 / 110 / effective), 1e-12);
  EXPECT_EQ(store.estimate_accuracy(core::from_millis(2000)).accuracy, 0);
}

TEST_F(SampleStoreTest, ADamagedDatabaseIsCorrupt) {
  core::write_file(file(), std::string(5000, 'x'));
  EXPECT_ERROR(SampleStore(file(), 0.1), Corrupt, HasSubstr("samples.db"));
}

}  // namespace
}  // namespace coppice::cloud
