#pragma once

#include <map>
#include <string>
#include <vector>

#include "c_source/plan.h"
#include "graph/tensor.h"

namespace coppice::c_source {

/// The parts of the file that grow while steps are written.
class Source {
 public:
  explicit Source(Plan& plan) : plan_(plan) {}

  Plan& plan() { return plan_; }

  /// The name of a constant array of these values; equal ones are one array.
  std::string constant(const graph::Tensor& values);
  std::string constant(const std::vector<float>& values);

  /// The expression of a pointer to a value of the model.
  std::string value(const std::string& name);

  /// A function or type of the file, once: `text` is added when `name` is new.
  void define(const std::string& name, const std::string& text);

  /// A constant structure of one step; its name.
  std::string structure(const std::string& type, const std::string& fields);

  /// A line of the function that runs the model.
  void statement(const std::string& text) { body_ += text + "\n"; }

  const std::string& functions() const { return functions_; }

  const std::string& data() const { return data_; }

  const std::string& body() const { return body_; }

  int64_t constant_bytes() const { return constant_bytes_; }

 private:
  Plan& plan_;
  std::string data_;
  std::string functions_;
  std::string body_;
  std::map<std::string, std::string> arrays_;  ///< by dtype and bytes
  std::map<std::string, bool> defined_;
  int64_t structures_ = 0;
  int64_t constant_bytes_ = 0;
};

/// Puts values in the place of @NAMES@.
std::string filled(std::string text, const std::map<std::string, std::string>& values);

}  // namespace coppice::c_source
