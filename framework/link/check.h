#pragma once

#include "link/message.h"

namespace coppice::link {

/// Names the first field of the envelope that lies outside the range in message.h, "" when there is
/// none.
std::string out_of_range_field(const Envelope& envelope);

}  // namespace coppice::link
