#include "graph/transfer/container.h"

#include "core/error.h"
#include "core/hash.h"

namespace coppice::graph {

void refuse_coded(const std::string& why) {
  throw core::Error(core::ErrorKind::Corrupt, "a coded model " + why);
}

TransferChecksum checksum_of(std::span<const std::byte> bytes) {
  const std::string hex = core::sha256(bytes);
  TransferChecksum sum{};
  for (size_t i = 0; i < sum.size(); ++i) {
    sum[i] = static_cast<std::byte>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
  return sum;
}

}  // namespace coppice::graph
