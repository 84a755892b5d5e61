/* Runs one sample through a model, from C: run_model_c MODEL.onnx SAMPLE
 *
 * SAMPLE holds the raw values of one sample, as the model's input takes them: the pixels of an
 * image, say. Prints what goes in and out, and the largest value of the first output.
 *
 *   cc run_model.c $(pkg-config --cflags --libs coppice) -o run_model_c
 */
#include <stdio.h>
#include <stdlib.h>

#include "coppice.h"

static int fail(coppice_status status) {
  fprintf(stderr, "error: %s: %s\n", coppice_status_text(status), coppice_last_error());
  return 1;
}

static void print_port(const char* role, const coppice_port* port) {
  printf("%s %s: %zu bytes a sample, shape", role, port->name, port->sample_bytes);
  for (size_t i = 1; i < port->rank; ++i) {
    printf(" %lld", (long long)port->shape[i]);
  }
  printf("\n");
}

/* Reads exactly `bytes` bytes; NULL when the file has another size. */
static void* read_sample(const char* name, size_t bytes) {
  FILE* file = fopen(name, "rb");
  void* sample = malloc(bytes + 1);
  size_t count = file == NULL || sample == NULL ? 0 : fread(sample, 1, bytes + 1, file);
  if (file != NULL) {
    fclose(file);
  }
  if (count != bytes) {
    fprintf(stderr, "error: %s does not hold %zu bytes\n", name, bytes);
    free(sample);
    return NULL;
  }
  return sample;
}

static void print_largest(const coppice_description* model, const float* values, size_t count) {
  size_t best = 0;
  for (size_t i = 1; i < count; ++i) {
    best = values[i] > values[best] ? i : best;
  }
  if (best < model->class_count) {
    printf("%s ", model->class_names[best]);
  }
  printf("#%zu %.4f\n", best, (double)values[best]);
}

static int run(coppice_engine* engine, const char* sample_name) {
  const coppice_description* model = coppice_describe(engine);
  if (model->input_count != 1 || model->output_count != 1 ||
      model->outputs[0]->dtype != COPPICE_F32) {
    fprintf(stderr, "error: this example is for models with one input and one float output\n");
    return 1;
  }
  printf("%s on %s\n", model->name, model->backend);
  print_port("input", model->inputs[0]);
  print_port("output", model->outputs[0]);

  const size_t output_bytes = model->outputs[0]->sample_bytes;
  void* sample = read_sample(sample_name, model->inputs[0]->sample_bytes);
  float* values = malloc(output_bytes);
  int code = 1;
  if (sample != NULL && values != NULL) {
    const coppice_input input = {sample, model->inputs[0]->sample_bytes};
    const coppice_output output = {values, output_bytes};
    const coppice_status status = coppice_run(engine, 1, &input, 1, &output, 1);
    code = status == COPPICE_OK ? 0 : fail(status);
    if (code == 0) {
      print_largest(model, values, output_bytes / sizeof(float));
    }
  }
  free(values);
  free(sample);
  return code;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: run_model_c MODEL.onnx SAMPLE\n");
    return 2;
  }
  coppice_options options = COPPICE_OPTIONS_INIT;
  options.backend = "auto";
  coppice_engine* engine = NULL;
  const coppice_status status = coppice_load(argv[1], &options, &engine);
  if (status != COPPICE_OK) {
    return fail(status);
  }
  const int code = run(engine, argv[2]);
  coppice_free(engine);
  return code;
}
