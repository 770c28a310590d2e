#include "service/ingest/table.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "store/base/characters.hpp"
#include "store/base/ids.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::ingest {
namespace {

constexpr std::string_view kDefaultLanguage = "fr";

struct Column {
  std::string name;      // without the language
  std::string language;  // "fr" when none is given
  std::string written;   // as in the file
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
      // Looked at before they are set.
      {"reproduction", {}},
      {"versement.item", {}},
  };
  return all;
}

// Columns of which a second one would say who is right.
bool must_be_single(const Column& column) {
  static const std::set<std::string, std::less<>> singles{
      "filename", "identifier", "dc.date",      "dc.format",     "shelfmark",
      "box",      "extent",     "reproduction", "versement.item"};
  return singles.contains(column.name);
}

// A language of RFC 5646, as far as its form: "fr", "km-KH", "zh-Hant".
bool is_language(std::string_view text) {
  if (text.empty() || text.size() > 35) return false;
  bool first = true;
  for (const std::string_view part : split(text, '-')) {
    const bool alnum = std::all_of(part.begin(), part.end(), [&](char c) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      return letter || (!first && c >= '0' && c <= '9');
    });
    if (!alnum || part.size() > 8 || part.size() < (first ? 2u : 1u)) return false;
    first = false;
  }
  return true;
}

// "FR-ca" is "fr-ca": two ways to write a language would be two languages.
std::string language_of(std::string_view text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  return lower_ascii(text.substr(0, dash)) + std::string(text.substr(dash));
}

constexpr std::string_view kSplitAtCommas =
    "export it with commas (LibreOffice: Save as, Text CSV, Field delimiter ','; Excel: CSV UTF-8, "
    "with the list separator of the system set to a comma)";

class Reader {
 public:
  Reader(std::string_view path, const std::function<bool(TableRow)>& each)
      : path_(path), each_(each) {}

  Table run(std::string_view bytes) {
    bool stopped = false;
    bool begun = false;
    const auto faults = csv::read(bytes, [&](const csv::Row& row) {
      if (!begun) {
        begun = true;
        stopped = !header(row);
        return !stopped;
      }
      return each_(read_row(row));
    });
    // With the wrong separator every quote looks misplaced: that is told alone.
    if (!stopped) {
      for (const csv::Fault& fault : faults)
        refuse(fault);
    }
    if (!begun && faults.empty()) {
      refuse({"table-empty", 1, 0, "the table is empty",
              "name the columns in the first line, and describe an item in each further one"});
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (lost_[i] == 0) continue;
      refuse({"table-column-unnamed", lost_[i], i + 1, "there is text in a column without a name",
              "name the column in the first line, or empty it"});
    }
    std::stable_sort(
        table_.findings.begin(), table_.findings.end(),
        [](const Finding& left, const Finding& right) { return left.row < right.row; });
    return std::move(table_);
  }

 private:
  void refuse(const csv::Fault& fault) {
    table_.faulty = true;
    add(fault);
  }
  void add(const csv::Fault& fault) {
    if (table_.findings.size() < limits::kCsvFaultsMax) {
      table_.findings.push_back(finding_of(fault, path_));
    }
  }

  // False where nothing behind it can be read.
  bool header(const csv::Row& row) {
    if (const auto fault = wrong_delimiter(row, "filename")) {
      refuse(*fault);
      return false;
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (const auto fault = control_fault(row.cells[i], row.line, i + 1)) refuse(*fault);
      Column column = column_of(row, i);
      if (!setters().contains(column.name)) {
        if (!column.written.empty()) table_.unmapped_columns.push_back(column.written);
      } else if (!seen.insert(column.name).second && must_be_single(column)) {
        refuse({"table-column-twice", row.line, i + 1,
                "the column '" + column.name + "' stands twice", "take one of the two away"});
      }
      columns_.push_back(std::move(column));
    }
    lost_.resize(columns_.size());
    if (seen.contains("filename")) return true;
    refuse({"table-no-filename", row.line, 0, "there is no column 'filename'",
            "name the columns in the first line, separated by commas; docs/ingest.md lists them"});
    return false;
  }

