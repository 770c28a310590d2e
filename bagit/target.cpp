#include "bagit/target.hpp"

namespace versement::bagit {

Error about_target(const Error& error, const Path& part, const Path& target) {
  std::string what = error.what();
  bool named = false;
  for (std::size_t at = what.find(part.native()); at != std::string::npos;
       at = what.find(part.native(), at + target.native().size())) {
    what.replace(at, part.native().size(), target.native());
    named = true;
  }
  if (!named) return error;
  what.insert(0, "the bag cannot be made: ");
  if (error.code() == Code::denied) {
    what += "; name a target in a folder that you may write to";
  }
  return Error(error.code(), what).as(error.reason());
}

}  // namespace versement::bagit
