// Loads a SavedModel by TensorFlow's C++ loader, which TensorFlow Serving uses, and runs
// signature serving_default on a file: loader MODEL INPUT.jpg OUTPUT.png
#include <fstream>
#include <iostream>
#include <iterator>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"

int main(int argc, char** argv) {
  tensorflow::SavedModelBundle bundle;
  auto status = tensorflow::LoadSavedModel({}, {}, argv[1], {"serve"}, &bundle);
  if (!status.ok()) {
    std::cerr << status.ToString() << "\n";
    return 1;
  }
  std::ifstream file(argv[2], std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  tensorflow::Tensor input(tensorflow::DT_STRING, {1});
  input.vec<tensorflow::tstring>()(0) = content;
  const auto& signature = bundle.GetSignatures().at("serving_default");
  std::vector<tensorflow::Tensor> outputs;
  status = bundle.GetSession()->Run({{signature.inputs().at("image_bytes").name(), input}},
                                    {signature.outputs().at("image_bytes").name()}, {}, &outputs);
  if (!status.ok()) {
    std::cerr << status.ToString() << "\n";
    return 2;
  }
  const tensorflow::tstring& png = outputs[0].vec<tensorflow::tstring>()(0);
  std::ofstream(argv[3], std::ios::binary).write(png.data(), png.size());
  return 0;
}
