#pragma once

#include <filesystem>
#include <string>

#include "core/error.h"
#include "core/files.h"
#include "data/reader.h"

namespace coppice::data {

ImportedSamples import_idx(const SourceOptions& options, const std::filesystem::path& folder);
ImportedSamples import_csv(const SourceOptions& options, const std::filesystem::path& folder);
ImportedSamples import_npy(const SourceOptions& options, const std::filesystem::path& folder);
ImportedSamples import_cifar10(const SourceOptions& options, const std::filesystem::path& folder);
ImportedSamples import_cifar100(const SourceOptions& options, const std::filesystem::path& folder);
ImportedSamples import_folder(const SourceOptions& options, const std::filesystem::path& folder);
ImportedSamples import_libsvm(const SourceOptions& options, const std::filesystem::path& folder);
ImportedSamples import_hdf5(const SourceOptions& options, const std::filesystem::path& folder);

/// Throws Error{InvalidArgument} unless there is one file of samples.
std::filesystem::path single_file(const SourceOptions& options,
                                  const std::filesystem::path& folder);

/// A file's bytes, unzipped when they are gzip: the first bytes tell, not the name.
core::Bytes read_unzipped(const std::filesystem::path& file);

/// Throws Error{Corrupt}: "FILE: REASON".
[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& reason);

}  // namespace coppice::data
