#pragma once

#include <string>

#include <gtest/gtest.h>

namespace coppice::testing {

/// Without printing the page, which is long.
inline void expect_on_page(const std::string& page, const std::string& part) {
  EXPECT_NE(page.find(part), std::string::npos) << part;
}

/// Has a chart, and nothing that a browser would fetch or follow.
inline void expect_stands_alone(const std::string& page) {
  expect_on_page(page, "<svg");
  for (const char* part : {"href=", "src=", "url(", "@import", "<script", "<iframe", "<link"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
}

}  // namespace coppice::testing
