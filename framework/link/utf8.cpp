#include "link/utf8.h"

#include <cstddef>
#include <cstdint>

namespace coppice::link {

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80          ? 1
                          : lead >> 5U == 0x6  ? 2
                          : lead >> 4U == 0xE  ? 3
                          : lead >> 3U == 0x1E ? 4
                                               : 0;
    if (length == 0 || text.size() - i < length) {
      return false;
    }
    uint32_t code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if (next >> 6U != 0x2) {
        return false;
      }
      code = code << 6U | (next & 0x3FU);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // by length: no longer than needed
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < kLeast[length] || code > 0x10FFFF || surrogate) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace coppice::link
