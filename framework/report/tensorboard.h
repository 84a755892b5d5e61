#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace coppice::report {

/// Writes scalars that TensorBoard shows: a file events.out.tfevents.<time>.<host>.<process>.<n> in
/// a folder. Flushed at every call.
class TensorBoardLog {
 public:
  /// Makes the folder when absent. Throws Error{Io}.
  explicit TensorBoardLog(const std::filesystem::path& folder);

  /// Tags may hold "/": TensorBoard groups by the first part ("train/loss").
  void write(int64_t step, const std::map<std::string, double>& values);

  const std::filesystem::path& file() const { return path_; }

 private:
  void write_record(const std::string& event);

  std::filesystem::path path_;
  std::ofstream file_;
};

struct TensorBoardEvent {
  double wall_time = 0;  ///< seconds since 1970
  int64_t step = 0;
  std::string file_version;  ///< of the first event: "brain.Event:2"
  std::map<std::string, float> scalars;
};

/// Checks every checksum. Throws Error{NotFound, Corrupt} naming the byte offset of the record.
std::vector<TensorBoardEvent> read_tensorboard(const std::filesystem::path& file);

}  // namespace coppice::report
