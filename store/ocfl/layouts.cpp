#include "store/ocfl/layouts.hpp"

#include <algorithm>
#include <array>

#include "store/base/text.hpp"
#include "store/ocfl/layout.hpp"

namespace versement::ocfl {
namespace {

constexpr std::array<std::string_view, 13> kRegistered{
    "0001-digest-algorithms",
    "0002-flat-direct-storage-layout",
    "0003-hash-and-id-n-tuple-storage-layout",
    "0004-hashed-n-tuple-storage-layout",
    "0005-mutable-head",
    "0006-flat-omit-prefix-storage-layout",
    "0007-n-tuple-omit-prefix-storage-layout",
    "0008-schema-registry",
    "0009-digest-algorithms",
    "0010-differential-n-tuple-omit-prefix-storage-layout",
    "0011-direct-clean-path-layout",
    "0012-hash-and-no-prefix-id-n-tuple-storage-layout",
    "initial",
};

// The extensions allow tuples of up to 32 characters, and up to 32 of them.
constexpr std::uint64_t kTupleMax = 32;

Error unfit(std::string_view extension, const std::string& what) {
  return Error(Code::invalid, std::string(extension) + ": " + what);
}

// What follows the last delimiter, whatever its case; the whole id without one.
std::string_view without_prefix(std::string_view id, std::string_view delimiter) {
  const std::size_t at = lower_ascii(id).rfind(lower_ascii(delimiter));
  return at == std::string::npos ? id : id.substr(at + delimiter.size());
}

Result<std::size_t> small_number(std::string_view extension,
                                 const json::Object& config,
                                 std::string_view key,
                                 std::size_t usual) {
  if (!config.contains(key)) return usual;
  const json::Value& value = config.at(key);
  const bool fits = value.is_int64() && value.as_int64() >= 0 &&
                    static_cast<std::uint64_t>(value.as_int64()) <= kTupleMax;
  if (!fits) return unfit(extension, std::string(key) + " is no number from 0 to 32");
  return static_cast<std::size_t>(value.as_int64());
}

}  // namespace

bool is_registered_extension(std::string_view name) {
  return std::find(kRegistered.begin(), kRegistered.end(), name) != kRegistered.end();
}

Result<Layout> Layout::make(std::string_view extension, const json::Object& config) {
  constexpr std::array<std::pair<std::string_view, Kind>, 5> kKnown{{
      {"0002-flat-direct-storage-layout", Kind::flat},
      {"0003-hash-and-id-n-tuple-storage-layout", Kind::hash_and_id},
      {"0004-hashed-n-tuple-storage-layout", Kind::hashed},
      {"0006-flat-omit-prefix-storage-layout", Kind::flat_omit_prefix},
      {"0007-n-tuple-omit-prefix-storage-layout", Kind::tuple_omit_prefix},
  }};
  const auto* const known = std::find_if(kKnown.begin(), kKnown.end(),
                                         [&](const auto& each) { return each.first == extension; });
  if (known == kKnown.end()) {
    return Error(Code::unsupported, "'" + printable(extension) + "' is not known here");
  }
  Layout layout;
  layout.kind_ = known->second;
  TRY_SET(layout.tuple_size_, small_number(extension, config, "tupleSize", 3));
  TRY_SET(layout.tuples_, small_number(extension, config, "numberOfTuples", 3));
  if ((layout.tuple_size_ == 0) != (layout.tuples_ == 0)) {
    return unfit(extension, "of tupleSize and numberOfTuples one is 0 and the other is not");
  }
  if (config.contains("digestAlgorithm")) {
    const auto algorithm = algorithm_of_name(json::text_at(config, "digestAlgorithm"));
    if (!algorithm) {
      return Error(Code::unsupported,
                   std::string(extension) + ": its digestAlgorithm is not known");
    }
    layout.algorithm_ = *algorithm;
  }
  const bool hashes = layout.kind_ == Kind::hash_and_id || layout.kind_ == Kind::hashed;
  if (hashes && layout.tuple_size_ * layout.tuples_ > digest_bytes(layout.algorithm_) * 2) {
    return unfit(extension, "the tuples are longer than the digest");
  }
  layout.short_root_ = json::flag_at(config, "shortObjectRoot");
  layout.reverse_ = json::flag_at(config, "reverseObjectRoot");
  layout.pad_left_ = json::text_at(config, "zeroPadding") != "right";
  layout.delimiter_ = json::text_at(config, "delimiter");
  const bool omits =
      layout.kind_ == Kind::flat_omit_prefix || layout.kind_ == Kind::tuple_omit_prefix;
  if (omits && layout.delimiter_.empty()) return unfit(extension, "delimiter is missing or empty");
  return layout;
}

std::string Layout::tuples_of(std::string_view text) const {
  std::string path;
  for (std::size_t i = 0; i < tuples_; ++i) {
    path += text.substr(i * tuple_size_, tuple_size_);
    path += '/';
  }
  return path;
}

std::optional<std::string> Layout::place_of(std::string_view id) const {
  switch (kind_) {
    case Kind::flat:
      return std::string(id);
    case Kind::hash_and_id:
      return tuples_of(digest_of(algorithm_, id).hex()) + object_folder_name(id, algorithm_);
    case Kind::hashed: {
      const std::string hex = digest_of(algorithm_, id).hex();
      const std::string rest = hex.substr(short_root_ ? tuple_size_ * tuples_ : 0);
      if (rest.empty()) return std::nullopt;
      return tuples_of(hex) + rest;
    }
    case Kind::flat_omit_prefix: {
      const std::string_view rest = without_prefix(id, delimiter_);
      if (rest.empty()) return std::nullopt;
      return std::string(rest);
    }
    case Kind::tuple_omit_prefix: {
      const std::string_view rest = without_prefix(id, delimiter_);
      if (rest.empty()) return std::nullopt;
      std::string text(rest);
      if (reverse_) std::reverse(text.begin(), text.end());
      const std::size_t length = tuple_size_ * tuples_;
      const std::string zeros(text.size() < length ? length - text.size() : 0, '0');
      return tuples_of(pad_left_ ? zeros + text : text + zeros) + std::string(rest);
    }
  }
  return std::nullopt;
}

}  // namespace versement::ocfl
