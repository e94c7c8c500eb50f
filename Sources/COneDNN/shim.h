#pragma once
#include <dnnl.h>
#include <dnnl_debug.h>
#include <stdlib.h>

// oneDNN 2.6 and 3 in one spelling, close to oneDNN 3's. What differs between versions is in this file alone.
// Memory descriptors were structures before oneDNN 3, and are opaque since: here a layout is a pointer in both.

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t cosface_dnnl_layout;
typedef const_dnnl_memory_desc_t cosface_dnnl_const_layout;
#define COSFACE_DESCRIPTION(layout) (layout)
#elif DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR >= 6
typedef struct cosface_dnnl_layout_of_2 *cosface_dnnl_layout;
typedef const struct cosface_dnnl_layout_of_2 *cosface_dnnl_const_layout;
#define COSFACE_DESCRIPTION(layout) ((const dnnl_memory_desc_t *)(layout))
#else
#error "cosface needs oneDNN 2.6 or later"
#endif

/// A copy, to be destroyed by `cosface_dnnl_layout_destroy`.
static inline dnnl_status_t cosface_dnnl_layout_copy(cosface_dnnl_layout *copy, cosface_dnnl_const_layout layout) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_clone(copy, layout);
#else
  dnnl_memory_desc_t *description = malloc(sizeof *description);
  if (!description) return dnnl_out_of_memory;
  *description = *COSFACE_DESCRIPTION(layout);
  *copy = (cosface_dnnl_layout)description;
  return dnnl_success;
#endif
}

/// The corresponding C functions are `dnnl_memory_desc_create_with_tag` and, before, `dnnl_memory_desc_init_by_tag`.
static inline dnnl_status_t cosface_dnnl_layout_create(
    cosface_dnnl_layout *layout, int count, const dnnl_dim_t *dimensions, dnnl_data_type_t type, dnnl_format_tag_t tag) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_create_with_tag(layout, count, dimensions, type, tag);
#else
  dnnl_memory_desc_t description;
  dnnl_status_t status = dnnl_memory_desc_init_by_tag(&description, count, dimensions, type, tag);
  if (status != dnnl_success) return status;
  return cosface_dnnl_layout_copy(layout, (cosface_dnnl_const_layout)&description);
#endif
}

static inline void cosface_dnnl_layout_destroy(cosface_dnnl_layout layout) {
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_desc_destroy(layout);
#else
  free(layout);
#endif
}

/// A copy of what a primitive asks for; the corresponding C function is `dnnl_primitive_desc_query_md`.
static inline dnnl_status_t cosface_dnnl_layout_query(
    cosface_dnnl_layout *layout, const_dnnl_primitive_desc_t primitive, dnnl_query_t what) {
  return cosface_dnnl_layout_copy(
      layout, (cosface_dnnl_const_layout)dnnl_primitive_desc_query_md(primitive, what, 0));
}

static inline int cosface_dnnl_layout_equal(cosface_dnnl_const_layout one, cosface_dnnl_const_layout other) {
  return dnnl_memory_desc_equal(COSFACE_DESCRIPTION(one), COSFACE_DESCRIPTION(other));
}

static inline size_t cosface_dnnl_layout_bytes(cosface_dnnl_const_layout layout) {
  return dnnl_memory_desc_get_size(COSFACE_DESCRIPTION(layout));
}

static inline dnnl_status_t cosface_dnnl_memory_create(
    dnnl_memory_t *memory, cosface_dnnl_const_layout layout, dnnl_engine_t engine, void *start) {
  return dnnl_memory_create(memory, COSFACE_DESCRIPTION(layout), engine, start);
}

static inline dnnl_status_t cosface_dnnl_reorder_create(
    dnnl_primitive_desc_t *reorder, dnnl_engine_t engine, cosface_dnnl_const_layout source,
    cosface_dnnl_const_layout target, const_dnnl_primitive_attr_t attributes) {
  return dnnl_reorder_primitive_desc_create(
      reorder, COSFACE_DESCRIPTION(source), engine, COSFACE_DESCRIPTION(target), engine, attributes);
}

static inline dnnl_status_t cosface_dnnl_post_ops_append_sum(dnnl_post_ops_t operations) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
#else
  return dnnl_post_ops_append_sum(operations, 1);
#endif
}

/// What a direct convolution is described by: `bias` may be null; the borders are the same on both sides.
struct cosface_dnnl_convolution {
  cosface_dnnl_const_layout source, weight, bias, target;
  dnnl_dim_t strides[2], borders[2];
};

/// `kind`: `dnnl_forward_training`, `dnnl_forward_inference`, `dnnl_backward_data` or `dnnl_backward_weights`; `forward`: the
/// forward convolution, for those that go back.
///
/// The corresponding C functions are `dnnl_convolution_forward_primitive_desc_create`,
/// `dnnl_convolution_backward_data_primitive_desc_create` and `dnnl_convolution_backward_weights_primitive_desc_create`, and
/// before oneDNN 3 `dnnl_convolution_forward_desc_init` and its like with `dnnl_primitive_desc_create`.
static inline dnnl_status_t cosface_dnnl_convolution_create(
    dnnl_primitive_desc_t *primitive, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    const struct cosface_dnnl_convolution *of, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attributes) {
  const dnnl_alg_kind_t direct = dnnl_convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  const dnnl_dim_t *strides = of->strides, *borders = of->borders;
  if (kind == dnnl_backward_data)
    return dnnl_convolution_backward_data_primitive_desc_create(
        primitive, engine, direct, of->source, of->weight, of->target, strides, NULL, borders, borders, forward,
        attributes);
  if (kind == dnnl_backward_weights)
    return dnnl_convolution_backward_weights_primitive_desc_create(
        primitive, engine, direct, of->source, of->weight, of->bias, of->target, strides, NULL, borders, borders,
        forward, attributes);
  return dnnl_convolution_forward_primitive_desc_create(
      primitive, engine, kind, direct, of->source, of->weight, of->bias, of->target, strides, NULL, borders, borders,
      attributes);
#else
  const dnnl_memory_desc_t *source = COSFACE_DESCRIPTION(of->source), *weight = COSFACE_DESCRIPTION(of->weight),
                           *bias = COSFACE_DESCRIPTION(of->bias), *target = COSFACE_DESCRIPTION(of->target);
  dnnl_convolution_desc_t convolution;
  dnnl_status_t status;
  if (kind == dnnl_backward_data)
    status = dnnl_convolution_backward_data_desc_init(
        &convolution, direct, source, weight, target, of->strides, of->borders, of->borders);
  else if (kind == dnnl_backward_weights)
    status = dnnl_convolution_backward_weights_desc_init(
        &convolution, direct, source, weight, bias, target, of->strides, of->borders, of->borders);
  else
    status = dnnl_convolution_forward_desc_init(
        &convolution, kind, direct, source, weight, bias, target, of->strides, of->borders, of->borders);
  if (status != dnnl_success) return status;
  return dnnl_primitive_desc_create(primitive, &convolution, attributes, engine, forward);
#endif
}

#undef COSFACE_DESCRIPTION
