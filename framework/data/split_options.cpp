#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "data/split.h"
#include "data/split_shares.h"

namespace coppice::data {

namespace {

constexpr std::array<std::pair<SplitMethod, std::string_view>, 3> kSplitMethods = {
    {{SplitMethod::Stratified, "stratified"},
     {SplitMethod::Grouped, "grouped"},
     {SplitMethod::Ordered, "ordered"}}};

const std::vector<std::string>& column_of(const Columns& columns, const std::string& name) {
  const auto at = columns.find(name);
  if (at != columns.end()) {
    return at->second;
  }
  std::vector<std::string> names;
  for (const auto& [known, texts] : columns) {
    names.push_back(known);
  }
  throw core::Error(core::ErrorKind::NotFound,
                    fmt::format("split.column: the data set has no column '{}'{}; it has {}",
                                name,
                                core::did_you_mean(name, names),
                                names.empty() ? "none: import it with 'columns'"
                                              : fmt::format("{}", fmt::join(names, ", "))));
}

}  // namespace

void SplitPart::visit(core::Fields& f) {
  f.field("name", name, {.help = "name of the part", .required = true});
  f.field("share", share, {.help = "of all samples", .min = 0, .max = 1, .required = true});
}

void SplitOptions::visit(core::Fields& f) {
  f.choice("method",
           method,
           kSplitMethods,
           {.help = "class shares as in the whole, no group in two parts, or the past first"});
  f.field("column", column, {.help = "of groups or times; empty orders by position"});
  f.field("seed", seed, {.help = "of the draw", .min = 0, .max = 9e15});
  f.list("parts", parts, "what it is split into, in order");
}

std::vector<std::vector<int64_t>> split(const Dataset& dataset,
                                        const Columns& columns,
                                        const SplitOptions& options) {
  std::vector<double> shares;
  for (const SplitPart& part : options.parts) {
    shares.push_back(part.share);
  }
  const core::Rng rng = core::Rng(static_cast<uint64_t>(options.seed)).split("split");
  switch (options.method) {
    case SplitMethod::Stratified:
      return stratified_split(dataset, sizes_of_shares(dataset.size(), shares), rng);
    case SplitMethod::Grouped:
      return grouped_split(column_of(columns, options.column), shares, rng);
    case SplitMethod::Ordered:
      return ordered_split(
          options.column.empty() ? std::vector<std::string>() : column_of(columns, options.column),
          dataset.size(),
          shares);
  }
  return {};
}

}  // namespace coppice::data
