#include "service/ingest/rights_table.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <unordered_map>

#include "service/ingest/table.hpp"
#include "store/base/csv.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::ingest {
namespace {

constexpr std::array<std::string_view, 6> kBases{"copyright", "license", "statute",
                                                 "donor",     "policy",  "other"};
constexpr std::array<std::string_view, 3> kRestrictions{"Allow", "Disallow", "Conditional"};

// "1994", "1994-02", "1994-02-03"; an end may be "open".
bool is_date(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00";
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != '-') return false;
  }
  return true;
}

bool is_known(std::string_view column) {
  const auto named = [&](const auto& field) { return field.column == column; };
  return column == "file" ||
         std::any_of(mets::kStatementFields.begin(), mets::kStatementFields.end(), named) ||
         std::any_of(mets::kGrantFields.begin(), mets::kGrantFields.end(), named) ||
         std::any_of(mets::kDocumentFields.begin(), mets::kDocumentFields.end(), named);
}

class Reader {
 public:
  explicit Reader(std::string_view path) : path_(path) {}

  RightsTable run(std::string_view bytes) {
    bool begun = false;
    bool stopped = false;
    const auto faults = csv::read(bytes, [&](const csv::Row& row) {
      if (!begun) {
        begun = true;
        stopped = !header(row);
        return !stopped;
      }
      read_row(row);
      return !full_;
    });
    if (!stopped) {
      for (const csv::Fault& fault : faults)
        refuse(fault);
    }
    std::stable_sort(
        table_.findings.begin(), table_.findings.end(),
        [](const Finding& left, const Finding& right) { return left.row < right.row; });
    return std::move(table_);
  }

 private:
  void add(const csv::Fault& fault, Severity severity = Severity::error) {
    if (table_.findings.size() == limits::kCsvFaultsMax) return;
    Finding finding = finding_of(fault, path_);
    finding.severity = severity;
    table_.findings.push_back(std::move(finding));
  }
  void refuse(const csv::Fault& fault) {
    table_.faulty = true;
    add(fault);
  }

  bool header(const csv::Row& row) {
    if (const auto fault = wrong_delimiter(row, "file")) {
      refuse(*fault);
      return false;
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (const auto fault = control_fault(row.cells[i], row.line, i + 1)) refuse(*fault);
      std::string name = lower_ascii(trim(row.cells[i]));
      if (!name.empty() && !seen.insert(name).second) {
        refuse({"table-column-twice", row.line, i + 1,
                "the column '" + printable(name) + "' stands twice", "take one of the two away"});
      }
      if (!name.empty() && !is_known(name)) {
        add({"rights-column", row.line, i + 1,
             "the column '" + printable(name) + "' has no meaning here; its texts are not kept",
             "put what it says into 'note' or 'grant_note'"},
            Severity::warning);
      }
      columns_.push_back(std::move(name));
    }
    if (seen.contains("file")) return true;
    refuse({"rights-no-file", row.line, 0, "there is no column 'file'",
            "name the columns in the first line, separated by commas; docs/ingest.md lists them"});
    return false;
  }

  std::size_t column(std::string_view name) const {
    const auto at = std::find(columns_.begin(), columns_.end(), name);
    return at == columns_.end() ? 0 : static_cast<std::size_t>(at - columns_.begin()) + 1;
  }

  void read_row(const csv::Row& cells) {
    if (cells.cells.size() > columns_.size()) {
      refuse({"table-cells", cells.line, columns_.size() + 1,
              std::to_string(cells.cells.size()) + " cells, but only " +
                  std::to_string(columns_.size()) + " columns",
              "put a text with a comma in quotes"});
      return;
    }
    RightsRow row;
    row.line = cells.line;
    mets::RightsStatement statement;
    mets::Grant grant;
    for (std::size_t i = 0; i < cells.cells.size(); ++i) {
      const std::string& name = columns_[i];
      if (name == "file") {
        row.file = cells.cells[i];
        continue;
      }
      const std::string value = csv::restored(std::string(trim(cells.cells[i], " \t\r\n")));
      if (value.empty()) continue;
      if (const auto fault = control_fault(value, row.line, i + 1)) {
        row.faulty = true;
        add(*fault);
      }
      if (name.empty()) {
        refuse({"table-column-unnamed", row.line, i + 1, "there is text in a column without a name",
                "name the column in the first line, or empty it"});
      }
      take(name, value, &statement, &grant);
    }
    check(&row, &statement, &grant);
    if (!row.faulty) number(std::move(statement), std::move(grant), &row);
    if (table_.statements.size() + table_.grants.size() > limits::kRightsTextsMax) {
      full_ = true;
      refuse({"table-limit", row.line, 0,
              "more than " + std::to_string(limits::kRightsTextsMax) +
                  " different statements and grants",
              "split the deposit"});
      return;
    }
    table_.rows.push_back(std::move(row));
  }

