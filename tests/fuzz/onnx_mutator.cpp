// Changes a model as a model, by protobuf's reflection: most changed bytes would be no file at all.

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/message.h>
#include <onnx/onnx_pb.h>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace coppice {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Random = std::minstd_rand;

size_t below(Random& random, size_t count) {
  return std::uniform_int_distribution<size_t>(0, count - 1)(random);
}

int64_t some_integer(Random& random, int64_t now) {
  static constexpr int64_t kInteresting[] = {0,
                                             1,
                                             2,
                                             3,
                                             7,
                                             -1,
                                             -2,
                                             16,
                                             255,
                                             1 << 20,
                                             (int64_t{1} << 31) - 1,
                                             int64_t{1} << 31,
                                             int64_t{1} << 32,
                                             int64_t{1} << 62,
                                             INT64_MAX,
                                             INT64_MIN};
  const size_t choice = below(random, 4);
  // Unsigned, since a value at the border wraps round.
  const auto value = static_cast<uint64_t>(now);
  return choice == 0   ? static_cast<int64_t>(value + 1)
         : choice == 1 ? static_cast<int64_t>(value - 1)
                       : kInteresting[below(random, std::size(kInteresting))];
}

float some_real(Random& random, float now) {
  static constexpr float kInteresting[] = {0, 1, -1, 2, 0.5F, 1e-30F, 3e38F, -3e38F, INFINITY, NAN};
  const size_t choice = below(random, 3);
  return choice == 0 ? now * 1.5F : kInteresting[below(random, std::size(kInteresting))];
}

/// Every message of a model, and every name in it.
struct Parts {
  std::vector<Message*> messages;
  std::vector<std::string> names;
};

void collect(Message& message, Parts& parts) {
  parts.messages.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        collect(field->is_repeated() ? *reflection.MutableRepeatedMessage(&message, field, i)
                                     : *reflection.MutableMessage(&message, field),
                parts);
      } else if (field->type() == FieldDescriptor::TYPE_STRING) {
        parts.names.push_back(field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                                   : reflection.GetString(message, field));
      }
    }
  }
}

std::string some_text(Random& random, const Parts& parts, const std::string& now, bool is_name) {
  if (is_name && !parts.names.empty() && below(random, 4) > 0) {
    return parts.names[below(random, parts.names.size())];
  }
  std::vector<uint8_t> bytes(now.begin(), now.end());
  const size_t size = now.size();
  bytes.resize(size + 16);
  bytes.resize(LLVMFuzzerMutate(bytes.data(), size, bytes.size()));
  return {bytes.begin(), bytes.end()};
}

