#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace coppice::data {

enum class ElementType { U8, F32 };

int64_t size_bytes(ElementType type);

/// What every sample of a data set looks like.
///
/// Classes and regression targets exclude each other; a data set with neither is there to be
/// reconstructed, and its labels are all -1.
struct Schema {
  std::string task = "classification";  ///< or "regression", "reconstruction"
  ElementType type = ElementType::U8;
  std::vector<int64_t> sample_shape;  ///< [channels, height, width], [channels, time] or [features]
  std::vector<std::string> class_names;
  std::vector<std::string> target_names = {};  ///< of regression; one number of a sample for each

  int64_t sample_elements() const;
  int64_t sample_bytes() const;

  int64_t target_count() const { return static_cast<int64_t>(target_names.size()); }

  bool operator==(const Schema&) const = default;
};

/// Samples read together; buffers are reused between reads.
struct Batch {
  int64_t size = 0;
  std::vector<std::byte> samples;   ///< size x sample_bytes, row-major
  std::vector<int64_t> labels;      ///< size; -1 where unknown
  std::vector<int64_t> ids;         ///< size; positions in the root data set, for messages
  std::vector<float> targets = {};  ///< size x target_count, row-major
};

/// What is known of samples beside their schema, for grouping, ordering and slicing: "device",
/// "recording", "time" → one text per sample.
using Columns = std::map<std::string, std::vector<std::string>>;

/// Samples by index. Reading is const and thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual const Schema& schema() const = 0;
  /// Throws Error{InvalidArgument} for an index out of range.
  virtual void read(std::span<const int64_t> indices, Batch& batch) const = 0;
  virtual int64_t label(int64_t index) const = 0;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// Owns its samples in memory. Throws Error{InvalidArgument} when sizes, labels or targets do not
/// fit the schema: a label is a position among the class names, or -1 where unknown; targets are
/// finite.
DatasetPtr make_memory_dataset(Schema schema,
                               std::vector<std::byte> samples,
                               std::vector<int64_t> labels,
                               std::vector<float> targets = {});

/// Cheap views. Both throw Error{InvalidArgument}: an index out of range; no parts, or parts with
/// different schemas.
DatasetPtr make_subset(DatasetPtr base, std::vector<int64_t> indices);
/// The parts one after the other; its ids are positions in the concatenation.
DatasetPtr make_concatenation(std::vector<DatasetPtr> parts);

/// All of it in one batch.
Batch read_all(const Dataset& dataset);

/// Samples per class name; unknown labels are not counted.
std::vector<int64_t> class_counts(const Dataset& dataset);

}  // namespace coppice::data
