#include "runtime/byte_table.h"
#include "runtime/onednn/match.h"

namespace coppice::runtime::onednn {

std::optional<Stage> match_lookup(ModelIndex& index, const graph::Node& last) {
  std::optional<ByteTable> chain = match_byte_table(index, last);
  if (!chain) {
    return std::nullopt;
  }
  Work work = Alias{};
  if (!chain->identity) {
    work = Lookup{std::move(chain->table)};
  }
  return stage_of(last, {chain->source}, std::move(work));
}

}  // namespace coppice::runtime::onednn
