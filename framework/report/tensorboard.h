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

  /// For a run that goes on after `last_step`, or begins anew (-1): the events of the folder's
  /// older files up to that step, with their times, come first in the new file; the older files go.
  /// What follows a damaged record, as a kill leaves one at the end, counts as not written.
  TensorBoardLog(const std::filesystem::path& folder, int64_t last_step);

  /// Tags may hold "/": TensorBoard groups by the first part ("train/loss").
  void write(int64_t step, const std::map<std::string, double>& values);

  const std::filesystem::path& file() const { return path_; }

 private:
  void write(double wall_time, int64_t step, const std::map<std::string, double>& values);
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

/// The event files of a folder, oldest first. Empty when there is no such folder.
std::vector<std::filesystem::path> tensorboard_files(const std::filesystem::path& folder);

/// The events before the first damaged record. Throws Error{NotFound}.
std::vector<TensorBoardEvent> read_whole_events(const std::filesystem::path& file);

/// Checks every checksum. Throws Error{NotFound, Corrupt} naming the byte offset of the record.
std::vector<TensorBoardEvent> read_tensorboard(const std::filesystem::path& file);

}  // namespace coppice::report
