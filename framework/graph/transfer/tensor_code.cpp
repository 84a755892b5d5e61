#include "graph/transfer/tensor_code.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "graph/transfer/container.h"
#include "graph/transfer/matrix_code.h"

namespace coppice::graph {

namespace {

enum class ValueForm : uint32_t { Raw, Planes, Table };

constexpr uint32_t kForms = 3;
constexpr int kTableBits = 12;
constexpr size_t kLongestTable = size_t{1} << kTableBits;

uint64_t element_at(std::span<const std::byte> values, size_t width, uint64_t i) {
  uint64_t value = 0;
  for (size_t b = width; b-- > 0;) {
    value = (value << 8U) | std::to_integer<uint64_t>(values[i * width + b]);
  }
  return value;
}

void append_element(core::Bytes& out, size_t width, uint64_t value) {
  for (size_t b = 0; b < width; ++b) {
    out.push_back(static_cast<std::byte>((value >> (8 * b)) & 0xFFU));
  }
}

/// The values there are besides 0, ascending as unsigned numbers; empty where there are too many.
std::vector<uint64_t> table_of(std::span<const std::byte> values, size_t width) {
  std::vector<uint64_t> table;
  for (uint64_t i = 0; i < values.size() / width; ++i) {
    table.push_back(element_at(values, width, i));
  }
  std::sort(table.begin(), table.end());
  table.erase(std::unique(table.begin(), table.end()), table.end());
  std::erase(table, 0U);
  return table.size() > kLongestTable ? std::vector<uint64_t>{} : table;
}

int bits_for(size_t count) {
  int bits = 0;
  while ((size_t{1} << bits) < count) {
    ++bits;
  }
  return bits;
}

/// Both directions: an encoder is given elements by `get` and the table, a decoder fills the table
/// and hands elements to `put`.
template <class Coder, class Get, class Put>
void code_values(Coder& coder,
                 ValueForm kind,
                 const TensorForm& form,
                 uint64_t count,
                 std::vector<uint64_t> table,
                 const Get& get,
                 const Put& put) {
  if (kind == ValueForm::Raw) {
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t value = get(i);
      uint64_t result = 0;
      for (size_t b = 8 * form.width; b-- > 0;) {
        result = 2 * result + (coder.even_bit(((value >> b) & 1U) != 0) ? 1U : 0U);
      }
      put(result);
    }
    return;
  }
  PlaneCode planes;
  int bits = 0;
  if (kind == ValueForm::Table) {
    const size_t size = NumberCode().code(coder, table.size());
    if (size > kLongestTable) {
      refuse_coded("with a table that is too long");
    }
    table.resize(size);
    for (uint64_t& value : table) {
      value = planes.code(coder, value, form.width);
    }
    bits = bits_for(size);
  }
  ZeroFlags flags(count / form.rows);
  BitTree<kTableBits> places;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t value = get(i);
    if (flags.code(coder, value == 0)) {
      put(0);
    } else if (kind == ValueForm::Planes) {
      put(planes.code(coder, value, form.width));
    } else {
      const auto found = std::lower_bound(table.begin(), table.end(), value);
      const uint32_t place = places.code(coder, static_cast<uint32_t>(found - table.begin()), bits);
      if (place >= table.size()) {
        refuse_coded("with a value of no table");
      }
      put(table[place]);
    }
  }
}

void encode_as(RangeEncoder& coder,
               ValueForm kind,
               const TensorForm& form,
               std::span<const std::byte> values,
               const std::vector<uint64_t>& table) {
  BitTree<2>().code(coder, static_cast<uint32_t>(kind));
  code_values(
      coder,
      kind,
      form,
      values.size() / form.width,
      table,
      [&](uint64_t i) { return element_at(values, form.width, i); },
      [](uint64_t) {});
}

}  // namespace

void encode_tensor(RangeEncoder& coder, const TensorForm& form, std::span<const std::byte> values) {
  const std::vector<uint64_t> table = table_of(values, form.width);
  ValueForm best = ValueForm::Raw;
  size_t best_size = std::numeric_limits<size_t>::max();
  for (const ValueForm kind : {ValueForm::Raw, ValueForm::Planes, ValueForm::Table}) {
    if (kind == ValueForm::Table && table.empty()) {
      continue;
    }
    RangeEncoder trial;
    encode_as(trial, kind, form, values, table);
    const size_t size = trial.finish().size();
    if (size < best_size) {
      best = kind;
      best_size = size;
    }
  }
  encode_as(coder, best, form, values, table);
}

void decode_tensor(RangeDecoder& coder, const TensorForm& form, uint64_t size, core::Bytes& out) {
  const uint32_t kind = BitTree<2>().code(coder, 0);
  if (kind >= kForms) {
    refuse_coded("with values of an unknown form");
  }
  code_values(
      coder,
      static_cast<ValueForm>(kind),
      form,
      size / form.width,
      {},
      [](uint64_t) { return uint64_t{0}; },
      [&](uint64_t value) { append_element(out, form.width, value); });
}

}  // namespace coppice::graph
