#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::data {

namespace {

[[noreturn]] void fail(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, message);
}

void check_index(int64_t index, int64_t size) {
  if (index < 0 || index >= size) {
    fail(fmt::format("sample {} of a data set of {} samples", index, size));
  }
}

class MemoryDataset final : public Dataset {
 public:
  MemoryDataset(Schema schema,
                std::vector<std::byte> samples,
                std::vector<int64_t> labels,
                std::vector<float> targets)
      : schema_(std::move(schema)),
        samples_(std::move(samples)),
        labels_(std::move(labels)),
        targets_(std::move(targets)) {}

  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }

  const Schema& schema() const override { return schema_; }

  void read(std::span<const int64_t> indices, Batch& batch) const override {
    const auto sample_bytes = static_cast<size_t>(schema_.sample_bytes());
    batch.size = static_cast<int64_t>(indices.size());
    batch.samples.resize(indices.size() * sample_bytes);
    batch.labels.resize(indices.size());
    batch.ids.assign(indices.begin(), indices.end());
    const size_t targets = schema_.target_names.size();
    batch.targets.resize(indices.size() * targets);
    std::byte* sample = batch.samples.data();
    for (size_t i = 0; i < indices.size(); ++i, sample += sample_bytes) {
      check_index(indices[i], size());
      const auto index = static_cast<size_t>(indices[i]);
      std::memcpy(sample, samples_.data() + index * sample_bytes, sample_bytes);
      batch.labels[i] = labels_[index];
      std::copy_n(targets_.data() + index * targets, targets, batch.targets.data() + i * targets);
    }
  }

  int64_t label(int64_t index) const override {
    check_index(index, size());
    return labels_[static_cast<size_t>(index)];
  }

 private:
  Schema schema_;
  std::vector<std::byte> samples_;
  std::vector<int64_t> labels_;
  std::vector<float> targets_;
};

class Subset final : public Dataset {
 public:
  Subset(DatasetPtr base, std::vector<int64_t> indices)
      : base_(std::move(base)), indices_(std::move(indices)) {}

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }

  const Schema& schema() const override { return base_->schema(); }

  void read(std::span<const int64_t> indices, Batch& batch) const override {
    std::vector<int64_t> mapped(indices.size());
    std::transform(
        indices.begin(), indices.end(), mapped.begin(), [&](int64_t i) { return base_index(i); });
    base_->read(mapped, batch);
  }

  int64_t label(int64_t index) const override { return base_->label(base_index(index)); }

 private:
  int64_t base_index(int64_t index) const {
    check_index(index, size());
    return indices_[static_cast<size_t>(index)];
  }

  DatasetPtr base_;
  std::vector<int64_t> indices_;
};

class Concatenation final : public Dataset {
 public:
  explicit Concatenation(std::vector<DatasetPtr> parts) : parts_(std::move(parts)) {
    for (const DatasetPtr& part : parts_) {
      starts_.push_back(size_);
      size_ += part->size();
    }
  }

  int64_t size() const override { return size_; }

  const Schema& schema() const override { return parts_.front()->schema(); }

  void read(std::span<const int64_t> indices, Batch& batch) const override {
    std::vector<std::vector<int64_t>> positions(parts_.size());
    std::vector<std::vector<int64_t>> wanted(parts_.size());
    for (size_t i = 0; i < indices.size(); ++i) {
      const size_t part = part_of(indices[i]);
      positions[part].push_back(static_cast<int64_t>(i));
      wanted[part].push_back(indices[i] - starts_[part]);
    }
    const auto sample_bytes = static_cast<size_t>(schema().sample_bytes());
    batch.size = static_cast<int64_t>(indices.size());
    batch.samples.resize(indices.size() * sample_bytes);
    batch.labels.resize(indices.size());
    batch.ids.assign(indices.begin(), indices.end());
    const size_t targets = schema().target_names.size();
    batch.targets.resize(indices.size() * targets);
    Batch piece;
    for (size_t part = 0; part < parts_.size(); ++part) {
      if (wanted[part].empty()) {
        continue;
      }
      parts_[part]->read(wanted[part], piece);
      for (size_t i = 0; i < positions[part].size(); ++i) {
        const auto position = static_cast<size_t>(positions[part][i]);
        std::memcpy(batch.samples.data() + position * sample_bytes,
                    piece.samples.data() + i * sample_bytes,
                    sample_bytes);
        batch.labels[position] = piece.labels[i];
        std::copy_n(
            piece.targets.data() + i * targets, targets, batch.targets.data() + position * targets);
      }
    }
  }

