/* Runs models from C, and from every language that calls C: load, describe, run.
 *
 * Every function may be called from any thread. An engine serves one call at a time; several
 * engines run side by side. Nothing throws; what fails returns a status and leaves a message in
 * coppice_last_error().
 *
 * ABI: COPPICE_ABI_VERSION is the library's SONAME version. Within one version functions are only
 * added, structs that the library returns only grow at their end, and structs that the caller fills
 * carry their size.
 */
#ifndef COPPICE_H
#define COPPICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define COPPICE_API __attribute__((visibility("default")))
#else
#define COPPICE_API
#endif

#define COPPICE_ABI_VERSION 1

/* Version of the ABI that the library has, to compare with COPPICE_ABI_VERSION. */
COPPICE_API int coppice_abi_version(void);

/* Of the library: "0.1.0". */
COPPICE_API const char* coppice_version(void);

typedef enum coppice_status {
  COPPICE_OK = 0,
  COPPICE_INVALID_ARGUMENT = 1, /* a value that the caller passed */
  COPPICE_NOT_FOUND = 2,        /* a file or backend that does not exist */
  COPPICE_IO = 3,               /* the operating system refused */
  COPPICE_CORRUPT = 4,          /* no ONNX file, truncated or malformed */
  COPPICE_UNSUPPORTED = 5,      /* an op or data type that is not handled */
  COPPICE_OUT_OF_MEMORY = 6,
  COPPICE_INTERNAL = 7 /* our bug */
} coppice_status;

/* "not found", …; never NULL. */
COPPICE_API const char* coppice_status_text(coppice_status status);

/* What went wrong in the last call of this thread that failed, in one line; "" before the first.
 * Valid until this thread's next call. */
COPPICE_API const char* coppice_last_error(void);

typedef enum coppice_dtype {
  COPPICE_F32 = 0,
  COPPICE_U8 = 1,
  COPPICE_I8 = 2,
  COPPICE_I32 = 3,
  COPPICE_I64 = 4
} coppice_dtype;

/* One input or output of a model. */
typedef struct coppice_port {
  const char* name;
  coppice_dtype dtype;
  size_t rank;
  const int64_t* shape; /* shape[0] is the batch, -1 */
  size_t sample_bytes;  /* of one sample: a buffer for a batch has batch * sample_bytes */
} coppice_port;

/* What an engine runs. */
typedef struct coppice_description {
  const char* name;    /* of the network */
  const char* task;    /* "classification", "regression", "reconstruction", … */
  const char* backend; /* the one that was chosen */
  size_t max_batch;
  size_t arena_bytes; /* memory of all activations */
  size_t input_count;
  const coppice_port* const* inputs;
  size_t output_count;
  const coppice_port* const* outputs;
  size_t class_count; /* 0 where the model names none */
  const char* const* class_names;
} coppice_description;

/* Start from COPPICE_OPTIONS_INIT. */
typedef struct coppice_options {
  size_t struct_bytes; /* sizeof(coppice_options) */
  const char* backend; /* NULL for "auto" */
  size_t threads;      /* of one run; at least 1 */
  size_t max_batch;    /* largest batch of one run; at least 1 */
} coppice_options;

#define COPPICE_OPTIONS_INIT \
  { sizeof(coppice_options), NULL, 1, 1 }

/* A model, compiled for this machine. */
typedef struct coppice_engine coppice_engine;

/* Reads an ONNX file and builds an engine for it; `options` may be NULL. On failure *engine is
 * NULL. */
COPPICE_API coppice_status coppice_load(const char* file,
                                        const coppice_options* options,
                                        coppice_engine** engine);

/* The same of an ONNX file in memory, which is not needed afterwards. */
COPPICE_API coppice_status coppice_load_memory(const void* bytes,
                                               size_t size,
                                               const coppice_options* options,
                                               coppice_engine** engine);

/* NULL is fine. */
COPPICE_API void coppice_free(coppice_engine* engine);

/* Lives as long as the engine; NULL for NULL. */
COPPICE_API const coppice_description* coppice_describe(const coppice_engine* engine);

typedef struct coppice_input {
  const void* data; /* dense rows, batch first */
  size_t bytes;     /* must be batch * sample_bytes */
} coppice_input;

typedef struct coppice_output {
  void* data;
  size_t bytes; /* must be batch * sample_bytes */
} coppice_output;

/* Runs `batch` samples, 1 to max_batch. Buffers in the order of the description; they are checked
 * before anything is read or written. Called again with the same batch and buffers, it allocates
 * nothing. */
COPPICE_API coppice_status coppice_run(coppice_engine* engine,
                                       size_t batch,
                                       const coppice_input* inputs,
                                       size_t input_count,
                                       const coppice_output* outputs,
                                       size_t output_count);

#ifdef __cplusplus
}
#endif

#endif /* COPPICE_H */
