#pragma once

#include <string>

// oneDNN's C functions, looked up in the library when it is first needed: a device without the
// library runs its models by the other backends, and a program that never asks for oneDNN doesn't
// load its 40 MB. dnnl.hpp's inline functions call by these names; include this header in place of
// it. A function that is missing here shows as an undefined symbol when a program is linked.
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

namespace coppice::runtime::onednn {

struct Library {
#define COPPICE_DNNL_MEMBER(name) decltype(&::name) name = nullptr;
  COPPICE_DNNL_FUNCTIONS(COPPICE_DNNL_MEMBER)
#undef COPPICE_DNNL_MEMBER
  // Of the OpenMP that oneDNN itself uses.
  int (*omp_get_max_threads)() = nullptr;
  void (*omp_set_num_threads)(int) = nullptr;
};

/// Filled by load_library().
extern Library library;

/// Whether the library is there; loads it at the first call. Thread-safe.
bool load_library();

/// "2.6.3 (…)". REQUIRES: load_library().
std::string library_version();

}  // namespace coppice::runtime::onednn

#define dnnl_binary_desc_init coppice::runtime::onednn::library.dnnl_binary_desc_init
#define dnnl_concat_primitive_desc_create \
  coppice::runtime::onednn::library.dnnl_concat_primitive_desc_create
#define dnnl_convolution_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_convolution_forward_desc_init
#define dnnl_dilated_convolution_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_dilated_convolution_forward_desc_init
#define dnnl_dilated_deconvolution_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_dilated_deconvolution_forward_desc_init
#define dnnl_eltwise_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_eltwise_forward_desc_init
#define dnnl_engine_create coppice::runtime::onednn::library.dnnl_engine_create
#define dnnl_engine_destroy coppice::runtime::onednn::library.dnnl_engine_destroy
#define dnnl_inner_product_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_inner_product_forward_desc_init
#define dnnl_layer_normalization_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_layer_normalization_forward_desc_init
#define dnnl_matmul_desc_init coppice::runtime::onednn::library.dnnl_matmul_desc_init
#define dnnl_memory_create coppice::runtime::onednn::library.dnnl_memory_create
#define dnnl_memory_desc_equal coppice::runtime::onednn::library.dnnl_memory_desc_equal
#define dnnl_memory_desc_get_size coppice::runtime::onednn::library.dnnl_memory_desc_get_size
#define dnnl_memory_desc_init_by_strides \
  coppice::runtime::onednn::library.dnnl_memory_desc_init_by_strides
#define dnnl_memory_desc_init_by_tag coppice::runtime::onednn::library.dnnl_memory_desc_init_by_tag
#define dnnl_memory_desc_init_submemory \
  coppice::runtime::onednn::library.dnnl_memory_desc_init_submemory
#define dnnl_memory_desc_permute_axes \
  coppice::runtime::onednn::library.dnnl_memory_desc_permute_axes
#define dnnl_memory_desc_reshape coppice::runtime::onednn::library.dnnl_memory_desc_reshape
#define dnnl_memory_destroy coppice::runtime::onednn::library.dnnl_memory_destroy
#define dnnl_memory_get_data_handle coppice::runtime::onednn::library.dnnl_memory_get_data_handle
#define dnnl_memory_get_engine coppice::runtime::onednn::library.dnnl_memory_get_engine
#define dnnl_memory_get_memory_desc coppice::runtime::onednn::library.dnnl_memory_get_memory_desc
#define dnnl_memory_set_data_handle coppice::runtime::onednn::library.dnnl_memory_set_data_handle
#define dnnl_memory_set_data_handle_v2 \
  coppice::runtime::onednn::library.dnnl_memory_set_data_handle_v2