  static void take(const std::string& name,
                   const std::string& value,
                   mets::RightsStatement* statement,
                   mets::Grant* grant) {
    for (const auto& field : mets::kStatementFields)
      if (field.column == name) statement->*field.member = value;
    for (const auto& field : mets::kDocumentFields)
      if (field.column == name) statement->*field.member = value;
    for (const auto& field : mets::kGrantFields)
      if (field.column == name) grant->*field.member = value;
  }

  // Not of a faulty row: that keeps its item out, and what it says is not needed.
  void number(mets::RightsStatement statement, mets::Grant grant, RightsRow* row) {
    if (grant != mets::Grant()) {
      mets::RightsStatement only;
      only.grants.push_back(grant);
      row->grant = number_of(json::write(mets::to_json(only)), std::move(grant), &table_.grants);
    }
    std::string text = json::write(mets::to_json(statement));
    row->statement = number_of(std::move(text), std::move(statement), &table_.statements);
  }

  // The number of something in a list without repetitions; `text` tells apart what differs.
  template <class Said>
  std::uint32_t number_of(std::string text, Said said, std::vector<Said>* list) {
    const auto [at, fresh] =
        numbers_.emplace(std::move(text), static_cast<std::uint32_t>(list->size()));
    if (fresh) list->push_back(std::move(said));
    return at->second;
  }

  void check(RightsRow* row, mets::RightsStatement* said, mets::Grant* grant) {
    const auto bad = [&](std::string code, std::string_view name, std::string what,
                         std::string remedy) {
      row->faulty = true;
      add({std::move(code), row->line, column(name), std::move(what), std::move(remedy)});
    };
    if (row->file.empty()) {
      bad("rights-file", "file", "the row names no file",
          "write the file, its folder, or the identifier of an item without files");
    }
    mets::RightsStatement& statement = *said;
    statement.basis = lower_ascii(statement.basis);
    if (std::find(kBases.begin(), kBases.end(), statement.basis) == kBases.end()) {
      bad("rights-basis", "basis",
          statement.basis.empty()
              ? std::string("the row has no basis")
              : "'" + printable(statement.basis.substr(0, 200)) + "' is no basis of rights",
          "write copyright, license, statute, donor, policy or other");
    }
    if (*grant != mets::Grant() && grant->act.empty()) {
      bad("rights-act", "grant_act", "the row says something of an act, but not which",
          "fill in grant_act: disseminate, reproduce, modify …");
    }
    check_restriction(grant, bad);
    if (row->faulty) return;
    for (const auto& [name, date] : {std::pair<std::string_view, const std::string&>{
                                         "determination_date", statement.determination_date},
                                     {"start_date", statement.start_date},
                                     {"end_date", statement.end_date},
                                     {"grant_start_date", grant->start_date},
                                     {"grant_end_date", grant->end_date}}) {
      const bool open = name.ends_with("end_date") && lower_ascii(date) == "open";
      if (date.empty() || open || is_date(date)) continue;
      add({"rights-date", row->line, column(name),
           "'" + printable(date.substr(0, 200)) + "' is no date; it is kept as it is written",
           "write 1994, 1994-02 or 1994-02-03; an end may be open"},
          Severity::warning);
    }
    wanted(*row, statement);
  }

  template <class Bad>
  void check_restriction(mets::Grant* grant, const Bad& bad) {
    if (grant->restriction.empty()) return;
    for (const std::string_view known : kRestrictions) {
      if (!equal_ignoring_ascii_case(grant->restriction, known)) continue;
      grant->restriction = known;
      return;
    }
    bad("rights-restriction", "grant_restriction",
        "'" + printable(grant->restriction.substr(0, 200)) + "' is no restriction",
        "write Allow, Disallow or Conditional");
  }

  // What PREMIS and Archivematica want of a basis.
  void wanted(const RightsRow& row, const mets::RightsStatement& s) {
    const auto missing = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) return;
      add({"rights-incomplete", row.line, column(name),
           "a statement of " + s.basis + " should have " + std::string(name) +
               "; PREMIS says 'unknown'",
           "fill in " + std::string(name)},
          Severity::info);
    };
    if (s.basis == "copyright") missing("status", s.status);
    if (s.basis == "copyright" || s.basis == "statute") missing("jurisdiction", s.jurisdiction);
    if (s.basis == "statute") missing("citation", s.citation);
  }

  const std::string path_;
  std::vector<std::string> columns_;
  // By what is said, as text: a grant's has the member "grants", a statement's has not.
  std::unordered_map<std::string, std::uint32_t> numbers_;
  bool full_ = false;
  RightsTable table_;
};

}  // namespace

RightsTable read_rights(std::string_view bytes, std::string_view path) {
  return Reader(path).run(bytes);
}

}  // namespace versement::ingest
