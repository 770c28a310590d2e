#include "cli/check_cursor.hpp"

#include "store/base/json.hpp"
#include "store/base/publish.hpp"

namespace versement::cli {
namespace {

constexpr std::size_t kCursorBytesMax = 256u << 20;

}  // namespace

Result<std::optional<CheckCursor>> load_cursor(Disk& disk, const Path& file) {
  auto text = read_file(disk, file, kCursorBytesMax);
  if (!text && text.error().code() == Code::not_found) return std::optional<CheckCursor>();
  if (!text) return std::move(text).error();
  const auto object = json::parse_object(*text, kCursorBytesMax);
  if (!object || json::number_at(*object, "v") != 1) {
    return Error(Code::invalid, file.native() +
                                    " is no cursor of a store check; name another file, or remove "
                                    "it to begin anew");
  }
  CheckCursor cursor;
  cursor.root = json::text_at(*object, "root");
  cursor.last = json::text_at(*object, "last");
  cursor.objects = json::number_at(*object, "objects");
  cursor.files = json::number_at(*object, "files");
  cursor.bytes = json::number_at(*object, "bytes");
  for (const json::Value& value : json::array_at(*object, "findings")) {
    if (!value.is_object()) continue;
    const json::Object& one = value.get_object();
    cursor.problems[json::text_at(one, "place")].push_back(
        {json::text_at(one, "code"), json::text_at(one, "path"), json::text_at(one, "detail"),
         json::text_at(one, "pointer")});
  }
  return std::optional(std::move(cursor));
}

Result<void> save_cursor(Disk& disk, const Path& file, const CheckCursor& cursor) {
  json::Array findings;
  for (const auto& [place, problems] : cursor.problems) {
    for (const ocfl::Problem& problem : problems) {
      findings.emplace_back(json::Object{{"place", place},
                                         {"code", problem.code},
                                         {"path", problem.path},
                                         {"pointer", problem.pointer},
                                         {"detail", problem.detail}});
    }
  }
  const json::Object object{{"v", 1},
                            {"root", cursor.root},
                            {"last", cursor.last},
                            {"objects", cursor.objects},
                            {"files", cursor.files},
                            {"bytes", cursor.bytes},
                            {"findings", std::move(findings)}};
  const std::string text = json::write(object) + "\n";
  return replace_file(disk, file, as_bytes(text));
}

}  // namespace versement::cli
