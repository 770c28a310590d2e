// Layouts of storage roots that others wrote: which extensions there are, and where those that are
// known here put an object.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/base/digest.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"

namespace versement::ocfl {

// Is it a name of the registry of OCFL extensions, or "initial"?
bool is_registered_extension(std::string_view name);

// Tells the place of an object from its id.
class Layout {
 public:
  // Extensions 0002, 0003, 0004, 0006 and 0007. Errors: unsupported for another, and for settings
  // that cannot be followed here; invalid for settings that the extension does not have.
  static Result<Layout> make(std::string_view extension, const json::Object& config);

  // From the root. Nothing when the layout has no place for such an id.
  std::optional<std::string> place_of(std::string_view id) const;

 private:
  enum class Kind { flat, hash_and_id, hashed, flat_omit_prefix, tuple_omit_prefix };

  std::string tuples_of(std::string_view text) const;

  Kind kind_ = Kind::flat;
  Algorithm algorithm_ = Algorithm::sha256;
  std::size_t tuple_size_ = 3;
  std::size_t tuples_ = 3;
  bool short_root_ = false;
  std::string delimiter_;
  bool pad_left_ = true;
  bool reverse_ = false;
};

}  // namespace versement::ocfl
