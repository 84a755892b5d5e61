#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace coppice::data {

/// A stretch of a file's bytes.
struct Stretch {
  int64_t offset = 0;
  int64_t size = 0;
};

/// A line that, behind a file's bytes, seals all of them but one stretch (the samples, which have a
/// hash of their own and may be large). HDF5 does not look behind its end.
///
/// HDF5 follows altered records into crashes, endless loops and leaks that it complains about on
/// stderr when the program ends: it gets to see a file only when the seal is whole.
std::string make_seal(std::span<const std::byte> bytes, const Stretch& unsealed);

/// Throws Error{NotFound, Io}, and Error{Corrupt} for a file that has no seal, is truncated or was
/// altered outside the unsealed stretch.
void check_seal(const std::filesystem::path& file);

}  // namespace coppice::data
