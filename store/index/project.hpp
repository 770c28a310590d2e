// The projection: what each kind of event does to the rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/index/index.hpp"

namespace versement::index {

// Rows as they will be: what this call has written, over what is stored. Not thread safe.
class Overlay {
 public:
  using Lookup = std::function<Result<std::optional<std::string>>(std::string_view key)>;
  using Write = std::function<void(std::string_view key, std::string_view value)>;
  // `write` takes the rows that no event reads again, at once.
  Overlay(Lookup stored, Write write) : stored_(std::move(stored)), write_(std::move(write)) {}

  Result<std::optional<std::string>> get(const std::string& key) const;
  // The record of a key, or an empty object.
  Result<json::Object> record(const std::string& key) const;
  void put(const std::string& key, std::string value);
  void put(const std::string& key, const json::Object& record);
  void remove(const std::string& key);
  // For the files of a version, which may be a hundred thousand: get() does not find this row.
  void write(std::string_view key, std::string_view value) { write_(key, value); }

  // A missing value is a removal.
  const std::map<std::string, std::optional<std::string>>& changes() const { return changes_; }

 private:
  Lookup stored_;
  Write write_;
  std::map<std::string, std::optional<std::string>> changes_;
};

// Applies one event. Kinds that concern no row are left out, unknown ones too: an older program
// must be able to open a newer journal for reading.
Result<void> project(std::uint64_t index,
                     const journal::Entry& entry,
                     Sources& sources,
                     Overlay* rows);

}  // namespace versement::index