  Column column_of(const csv::Row& row, std::size_t index) {
    Column column;
    column.written = csv::restored(std::string(trim(row.cells[index])));
    const std::size_t at = column.written.find('@');
    column.name = lower_ascii(column.written.substr(0, at));
    column.language = kDefaultLanguage;
    if (at == std::string::npos) return column;
    if (!setters().contains(column.name)) {
      column.name = lower_ascii(column.written);  // The @ is the writer's own.
      return column;
    }
    const std::string language = column.written.substr(at + 1);
    if (is_language(language)) {
      column.language = language_of(language);
    } else {
      refuse({"table-language", row.line, index + 1,
              "'" + printable(column.written) + "' has no language behind the @",
              "write a code as fr, en, km or zh-Hant"});
    }
    return column;
  }

  TableRow read_row(const csv::Row& row) {
    TableRow out;
    out.line = row.line;
    if (row.cells.size() > columns_.size()) {
      refuse({"table-cells", row.line, columns_.size() + 1,
              std::to_string(row.cells.size()) + " cells, but only " +
                  std::to_string(columns_.size()) + " columns",
              "put a text with a comma in quotes"});
    }
    std::string item;
    for (std::size_t i = 0; i < row.cells.size() && i < columns_.size(); ++i) {
      // Blanks round a file's name belong to it; elsewhere they are a spreadsheet's leavings. No
      // apostrophe is taken from a name: those that Versement writes need none.
      const Column& column = columns_[i];
      const std::string value = column.name == "filename"
                                    ? row.cells[i]
                                    : csv::restored(std::string(trim(row.cells[i], " \t\r\n")));
      if (value.empty()) continue;
      if (column.name != "filename") {
        if (const auto fault = control_fault(value, row.line, i + 1)) {
          out.faulty = true;
          add(*fault);
        }
      }
      const auto setter = setters().find(column.name);
      if (column.name == "versement.item") {
        item = value;
        check_item(value, row.line, i + 1, &out);
      } else if (column.name == "reproduction") {
        check_reproduction(value, row.line, i + 1, &out);
      } else if (setter != setters().end()) {
        setter->second(column, value, &out);
      } else if (!column.written.empty()) {
        out.description.unmapped.emplace_back(column.written, value);
      } else if (lost_[i] == 0) {
        lost_[i] = row.line;
      }
    }
    if (!item.empty()) {
      out.identifier = item;
      out.own_identifier = true;
    }
    return out;
  }

  void check_item(const std::string& value, std::size_t line, std::size_t column, TableRow* row) {
    if (Slug::parse(value)) return;
    row->faulty = true;
    add({"row-value", line, column, "'" + printable(value.substr(0, 200)) + "' is no item's id",
         "write A-Z a-z 0-9 . _ - only, at most 128 characters, or leave versement.item empty"});
  }

  void check_reproduction(const std::string& value,
                          std::size_t line,
                          std::size_t column,
                          TableRow* row) {
    const std::string word = lower_ascii(value);
    if (word == "allowed" || word == "allowed_with_credit" || word == "restricted" ||
        word == "unknown") {
      row->description.rights.reproduction = word;
      return;
    }
    row->faulty = true;
    add({"row-value", line, column,
         "'" + printable(value.substr(0, 200)) + "' does not say whether it may be reproduced",
         "write allowed, allowed_with_credit, restricted or unknown"});
  }

  const std::string path_;
  const std::function<bool(TableRow)>& each_;
  std::vector<Column> columns_;
  std::vector<std::size_t> lost_;  // by column: the first line whose text has no name; 0: none
  Table table_;
};

// How many letters are to be put in, taken out or changed; at most `most` + 1.
std::size_t distance(std::string_view a, std::string_view b, std::size_t most) {
  const std::size_t apart = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (apart > most) return most + 1;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return std::min(row.back(), most + 1);
}

}  // namespace