/// Another value of one element; a message is left to itself.
void change_element(
    Random& random, const Parts& parts, Message& message, const FieldDescriptor* field, int i) {
  const Reflection& r = *message.GetReflection();
  const bool many = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value = some_integer(
          random, many ? r.GetRepeatedInt64(message, field, i) : r.GetInt64(message, field));
      many ? r.SetRepeatedInt64(&message, field, i, value) : r.SetInt64(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<int32_t>(below(random, 2) == 0 ? below(random, 20)
                                                                    : below(random, UINT32_MAX));
      many ? r.SetRepeatedInt32(&message, field, i, value) : r.SetInt32(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const float value = some_real(
          random, many ? r.GetRepeatedFloat(message, field, i) : r.GetFloat(message, field));
      many ? r.SetRepeatedFloat(&message, field, i, value) : r.SetFloat(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool is_name = field->type() == FieldDescriptor::TYPE_STRING;
      const std::string now =
          many ? r.GetRepeatedString(message, field, i) : r.GetString(message, field);
      const std::string value = some_text(random, parts, now, is_name);
      many ? r.SetRepeatedString(&message, field, i, value) : r.SetString(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      if (!many) {
        const auto& type = *field->enum_type();
        const auto count = static_cast<size_t>(type.value_count());
        r.SetEnum(&message, field, type.value(static_cast<int>(below(random, count))));
      }
      break;
    default:
      break;
  }
}

void add_element(Random& random,
                 const Parts& parts,
                 Message& message,
                 const FieldDescriptor* field) {
  const Reflection& r = *message.GetReflection();
  const int size = r.FieldSize(message, field);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      Message* added = r.AddMessage(&message, field);
      if (size > 0) {
        const auto from = static_cast<int>(below(random, static_cast<size_t>(size)));
        added->CopyFrom(r.GetRepeatedMessage(message, field, from));
      }
      return;
    }
    case FieldDescriptor::CPPTYPE_INT64:
      r.AddInt64(&message, field, 1);
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      r.AddInt32(&message, field, 1);
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      r.AddFloat(&message, field, 1);
      break;
    case FieldDescriptor::CPPTYPE_STRING:
      r.AddString(&message, field, "");
      break;
    default:
      return;
  }
  change_element(random, parts, message, field, size);
}

void change_list(Random& random,
                 const Parts& parts,
                 Message& message,
                 const FieldDescriptor* field) {
  const Reflection& r = *message.GetReflection();
  const int size = r.FieldSize(message, field);
  const size_t choice = size == 0 ? 0 : below(random, 6);
  const auto some = [&] {
    return static_cast<int>(below(random, static_cast<size_t>(size)));
  };
  if (choice == 0) {
    add_element(random, parts, message, field);
  } else if (choice == 1) {
    r.RemoveLast(&message, field);
  } else if (choice == 2) {
    r.SwapElements(&message, field, some(), some());
  } else if (choice == 3) {
    r.SwapElements(&message, field, some(), size - 1);
    r.RemoveLast(&message, field);
  } else {
    change_element(random, parts, message, field, some());
  }
}

void change(Random& random, Message& root) {
  Parts parts;
  collect(root, parts);
  Message& message = *parts.messages[below(random, parts.messages.size())];
  const auto& type = *message.GetDescriptor();
  const Reflection& r = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r.ListFields(message, &fields);
  const bool any_field = fields.empty() || below(random, 4) == 0;
  const FieldDescriptor* field =
      any_field
          ? type.field(static_cast<int>(below(random, static_cast<size_t>(type.field_count()))))
          : fields[below(random, fields.size())];
  if (field->is_repeated()) {
    change_list(random, parts, message, field);
  } else if (below(random, 16) == 0) {
    r.ClearField(&message, field);
  } else {
    change_element(random, parts, message, field, 0);
  }
}

size_t written(const Message& message, uint8_t* data, size_t max_size) {
  const size_t size = message.ByteSizeLong();
  return size <= max_size && message.SerializeToArray(data, static_cast<int>(size)) ? size : 0;
}

bool parse(onnx::ModelProto& model, const uint8_t* data, size_t size) {
  return model.ParseFromArray(data, static_cast<int>(size));
}

}  // namespace
}  // namespace coppice

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data,
                                          size_t size,
                                          size_t max_size,
                                          unsigned int seed) {
  coppice::Random random(seed);
  onnx::ModelProto model;
  if (coppice::below(random, 16) == 0 || !coppice::parse(model, data, size)) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  for (size_t left = 1 + coppice::below(random, 3); left > 0; --left) {
    coppice::change(random, model);
  }
  const size_t changed = coppice::written(model, data, max_size);
  return changed > 0 ? changed : LLVMFuzzerMutate(data, size, max_size);
}

/// Nodes and weights of one model among those of another.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data,
                                            size_t size,
                                            const uint8_t* other_data,
                                            size_t other_size,
                                            uint8_t* out,
                                            size_t max_size,
                                            unsigned int seed) {
  coppice::Random random(seed);
  onnx::ModelProto model;
  onnx::ModelProto other;
  if (!coppice::parse(model, data, size) || !coppice::parse(other, other_data, other_size)) {
    return 0;
  }
  auto& nodes = *model.mutable_graph()->mutable_node();
  for (auto& node : *other.mutable_graph()->mutable_node()) {
    if (coppice::below(random, 3) == 0) {
      nodes.Add()->Swap(&node);
      if (nodes.size() > 1) {
        const auto place = coppice::below(random, static_cast<size_t>(nodes.size()));
        nodes.SwapElements(nodes.size() - 1, static_cast<int>(place));
      }
    }
  }
  for (auto& tensor : *other.mutable_graph()->mutable_initializer()) {
    if (coppice::below(random, 2) == 0) {
      model.mutable_graph()->add_initializer()->Swap(&tensor);
    }
  }
  return coppice::written(model, out, max_size);
}
