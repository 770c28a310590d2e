// Fuzz targets: each gives one parser bytes from a stranger and asserts what must hold of every
// answer. The driver mutates seeds that the parser accepts.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace versement::fuzz {

struct Target {
  std::string name;
  std::vector<std::string> seeds;  // each is accepted
  // True if the input was accepted. What must hold and does not ends the program (require).
  std::function<bool(std::string_view)> run;
};

const std::vector<Target>& targets();

// Ends the program when `holds` is false; the driver has kept the input.
void require(bool holds, const char* what);

}  // namespace versement::fuzz
