#pragma once

#include <string>

// oneDNN's C functions, looked up in the library when it is first needed: a device without the
// library runs its models by the other backends, and a program that never asks for oneDNN doesn't
// load its 40 MB. Include this header in place of dnnl.hpp. A function that is missing here shows
// as an undefined symbol when a program is linked.
#include <dnnl.h>
#include <dnnl_debug.h>

#define COPPICE_DNNL_FUNCTIONS(X)                 \
  X(dnnl_binary_desc_init)                        \
  X(dnnl_concat_primitive_desc_create)            \
  X(dnnl_convolution_forward_desc_init)           \
  X(dnnl_dilated_convolution_forward_desc_init)   \
  X(dnnl_dilated_deconvolution_forward_desc_init) \
  X(dnnl_eltwise_forward_desc_init)               \
  X(dnnl_engine_create)                           \
  X(dnnl_engine_destroy)                          \
  X(dnnl_inner_product_forward_desc_init)         \
  X(dnnl_layer_normalization_forward_desc_init)   \
  X(dnnl_matmul_desc_init)                        \
  X(dnnl_memory_create)                           \
  X(dnnl_memory_desc_equal)                       \
  X(dnnl_memory_desc_get_size)                    \
  X(dnnl_memory_desc_init_by_strides)             \
  X(dnnl_memory_desc_init_by_tag)                 \
  X(dnnl_memory_desc_init_submemory)              \
  X(dnnl_memory_desc_permute_axes)                \
  X(dnnl_memory_desc_reshape)                     \
  X(dnnl_memory_destroy)                          \
  X(dnnl_memory_get_data_handle)                  \
  X(dnnl_memory_get_engine)                       \
  X(dnnl_memory_get_memory_desc)                  \
  X(dnnl_memory_set_data_handle)                  \
  X(dnnl_memory_set_data_handle_v2)               \
  X(dnnl_pooling_forward_desc_init)               \
  X(dnnl_post_ops_append_binary)                  \
  X(dnnl_post_ops_append_dw)                      \
  X(dnnl_post_ops_append_eltwise)                 \
  X(dnnl_post_ops_append_prelu)                   \
  X(dnnl_post_ops_append_sum)                     \
  X(dnnl_post_ops_append_sum_v2)                  \
  X(dnnl_post_ops_create)                         \
  X(dnnl_post_ops_destroy)                        \
  X(dnnl_prelu_forward_desc_init)                 \
  X(dnnl_prim_kind2str)                           \
  X(dnnl_primitive_attr_clone)                    \
  X(dnnl_primitive_attr_create)                   \
  X(dnnl_primitive_attr_destroy)                  \
  X(dnnl_primitive_attr_set_output_scales)        \
  X(dnnl_primitive_attr_set_post_ops)             \
  X(dnnl_primitive_attr_set_scales)               \
  X(dnnl_primitive_attr_set_scratchpad_mode)      \
  X(dnnl_primitive_attr_set_zero_points)          \
  X(dnnl_primitive_create)                        \
  X(dnnl_primitive_desc_clone)                    \
  X(dnnl_primitive_desc_destroy)                  \
  X(dnnl_primitive_desc_get_attr)                 \
  X(dnnl_primitive_desc_iterator_create)          \
  X(dnnl_primitive_desc_iterator_destroy)         \
  X(dnnl_primitive_desc_iterator_fetch)           \
  X(dnnl_primitive_desc_iterator_next)            \
  X(dnnl_primitive_desc_query)                    \
  X(dnnl_primitive_desc_query_md)                 \
  X(dnnl_primitive_destroy)                       \
  X(dnnl_primitive_execute)                       \
  X(dnnl_primitive_get_primitive_desc)            \
  X(dnnl_reduction_desc_init)                     \
  X(dnnl_reorder_primitive_desc_create)           \
  X(dnnl_resampling_forward_desc_init)            \
  X(dnnl_softmax_forward_desc_init)               \
  X(dnnl_stream_create)                           \
  X(dnnl_stream_destroy)                          \
  X(dnnl_stream_get_engine)                       \
  X(dnnl_stream_wait)                             \
  X(dnnl_version)

/// Pointers with the functions' own names: dnnl.hpp's inline functions find these, which lie in
/// their own namespace, before the functions themselves.
namespace dnnl {

#define COPPICE_DNNL_POINTER(name) extern decltype(&::name) name;
COPPICE_DNNL_FUNCTIONS(COPPICE_DNNL_POINTER)
#undef COPPICE_DNNL_POINTER

}  // namespace dnnl

#include <dnnl.hpp>

namespace coppice::runtime::onednn {

/// Of the OpenMP that oneDNN itself uses.
extern int (*omp_get_max_threads)();
extern void (*omp_set_num_threads)(int);

/// Whether the library is there; loads it at the first call, and nothing else here may be called
/// before. Thread-safe.
bool load_library();

/// "2.6.3 (…)". REQUIRES: load_library().
std::string library_version();

}  // namespace coppice::runtime::onednn