std::string near_column(std::string_view written) {
  std::string name = lower_ascii(trim(written.substr(0, written.find('@'))));
  for (char& c : name) {
    if (c == ':' || c == '_' || c == ' ' || c == '-') c = '.';
  }
  if (name.starts_with("dcterms.")) name.replace(0, 8, "dc.");
  if (setters().contains("dc." + name)) return "dc." + name;
  // Two letters of "dc.title", one of "box": more would be another word.
  std::size_t nearest = name.size() > 5 ? 3 : 2;
  std::string found;
  for (const auto& [column, setter] : setters()) {
    const std::size_t apart = distance(name, column, nearest);
    if (apart >= nearest) continue;
    nearest = apart;
    found = column;
  }
  return found;
}

std::string identifier_type(std::string_view value) {
  if (value.starts_with("ark:")) return "ark";
  if (value.find("://") != std::string_view::npos || value.starts_with("urn:")) return "uri";
  return "local";
}

std::optional<csv::Fault> control_fault(std::string_view cell,
                                        std::size_t line,
                                        std::size_t column) {
  const auto control = first_control(cell);
  if (!control) return std::nullopt;
  return csv::Fault{
      "table-control", line, column, "the text has the control character " + *control,
      "take it out: it is not seen, and METS cannot hold it; it came with a text that "
      "was pasted from another program"};
}

Finding finding_of(const csv::Fault& fault, std::string_view path) {
  return {.code = fault.code,
          .severity = Severity::error,
          .detail = csv::to_text(fault),
          .remedy = fault.remedy,
          .path = std::string(path),
          .row = fault.line,
          .column = fault.column,
          .item = {}};
}

std::optional<csv::Fault> wrong_delimiter(const csv::Row& header, std::string_view wanted) {
  const auto has = [&](char separator) {
    return std::any_of(header.cells.begin(), header.cells.end(), [&](const std::string& cell) {
      const auto names = split(cell, separator);
      return names.size() > 1 && std::any_of(names.begin(), names.end(), [&](auto name) {
               return lower_ascii(trim(name, " \t\"")) == wanted;
             });
    });
  };
  for (const auto& [separator, name] :
       {std::pair{';', "semicolons"}, std::pair{'\t', "tabs"}, std::pair{'|', "bars"}}) {
    if (!has(separator)) continue;
    return csv::Fault{"table-delimiter", header.line, 1,
                      "the columns are separated by " + std::string(name) + ", not by commas",
                      std::string(kSplitAtCommas)};
  }
  return std::nullopt;
}

Table read_table(std::string_view bytes, std::string_view path) {
  std::vector<TableRow> rows;
  Table table = read_table(bytes, path, [&](TableRow row) {
    rows.push_back(std::move(row));
    return true;
  });
  table.rows = std::move(rows);
  return table;
}

Table read_table(std::string_view bytes,
                 std::string_view path,
                 const std::function<bool(TableRow)>& each) {
  return Reader(path, each).run(bytes);
}

namespace {

void merge_into(const json::Object& from,
                const std::string& above,
                json::Object* into,
                std::vector<std::string>* differing) {
  for (const auto& member : from) {
    json::Value* const there = into->if_contains(member.key());
    if (there == nullptr) {
      (*into)[member.key()] = member.value();
    } else if (there->is_object() && member.value().is_object()) {
      merge_into(member.value().get_object(), above + std::string(member.key()) + ".",
                 &there->get_object(), differing);
    } else if (there->is_array() && member.value().is_array()) {
      json::Array& list = there->get_array();
      for (const json::Value& value : member.value().get_array()) {
        if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
      }
    } else if (*there != member.value()) {
      differing->push_back(above + std::string(member.key()));
    }
  }
}

}  // namespace

json::Object said(const mets::Description& description) {
  json::Object object = mets::to_json(description);
  if (description.rights.reproduction == "unknown") {
    object["rights"].get_object().erase("reproduction");
  }
  return object;
}

std::vector<std::string> merge(const json::Object& from, json::Object* into) {
  std::vector<std::string> differing;
  merge_into(from, "", into, &differing);
  return differing;
}

}  // namespace versement::ingest
