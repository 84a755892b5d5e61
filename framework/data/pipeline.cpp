#include <fmt/format.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "core/error.h"
#include "data/transform.h"

namespace coppice::data {

namespace {

constexpr size_t kGrain = 32;  // samples per task: tens of microseconds of work

[[noreturn]] void refuse_transform(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, message);
}

template <class Change>
void for_each_sample(Batch& batch, const Schema& schema, const Change& change) {
  const auto bytes = static_cast<size_t>(schema.sample_bytes());
  const auto size = static_cast<size_t>(batch.size);
  if (batch.samples.size() != size * bytes) {
    refuse_transform(fmt::format(
        "a batch of {} samples has {} bytes: a sample has {}", size, batch.samples.size(), bytes));
  }
  const std::span<std::byte> samples(batch.samples);
  tbb::parallel_for(tbb::blocked_range<size_t>(0, size, kGrain), [&](const auto& range) {
    for (size_t i = range.begin(); i != range.end(); ++i) {
      change(samples.subspan(i * bytes, bytes), i);
    }
  });
}

class Transformed final : public Dataset {
 public:
  Transformed(DatasetPtr base, const std::vector<TransformOptions>& options, uint64_t seed)
      : base_(std::move(base)), pipeline_(options, base_->schema()), root_(seed) {}

  int64_t size() const override { return base_->size(); }

  const Schema& schema() const override { return base_->schema(); }

  void read(std::span<const int64_t> indices, Batch& batch) const override {
    base_->read(indices, batch);
    if (pipeline_.empty()) {
      return;
    }
    for_each_sample(batch, schema(), [&](std::span<std::byte> sample, size_t i) {
      core::Rng rng = root_.split(static_cast<uint64_t>(indices[i]));
      pipeline_.apply(sample, rng);
    });
  }

  int64_t label(int64_t index) const override { return base_->label(index); }

 private:
  DatasetPtr base_;
  Pipeline pipeline_;
  core::Rng root_;
};

}  // namespace

void TransformOptions::visit(core::Fields& f) {
  f.field(
      "name", name, {.help = "which transform", .choices = transforms().names(), .required = true});
  f.field("probability",
          probability,
          {.help = "share of the images that it changes", .min = 0, .max = 1});
  f.field("low", low, {.help = "lowest strength, in the transform's unit"});
  f.field("high", high, {.help = "highest strength; the same as low for a fixed one"});
}

void check_transform(const TransformOptions& options, const Schema& schema) {
  const Transform& transform = *transforms().get(options.name);
  const StrengthRange range = transform.range();
  if (!(options.low >= range.min && options.low <= options.high && options.high <= range.max)) {
    refuse_transform(
        fmt::format("transform '{}': strengths from {} to {} must ascend within [{}, {}]",
                    options.name,
                    options.low,
                    options.high,
                    range.min,
                    range.max));
  }
  if (!(options.probability >= 0 && options.probability <= 1)) {
    refuse_transform(fmt::format(
        "transform '{}': a probability of {}; use 0 to 1", options.name, options.probability));
  }
  if (!transform.fits(schema)) {
    refuse_transform(fmt::format("transform '{}' needs {}; a sample is [{}]",
                                 options.name,
                                 transform.needs(),
                                 fmt::join(schema.sample_shape, ", ")));
  }
}

Pipeline::Pipeline(const std::vector<TransformOptions>& options, Schema schema)
    : schema_(std::move(schema)) {
  for (const TransformOptions& option : options) {
    check_transform(option, schema_);
    steps_.push_back({transforms().get(option.name), option});
  }
}

void Pipeline::apply(std::span<std::byte> sample, core::Rng& rng) const {
  for (const auto& [transform, options] : steps_) {
    if (options.probability < 1 && !rng.bernoulli(options.probability)) {
      continue;
    }
    const double strength =
        options.low < options.high ? rng.uniform(options.low, options.high) : options.low;
    transform->apply(sample, schema_, strength, rng);
  }
}

void Pipeline::apply(Batch& batch, const core::Rng& rng) const {
  if (steps_.empty()) {
    return;
  }
  for_each_sample(batch, schema_, [&](std::span<std::byte> sample, size_t i) {
    core::Rng stream = rng.split(static_cast<uint64_t>(i));
    apply(sample, stream);
  });
}

void Pipeline::apply(Batch& batch, const core::Rng& rng, std::span<const int64_t> numbers) const {
  COPPICE_CHECK(numbers.size() == static_cast<size_t>(batch.size), "a number for each sample");
  if (steps_.empty()) {
    return;
  }
  for_each_sample(batch, schema_, [&](std::span<std::byte> sample, size_t i) {
    core::Rng stream = rng.split(static_cast<uint64_t>(numbers[i]));
    apply(sample, stream);
  });
}

DatasetPtr make_transformed(DatasetPtr base, std::vector<TransformOptions> options, uint64_t seed) {
  return std::make_shared<Transformed>(std::move(base), options, seed);
}

}  // namespace coppice::data
