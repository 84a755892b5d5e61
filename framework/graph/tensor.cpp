#include "graph/tensor.h"
