#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace coppice::edge {

/// Writes into a file that is being fetched, made where it is missing. Not synced: what is whole is
/// told by its hash. Throws Error{NotFound, Io}.
void write_at(const std::filesystem::path& file, int64_t offset, std::span<const std::byte> bytes);

/// 0 for a file that is not there or can't be asked.
int64_t size_of(const std::filesystem::path& file);

/// As far as it can be done; a file that is not there is fine.
void remove_quietly(const std::filesystem::path& file);

/// With its parents. Throws Error{NotFound, Io}.
void make_folder(const std::filesystem::path& folder);

}  // namespace coppice::edge
