#pragma once

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

/// Expects `statement` to throw core::Error of `expected_kind` with a one-line message that
/// `matcher` accepts.
#define EXPECT_ERROR(statement, expected_kind, matcher)                                    \
  do {                                                                                     \
    bool threw_error = false;                                                              \
    try {                                                                                  \
      statement;                                                                           \
    } catch (const ::coppice::core::Error& caught) {                                       \
      threw_error = true;                                                                  \
      EXPECT_EQ(::coppice::core::to_string(caught.kind()),                                 \
                ::coppice::core::to_string(::coppice::core::ErrorKind::expected_kind));    \
      EXPECT_THAT(std::string(caught.what()), matcher);                                    \
      EXPECT_THAT(std::string(caught.what()), ::testing::Not(::testing::HasSubstr("\n"))); \
    }                                                                                      \
    EXPECT_TRUE(threw_error) << #statement << " did not throw";                            \
  } while (false)
