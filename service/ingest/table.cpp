#include "service/ingest/table.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "store/base/csv.hpp"
#include "store/base/text.hpp"

namespace versement::ingest {
namespace {

constexpr std::string_view kDefaultLanguage = "fr";

struct Column {
  std::string name;      // without the language
  std::string language;  // "fr" when none is given
  bool language_given = false;
  std::string written;  // as in the file
};

using Setter = std::function<void(const Column&, const std::string&, TableRow*)>;

void add_localized(mets::Localized* into, const Column& column, const std::string& value) {
  std::string& text = (*into)[column.language];
  if (!text.empty()) text += " ; ";
  text += value;
}

Setter localized(mets::Localized mets::Description::*member) {
  return [member](const Column& column, const std::string& value, TableRow* row) {
    add_localized(&(row->description.*member), column, value);
  };
}

Setter right(mets::Localized mets::Rights::*member) {
  return [member](const Column& column, const std::string& value, TableRow* row) {
    add_localized(&(row->description.rights.*member), column, value);
  };
}

Setter list(std::vector<std::string> mets::Description::*member) {
  return [member](const Column& /*column*/, const std::string& value, TableRow* row) {
    (row->description.*member).push_back(value);
  };
}

Setter localized_list(std::vector<mets::Localized> mets::Description::*member) {
  return [member](const Column& column, const std::string& value, TableRow* row) {
    (row->description.*member).push_back({{column.language, value}});
  };
}

Setter original(std::string mets::Original::*member) {
  return [member](const Column& /*column*/, const std::string& value, TableRow* row) {
    row->original.*member = value;
  };
}

// The first dc.type is a DCMI type, what follows says more.
void set_type(const Column& /*column*/, const std::string& value, TableRow* row) {
  std::string& target =
      row->description.type.empty() ? row->description.type : row->description.genre;
  if (!target.empty()) target += " ; ";
  target += value;
}

void set_identifier(const Column& /*column*/, const std::string& value, TableRow* row) {
  if (row->identifier.empty()) row->identifier = value;
  row->description.identifiers.push_back({identifier_type(value), value});
}

void set_own_identifier(const Column& /*column*/, const std::string& value, TableRow* row) {
  row->identifier = value;
  row->own_identifier = true;
  row->description.identifiers.insert(row->description.identifiers.begin(),
                                      {identifier_type(value), value});
}

const std::map<std::string, Setter, std::less<>>& setters() {
  using mets::Description;
  static const std::map<std::string, Setter, std::less<>> all{
      {"filename",
       [](const Column&, const std::string& value, TableRow* row) { row->filename = value; }},
      {"identifier", set_own_identifier},
      {"dc.title", localized(&Description::title)},
      {"dc.description", localized(&Description::description)},
      {"dc.creator", list(&Description::creators)},
      {"dc.subject", localized_list(&Description::subjects)},
      {"dc.coverage", localized_list(&Description::places)},
      {"dc.language", list(&Description::languages)},
      {"dc.relation", list(&Description::relations)},
      {"dc.source", localized(&Description::source)},
      {"dc.type", set_type},
      {"dc.identifier", set_identifier},
      {"dc.date", [](const Column&, const std::string& value,
                     TableRow* row) { row->description.date = value; }},
      {"dc.format", [](const Column&, const std::string& value,
                       TableRow* row) { row->description.format = value; }},
      {"dc.rights", right(&mets::Rights::conditions)},
      {"credit", right(&mets::Rights::credit_line)},
      {"owner", right(&mets::Rights::owner)},
      {"shelfmark", original(&mets::Original::shelfmark)},
      {"box", original(&mets::Original::box)},
      {"extent", original(&mets::Original::extent)},
  };
  return all;
}

// Columns of which a second one would say who is right.
bool must_be_single(const Column& column) {
  static const std::set<std::string, std::less<>> singles{
      "filename", "identifier", "dc.date", "dc.format", "shelfmark", "box", "extent"};
  return singles.contains(column.name);
}

bool is_language(std::string_view text) {
  return text.size() >= 2 && text.size() <= 12 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
         });
}

Error wrong(std::size_t line, const std::string& what) {
  return Error(Code::invalid, "metadata.csv line " + std::to_string(line) + ": " + what)
      .as("metadata-csv");
}

Result<std::vector<Column>> read_header(const csv::Row& row, Table* table) {
  std::vector<Column> columns;
  std::set<std::string> seen;
  for (const std::string& cell : row.cells) {
    Column column;
    column.written = trim(cell);
    const std::size_t at = column.written.find('@');
    column.name = lower_ascii(column.written.substr(0, at));
    column.language = kDefaultLanguage;
    if (at != std::string::npos) {
      column.language = column.written.substr(at + 1);
      column.language_given = true;
      if (!is_language(column.language)) {
        return wrong(row.line, "'" + printable(column.written) + "' has no language behind the @");
      }
    }
    if (!setters().contains(column.name)) {
      if (!column.written.empty()) table->unmapped_columns.push_back(column.written);
    } else if (!seen.insert(column.name).second && must_be_single(column)) {
      return wrong(row.line, "the column '" + column.name + "' stands twice");
    }
    columns.push_back(std::move(column));
  }
  if (!seen.contains("filename")) {
    return wrong(
        row.line,
        "there is no column 'filename'; the first line must name the columns, separated by "
        "commas");
  }
  return columns;
}

TableRow read_row(const csv::Row& row, const std::vector<Column>& columns) {
  TableRow out;
  out.line = row.line;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    // Blanks round a file's name belong to it; elsewhere they are a spreadsheet's leavings.
    const Column& column = columns[i];
    const std::string value =
        column.name == "filename" ? row.cells[i] : std::string(trim(row.cells[i], " \t\r\n"));
    if (value.empty()) continue;
    const auto setter = setters().find(column.name);
    if (setter != setters().end()) {
      setter->second(column, value, &out);
    } else if (!column.written.empty()) {
      out.description.unmapped.emplace_back(column.written, value);
    }
  }
  return out;
}

}  // namespace

std::string identifier_type(std::string_view value) {
  if (value.starts_with("ark:")) return "ark";
  if (value.find("://") != std::string_view::npos || value.starts_with("urn:")) return "uri";
  return "local";
}

Result<Table> read_table(std::string_view bytes) {
  auto rows = csv::parse(bytes);
  if (!rows) return std::move(rows).error().during("metadata.csv").as("metadata-csv");
  if (rows->empty()) return wrong(1, "the table is empty");
  Table table;
  TRY_SET(const std::vector<Column> columns, read_header(rows->front(), &table));
  for (std::size_t i = 1; i < rows->size(); ++i) {
    const csv::Row& row = (*rows)[i];
    if (row.cells.size() > columns.size()) {
      return wrong(row.line, std::to_string(row.cells.size()) + " cells, but only " +
                                 std::to_string(columns.size()) +
                                 " columns; a text with a comma needs quotes");
    }
    table.rows.push_back(read_row(row, columns));
  }
  return table;
}

bool merge(const json::Object& from, json::Object* into) {
  bool same = true;
  for (const auto& member : from) {
    json::Value* const there = into->if_contains(member.key());
    if (there == nullptr) {
      (*into)[member.key()] = member.value();
    } else if (there->is_object() && member.value().is_object()) {
      same = merge(member.value().get_object(), &there->get_object()) && same;
    } else if (there->is_array() && member.value().is_array()) {
      json::Array& list = there->get_array();
      for (const json::Value& value : member.value().get_array()) {
        if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
      }
    } else if (*there != member.value()) {
      same = false;
    }
  }
  return same;
}

}  // namespace versement::ingest
