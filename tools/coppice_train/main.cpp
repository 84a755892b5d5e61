#include "train/train_main.h"

int main(int argc, char** argv) {
  return coppice::train::train_main(argc, argv, coppice::train::built_in_components());
}
