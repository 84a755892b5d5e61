#include "runtime/onednn/layout.h"

#include <algorithm>

#include "core/error.h"

namespace coppice::runtime::onednn {

using dnnl::memory;
using graph::DType;

memory::data_type to_dnnl(DType dtype) {
  switch (dtype) {
    case DType::F32:
      return memory::data_type::f32;
    case DType::U8:
      return memory::data_type::u8;
    case DType::I8:
      return memory::data_type::s8;
    case DType::I32:
      return memory::data_type::s32;
    case DType::I64:
      break;
  }
  COPPICE_CHECK(false, "lower() refuses i64");
  return memory::data_type::undef;
}

memory::desc plain(const memory::dims& dims, DType dtype) {
  memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * dims[i];
  }
  return {dims, to_dnnl(dtype), strides};
}

memory::desc channels_last(const memory::dims& dims, DType dtype) {
  return dims.size() == 4 ? memory::desc(dims, to_dnnl(dtype), memory::format_tag::nhwc)
                          : plain(dims, dtype);
}

bool same_layout(const memory::desc& a, const memory::desc& b) {
  const dnnl_memory_desc_t& x = a.data;
  const dnnl_memory_desc_t& y = b.data;
  const auto is_strided = [](const dnnl_memory_desc_t& d) {
    return d.format_kind == dnnl_blocked && d.format_desc.blocking.inner_nblks == 0 &&
           d.extra.flags == 0 && d.offset0 == 0;
  };
  if (x.ndims != y.ndims || x.data_type != y.data_type || !is_strided(x) || !is_strided(y)) {
    return a == b;
  }
  for (int i = 0; i < x.ndims; ++i) {
    const bool same_stride =
        x.dims[i] == 1 || x.format_desc.blocking.strides[i] == y.format_desc.blocking.strides[i];
    if (x.dims[i] != y.dims[i] || x.padded_dims[i] != x.dims[i] || y.padded_dims[i] != y.dims[i] ||
        !same_stride) {
      return false;
    }
  }
  return true;
}

}  // namespace coppice::runtime::onednn
