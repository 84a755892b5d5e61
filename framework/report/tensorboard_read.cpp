#include <cstring>

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "report/crc32c.h"
#include "report/tensorboard.h"

namespace coppice::report {

namespace {

[[noreturn]] void fail(const char* reason) {
  throw core::Error(core::ErrorKind::Corrupt, reason);
}

/// Takes protobuf fields off the front of a message. Throws Error{Corrupt}.
class Wire {
 public:
  explicit Wire(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }

  template <class T>
  T fixed() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    fail("a number is too long");
  }

  std::string_view bytes() { return take(varint()); }

  std::string_view take(uint64_t size) {
    if (size > text_.size()) {
      fail("truncated");
    }
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(size);
    return taken;
  }

  void skip(uint64_t type) {
    switch (type) {
      case 0:
        varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        bytes();
        break;
      case 5:
        take(4);
        break;
      default:
        fail("unknown wire type");
    }
  }

 private:
  std::string_view text_;
};

constexpr uint64_t key(uint64_t field, uint64_t type) {
  return field << 3 | type;
}

void read_value(std::string_view text, TensorBoardEvent& event) {
  Wire wire(text);
  std::string tag;
  float value = 0;
  while (!wire.done()) {
    const uint64_t next = wire.varint();
    if (next == key(1, 2)) {
      tag = wire.bytes();
    } else if (next == key(2, 5)) {
      value = wire.fixed<float>();
    } else {
      wire.skip(next & 7);
    }
  }
  event.scalars[tag] = value;
}

TensorBoardEvent read_event(std::string_view text) {
  TensorBoardEvent event;
  Wire wire(text);
  while (!wire.done()) {
    const uint64_t next = wire.varint();
    if (next == key(1, 1)) {
      event.wall_time = wire.fixed<double>();
    } else if (next == key(2, 0)) {
      event.step = static_cast<int64_t>(wire.varint());
    } else if (next == key(3, 2)) {
      event.file_version = wire.bytes();
    } else if (next == key(5, 2)) {
      Wire summary(wire.bytes());
      while (!summary.done()) {
        const uint64_t inner = summary.varint();
        if (inner == key(1, 2)) {
          read_value(summary.bytes(), event);
        } else {
          summary.skip(inner & 7);
        }
      }
    } else {
      wire.skip(next & 7);
    }
  }
  return event;
}

std::string_view checked(Wire& wire, uint64_t size) {
  const std::string_view bytes = wire.take(size);
  if (wire.fixed<uint32_t>() != masked_crc32c(core::as_bytes(bytes))) {
    fail("wrong checksum");
  }
  return bytes;
}

/// The first record that is not whole, if any.
struct Damage {
  size_t offset = 0;
  std::string reason;
};

std::vector<TensorBoardEvent> read_events(const std::filesystem::path& file, Damage& damage) {
  const std::string text = core::read_text(file);
  std::vector<TensorBoardEvent> events;
  size_t offset = 0;
  try {
    while (offset < text.size()) {
      Wire wire(std::string_view(text).substr(offset));
      Wire length(checked(wire, sizeof(uint64_t)));
      const std::string_view event = checked(wire, length.fixed<uint64_t>());
      events.push_back(read_event(event));
      offset += sizeof(uint64_t) + event.size() + 2 * sizeof(uint32_t);
    }
  } catch (const core::Error& error) {
    damage = {offset, error.what()};
  }
  return events;
}

}  // namespace

std::vector<TensorBoardEvent> read_tensorboard(const std::filesystem::path& file) {
  Damage damage;
  auto events = read_events(file, damage);
  if (!damage.reason.empty()) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        fmt::format("'{}': record at byte {}: {}", file.string(), damage.offset, damage.reason));
  }
  return events;
}

std::vector<TensorBoardEvent> read_whole_events(const std::filesystem::path& file) {
  Damage damage;
  return read_events(file, damage);
}

}  // namespace coppice::report