#define dnnl_pooling_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_pooling_forward_desc_init
#define dnnl_post_ops_append_binary coppice::runtime::onednn::library.dnnl_post_ops_append_binary
#define dnnl_post_ops_append_dw coppice::runtime::onednn::library.dnnl_post_ops_append_dw
#define dnnl_post_ops_append_eltwise coppice::runtime::onednn::library.dnnl_post_ops_append_eltwise
#define dnnl_post_ops_append_prelu coppice::runtime::onednn::library.dnnl_post_ops_append_prelu
#define dnnl_post_ops_append_sum coppice::runtime::onednn::library.dnnl_post_ops_append_sum
#define dnnl_post_ops_append_sum_v2 coppice::runtime::onednn::library.dnnl_post_ops_append_sum_v2
#define dnnl_post_ops_create coppice::runtime::onednn::library.dnnl_post_ops_create
#define dnnl_post_ops_destroy coppice::runtime::onednn::library.dnnl_post_ops_destroy
#define dnnl_prelu_forward_desc_init coppice::runtime::onednn::library.dnnl_prelu_forward_desc_init
#define dnnl_prim_kind2str coppice::runtime::onednn::library.dnnl_prim_kind2str
#define dnnl_primitive_attr_clone coppice::runtime::onednn::library.dnnl_primitive_attr_clone
#define dnnl_primitive_attr_create coppice::runtime::onednn::library.dnnl_primitive_attr_create
#define dnnl_primitive_attr_destroy coppice::runtime::onednn::library.dnnl_primitive_attr_destroy
#define dnnl_primitive_attr_set_output_scales \
  coppice::runtime::onednn::library.dnnl_primitive_attr_set_output_scales
#define dnnl_primitive_attr_set_post_ops \
  coppice::runtime::onednn::library.dnnl_primitive_attr_set_post_ops
#define dnnl_primitive_attr_set_scales \
  coppice::runtime::onednn::library.dnnl_primitive_attr_set_scales
#define dnnl_primitive_attr_set_scratchpad_mode \
  coppice::runtime::onednn::library.dnnl_primitive_attr_set_scratchpad_mode
#define dnnl_primitive_attr_set_zero_points \
  coppice::runtime::onednn::library.dnnl_primitive_attr_set_zero_points
#define dnnl_primitive_create coppice::runtime::onednn::library.dnnl_primitive_create
#define dnnl_primitive_desc_clone coppice::runtime::onednn::library.dnnl_primitive_desc_clone
#define dnnl_primitive_desc_destroy coppice::runtime::onednn::library.dnnl_primitive_desc_destroy
#define dnnl_primitive_desc_get_attr coppice::runtime::onednn::library.dnnl_primitive_desc_get_attr
#define dnnl_primitive_desc_iterator_create \
  coppice::runtime::onednn::library.dnnl_primitive_desc_iterator_create
#define dnnl_primitive_desc_iterator_destroy \
  coppice::runtime::onednn::library.dnnl_primitive_desc_iterator_destroy
#define dnnl_primitive_desc_iterator_fetch \
  coppice::runtime::onednn::library.dnnl_primitive_desc_iterator_fetch
#define dnnl_primitive_desc_iterator_next \
  coppice::runtime::onednn::library.dnnl_primitive_desc_iterator_next
#define dnnl_primitive_desc_query coppice::runtime::onednn::library.dnnl_primitive_desc_query
#define dnnl_primitive_desc_query_md coppice::runtime::onednn::library.dnnl_primitive_desc_query_md
#define dnnl_primitive_destroy coppice::runtime::onednn::library.dnnl_primitive_destroy
#define dnnl_primitive_execute coppice::runtime::onednn::library.dnnl_primitive_execute
#define dnnl_primitive_get_primitive_desc \
  coppice::runtime::onednn::library.dnnl_primitive_get_primitive_desc
#define dnnl_reduction_desc_init coppice::runtime::onednn::library.dnnl_reduction_desc_init
#define dnnl_reorder_primitive_desc_create \
  coppice::runtime::onednn::library.dnnl_reorder_primitive_desc_create
#define dnnl_resampling_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_resampling_forward_desc_init
#define dnnl_softmax_forward_desc_init \
  coppice::runtime::onednn::library.dnnl_softmax_forward_desc_init
#define dnnl_stream_create coppice::runtime::onednn::library.dnnl_stream_create
#define dnnl_stream_destroy coppice::runtime::onednn::library.dnnl_stream_destroy
#define dnnl_stream_get_engine coppice::runtime::onednn::library.dnnl_stream_get_engine
#define dnnl_stream_wait coppice::runtime::onednn::library.dnnl_stream_wait
#define dnnl_version coppice::runtime::onednn::library.dnnl_version

#include <dnnl.hpp>
