// metadata.csv and rights.csv of many items, made when they are asked for.
#pragma once

#include <string>
#include <vector>

#include "service/api/context.hpp"

namespace versement::api {

// RFC 4180: the first row names the columns.
inline constexpr const char* kTableMediaType = "text/csv; charset=utf-8; header=present";

enum class TableKind { metadata, rights };

// Whose table, and how it names the files.
struct TableOf {
  TableKind kind = TableKind::metadata;
  // By slug, without a repetition; the version whose files are named, 0 for the newest.
  std::vector<std::pair<std::string, std::uint32_t>> items;
  // True: as they lie in the bag of a transfer. False: as they were deposited.
  bool in_bag = false;
  std::string file_name;
};

// Errors: conflict, when an item is changed meanwhile; limit; no_space.
Result<Response> table_response(const Context& context, const Call& call, TableOf table);

}  // namespace versement::api