  int64_t label(int64_t index) const override {
    const size_t part = part_of(index);
    return parts_[part]->label(index - starts_[part]);
  }

 private:
  size_t part_of(int64_t index) const {
    check_index(index, size_);
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), index);
    return static_cast<size_t>(next - starts_.begin()) - 1;
  }

  std::vector<DatasetPtr> parts_;
  std::vector<int64_t> starts_;
  int64_t size_ = 0;
};

void check_targets(const Schema& schema, size_t samples, const std::vector<float>& targets) {
  const size_t count = schema.target_names.size();
  if (count > 0 && !schema.class_names.empty()) {
    fail(fmt::format("a schema with {} classes and {} targets: classify or regress",
                     schema.class_names.size(),
                     count));
  }
  if (targets.size() != samples * count) {
    fail(fmt::format(
        "{} target values for {} samples of {} targets each", targets.size(), samples, count));
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!std::isfinite(targets[i])) {
      fail(fmt::format("target '{}' of sample {} is {}; mend or drop the sample",
                       schema.target_names[i % count],
                       i / count,
                       targets[i]));
    }
  }
}

}  // namespace

int64_t size_bytes(ElementType type) {
  return type == ElementType::U8 ? 1 : 4;
}

int64_t Schema::sample_elements() const {
  return std::accumulate(sample_shape.begin(), sample_shape.end(), int64_t{1}, std::multiplies<>());
}

int64_t Schema::sample_bytes() const {
  return sample_elements() * size_bytes(type);
}

DatasetPtr make_memory_dataset(Schema schema,
                               std::vector<std::byte> samples,
                               std::vector<int64_t> labels,
                               std::vector<float> targets) {
  if (schema.sample_shape.empty() || std::any_of(schema.sample_shape.begin(),
                                                 schema.sample_shape.end(),
                                                 [](int64_t extent) { return extent < 1; })) {
    fail(fmt::format("a sample shape of [{}]: every extent must be positive",
                     fmt::join(schema.sample_shape, ", ")));
  }
  if (samples.size() != labels.size() * static_cast<size_t>(schema.sample_bytes())) {
    fail(fmt::format("{} bytes of samples for {} labels: a sample of [{}] has {} bytes",
                     samples.size(),
                     labels.size(),
                     fmt::join(schema.sample_shape, ", "),
                     schema.sample_bytes()));
  }
  const auto classes = static_cast<int64_t>(schema.class_names.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < -1 || labels[i] >= classes) {
      fail(fmt::format("label {} of sample {}: there are {} classes", labels[i], i, classes));
    }
  }
  check_targets(schema, labels.size(), targets);
  return std::make_shared<MemoryDataset>(
      std::move(schema), std::move(samples), std::move(labels), std::move(targets));
}

DatasetPtr make_subset(DatasetPtr base, std::vector<int64_t> indices) {
  for (const int64_t index : indices) {
    check_index(index, base->size());
  }
  return std::make_shared<Subset>(std::move(base), std::move(indices));
}

DatasetPtr make_concatenation(std::vector<DatasetPtr> parts) {
  if (parts.empty()) {
    fail("a concatenation of no data sets");
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (!(parts[i]->schema() == parts[0]->schema())) {
      fail(fmt::format("part {} of a concatenation has another schema than the first", i + 1));
    }
  }
  return std::make_shared<Concatenation>(std::move(parts));
}

Batch read_all(const Dataset& dataset) {
  std::vector<int64_t> indices(static_cast<size_t>(dataset.size()));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  Batch batch;
  dataset.read(indices, batch);
  return batch;
}

std::vector<int64_t> class_counts(const Dataset& dataset) {
  std::vector<int64_t> counts(dataset.schema().class_names.size());
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const int64_t label = dataset.label(i);
    if (label >= 0) {
      ++counts[static_cast<size_t>(label)];
    }
  }
  return counts;
}

}  // namespace coppice::data
