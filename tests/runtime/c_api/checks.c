/* coppice.h from C: checks MODEL.onnx BROKEN. MODEL takes u8 [1, 12, 12] and gives 3 floats; BROKEN
 * is no ONNX file. Prints what does not hold and exits with how much of it there was. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coppice.h"

static int failures = 0;

#define CHECK(condition)                                                                    \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      ++failures;                                                                           \
      printf("line %d: %s (last error: %s)\n", __LINE__, #condition, coppice_last_error()); \
    }                                                                                       \
  } while (0)

enum { kInput = 144, kOutput = 3, kBatch = 2 };

static void check_description(const coppice_engine* engine) {
  const coppice_description* model = coppice_describe(engine);
  CHECK(strcmp(model->name, "cnn") == 0);
  CHECK(strcmp(model->task, "classification") == 0);
  CHECK(strcmp(model->backend, "reference") == 0);
  CHECK(model->max_batch == kBatch);
  CHECK(model->arena_bytes > 0);
  CHECK(model->input_count == 1 && model->output_count == 1);
  CHECK(model->inputs[0]->dtype == COPPICE_U8);
  CHECK(model->inputs[0]->rank == 4);
  CHECK(model->inputs[0]->shape[0] == -1 && model->inputs[0]->shape[3] == 12);
  CHECK(model->inputs[0]->sample_bytes == kInput);
  CHECK(model->outputs[0]->dtype == COPPICE_F32);
  CHECK(model->outputs[0]->sample_bytes == kOutput * sizeof(float));
  CHECK(model->class_count == 3 && strcmp(model->class_names[1], "right") == 0);
}

static void check_runs(coppice_engine* engine) {
  unsigned char pixels[kBatch * kInput];
  float together[kBatch * kOutput];
  float alone[kOutput];
  for (size_t i = 0; i < sizeof pixels; ++i) {
    pixels[i] = (unsigned char)(i * 37);
  }
  coppice_input input = {pixels, sizeof pixels};
  coppice_output output = {together, sizeof together};
  CHECK(coppice_run(engine, kBatch, &input, 1, &output, 1) == COPPICE_OK);
  for (size_t i = 0; i < kBatch; ++i) {
    const coppice_input one = {pixels + i * kInput, kInput};
    const coppice_output result = {alone, sizeof alone};
    CHECK(coppice_run(engine, 1, &one, 1, &result, 1) == COPPICE_OK);
    for (size_t k = 0; k < kOutput; ++k) {
      CHECK(fabsf(alone[k] - together[i * kOutput + k]) < 1e-5f);
    }
  }
}

static void check_refused_runs(coppice_engine* engine) {
  unsigned char pixels[kInput] = {0};
  float values[kOutput] = {7, 7, 7};
  coppice_input input = {pixels, sizeof pixels};
  coppice_output output = {values, sizeof values};
  CHECK(coppice_run(NULL, 1, &input, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  CHECK(coppice_run(engine, 0, &input, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  CHECK(coppice_run(engine, 3, &input, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  CHECK(strstr(coppice_last_error(), "1 to 2") != NULL);
  CHECK(coppice_run(engine, (size_t)-1, &input, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  CHECK(coppice_run(engine, 1, &input, 2, &output, 1) == COPPICE_INVALID_ARGUMENT);
  CHECK(coppice_run(engine, 1, NULL, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  input.bytes = kInput - 1;
  CHECK(coppice_run(engine, 1, &input, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  CHECK(strstr(coppice_last_error(), "143 bytes") != NULL);
  input.bytes = kInput;
  output.bytes = sizeof values + 4;
  CHECK(coppice_run(engine, 1, &input, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  output.bytes = sizeof values;
  output.data = NULL;
  CHECK(coppice_run(engine, 1, &input, 1, &output, 1) == COPPICE_INVALID_ARGUMENT);
  CHECK(values[0] == 7 && values[2] == 7);
}

static void check_refused_loads(const char* model, const char* broken) {
  coppice_engine* engine = (coppice_engine*)&failures;
  coppice_options options = COPPICE_OPTIONS_INIT;
  CHECK(coppice_load("no/such/file.onnx", NULL, &engine) == COPPICE_NOT_FOUND);
  CHECK(engine == NULL);
  CHECK(strstr(coppice_last_error(), "no/such/file.onnx") != NULL);
  CHECK(coppice_load(broken, NULL, &engine) == COPPICE_CORRUPT);
  CHECK(coppice_load_memory("x", 1, NULL, &engine) == COPPICE_CORRUPT);
  CHECK(coppice_load_memory(NULL, 0, NULL, &engine) == COPPICE_INVALID_ARGUMENT);
  CHECK(coppice_load(NULL, NULL, &engine) == COPPICE_INVALID_ARGUMENT);
  CHECK(coppice_load(model, NULL, NULL) == COPPICE_INVALID_ARGUMENT);
  options.backend = "onednm";
  CHECK(coppice_load(model, &options, &engine) == COPPICE_NOT_FOUND);
  options = (coppice_options)COPPICE_OPTIONS_INIT;
  options.threads = 0;
  CHECK(coppice_load(model, &options, &engine) == COPPICE_INVALID_ARGUMENT);
  options.threads = (size_t)-1;
  CHECK(coppice_load(model, &options, &engine) == COPPICE_INVALID_ARGUMENT);
  memset(&options, 0, sizeof options);
  CHECK(coppice_load(model, &options, &engine) == COPPICE_INVALID_ARGUMENT);
  CHECK(engine == NULL);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    return 100;
  }
  CHECK(coppice_abi_version() == COPPICE_ABI_VERSION);
  CHECK(strlen(coppice_version()) >= 5);
  CHECK(strcmp(coppice_last_error(), "") == 0);
  CHECK(strcmp(coppice_status_text(COPPICE_NOT_FOUND), "not found") == 0);
  CHECK(coppice_status_text((coppice_status)99) != NULL);
  check_refused_loads(argv[1], argv[2]);

  coppice_options options = COPPICE_OPTIONS_INIT;
  options.backend = "reference";
  options.max_batch = kBatch;
  coppice_engine* engine = NULL;
  CHECK(coppice_load(argv[1], &options, &engine) == COPPICE_OK);
  if (engine != NULL) {
    check_description(engine);
    check_runs(engine);
    check_refused_runs(engine);
    check_runs(engine); /* refused calls leave it as it was */
  }
  coppice_free(engine);
  coppice_free(NULL);
  CHECK(coppice_describe(NULL) == NULL);
  return failures;
}
