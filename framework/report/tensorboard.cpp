#include "report/tensorboard.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "report/crc32c.h"

namespace coppice::report {

namespace {

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
constexpr uint32_t kWallTime = 1;     // Event: double
constexpr uint32_t kStep = 2;         // Event: int64
constexpr uint32_t kFileVersion = 3;  // Event: string
constexpr uint32_t kSummary = 5;      // Event: Summary
constexpr uint32_t kValue = 1;        // Summary: repeated Value
constexpr uint32_t kTag = 1;          // Value: string
constexpr uint32_t kSimpleValue = 2;  // Value: float

constexpr std::string_view kFilePrefix = "events.out.tfevents.";

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

static_assert(std::endian::native == std::endian::little,
              "fixed-width fields are copied as they lie");

template <class T>
void put_fixed(std::string& out, T value) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.append(bytes.data(), bytes.size());
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    out += static_cast<char>((value & 0x7f) | 0x80);
  }
  out += static_cast<char>(value);
}

void put_key(std::string& out, uint32_t field, WireType type) {
  put_varint(out, field << 3 | type);
}

void put_bytes(std::string& out, uint32_t field, const std::string& bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

double now_seconds() {
  return static_cast<double>(core::to_millis(core::SystemClock().now())) / 1000.0;
}

std::string start_event(double wall_time) {
  std::string event;
  put_key(event, kWallTime, kFixed64);
  put_fixed(event, wall_time);
  return event;
}

std::string file_name() {
  static std::atomic<int> count{0};
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}{:010}.{}.{}.{}",
                     kFilePrefix,
                     core::to_millis(core::SystemClock().now()) / 1000,
                     host.data(),
                     ::getpid(),
                     count++);
}

}  // namespace

std::vector<std::filesystem::path> tensorboard_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(folder)) {
    return files;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename().string().starts_with(kFilePrefix)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder) : path_(folder / file_name()) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  file_.open(path_, std::ios::binary | std::ios::trunc);
  std::string event = start_event(now_seconds());
  put_bytes(event, kFileVersion, "brain.Event:2");
  write_record(event);
}

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder, int64_t last_step)
    : TensorBoardLog(folder) {
  for (const auto& older : tensorboard_files(folder)) {
    if (older == path_) {
      continue;
    }
    for (const TensorBoardEvent& event : read_whole_events(older)) {
      if (!event.scalars.empty() && event.step <= last_step) {
        write(event.wall_time, event.step, {event.scalars.begin(), event.scalars.end()});
      }
    }
    std::error_code error;
    std::filesystem::remove(older, error);
    if (error) {
      throw core::Error(core::ErrorKind::Io,
                        fmt::format("can't remove '{}': {}", older.string(), error.message()));
    }
  }
}

void TensorBoardLog::write(int64_t step, const std::map<std::string, double>& values) {
  write(now_seconds(), step, values);
}

void TensorBoardLog::write(double wall_time,
                           int64_t step,
                           const std::map<std::string, double>& values) {
  std::string summary;
  for (const auto& [tag, number] : values) {
    std::string value;
    put_bytes(value, kTag, tag);
    put_key(value, kSimpleValue, kFixed32);
    put_fixed(value, static_cast<float>(number));
    put_bytes(summary, kValue, value);
  }
  std::string event = start_event(wall_time);
  put_key(event, kStep, kVarint);
  put_varint(event, static_cast<uint64_t>(step));
  put_bytes(event, kSummary, summary);
  write_record(event);
}

void TensorBoardLog::write_record(const std::string& event) {
  std::string record;
  put_fixed(record, static_cast<uint64_t>(event.size()));
  put_fixed(record, masked_crc32c(core::as_bytes(record)));
  record += event;
  put_fixed(record, masked_crc32c(core::as_bytes(event)));
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  file_.flush();
  if (!file_) {
    throw core::Error(core::ErrorKind::Io, fmt::format("can't write '{}'", path_.string()));
  }
}

}  // namespace coppice::report
