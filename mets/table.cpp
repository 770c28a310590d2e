#include "mets/table.hpp"

#include <algorithm>
#include <iterator>

#include "store/base/csv.hpp"
#include "store/base/limits.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kFilename = "filename";
constexpr std::string_view kItem = "versement.item";

struct Cell {
  std::size_t group;
  std::string column;
  std::string value;
};

// Groups in which the order of the columns means nothing: texts by language, single values.
constexpr std::size_t kOrdered[] = {1, 2, 5, 7, 9, 10, 11, 19};

bool keeps_order(std::size_t group) {
  return std::find(std::begin(kOrdered), std::end(kOrdered), group) != std::end(kOrdered);
}

// The cells of an item, group by group.
class Cells {
 public:
  Cells(const Description& d, const Original& original) {
    localized(0, "dc.title", d.title);
    list(1, "dc.creator", d.creators);
    for (const Localized& subject : d.subjects)
      localized(2, "dc.subject", subject);
    localized(3, "dc.description", d.description);
    plain(4, "dc.date", d.date);
    plain(5, "dc.type", d.type);
    plain(5, "dc.type", d.genre);
    plain(6, "dc.format", d.format);
    for (const Identifier& each : d.identifiers)
      plain(7, "dc.identifier", each.value);
    localized(8, "dc.source", d.source);
    list(9, "dc.language", d.languages);
    list(10, "dc.relation", d.relations);
    for (const Localized& place : d.places)
      localized(11, "dc.coverage", place);
    localized(12, "dc.rights", d.rights.conditions);
    localized(13, "credit", d.rights.credit_line);
    localized(14, "owner", d.rights.owner);
    if (d.rights.reproduction != "unknown") plain(15, "reproduction", d.rights.reproduction);
    plain(16, "shelfmark", original.shelfmark);
    plain(17, "box", original.box);
    plain(18, "extent", original.extent);
    for (const auto& [name, value] : d.unmapped)
      plain(19, name, value);
  }
  const std::vector<Cell>& all() const { return cells_; }

 private:
  void plain(std::size_t group, const std::string& column, const std::string& value) {
    if (!value.empty()) cells_.push_back({group, column, value});
  }
  void list(std::size_t group, const std::string& column, const std::vector<std::string>& values) {
    for (const std::string& value : values)
      plain(group, column, value);
  }
  void localized(std::size_t group, const std::string& column, const Localized& text) {
    for (const auto& [language, value] : in_order(text))
      plain(group, language == "fr" ? column : column + "@" + language, value);
  }

  std::vector<Cell> cells_;
};

// The place of a cell in its group, not before `from`.
std::size_t place_of(const std::vector<std::string>& columns,
                     const std::string& column,
                     std::size_t from) {
  const auto begin = columns.begin() + static_cast<std::ptrdiff_t>(std::min(from, columns.size()));
  return static_cast<std::size_t>(std::find(begin, columns.end(), column) - columns.begin());
}

// Writes what `filename` says. A name that a spreadsheet would run has a path before it: no
// apostrophe is taken from a filename.
void append_filename(std::string_view name, std::string* out) {
  const bool runs =
      !name.empty() && std::string_view("=+-@\t\r'").find(name[0]) != std::string_view::npos;
  csv::append_cell(runs ? "./" + std::string(name) : std::string(name), out);
}

// Rows that are handed on when there are enough of them.
class Rows {
 public:
  explicit Rows(const Sink& sink) : sink_(sink) {}
  std::string& text() { return text_; }
  Result<void> row_is_whole() {
    return text_.size() < limits::kChunkBytes ? Result<void>() : send();
  }
  Result<void> send() {
    auto sent = sink_(text_);
    text_.clear();
    return sent;
  }

 private:
  const Sink& sink_;
  std::string text_;
};

}  // namespace

Result<void> MetadataTable::add(const Description& description, const Original& original) {
  std::array<std::size_t, kGroups> next{};
  const Cells cells(description, original);
  for (const Cell& cell : cells.all()) {
    std::vector<std::string>& columns = columns_[cell.group];
    const bool ordered = keeps_order(cell.group);
    const std::size_t at = place_of(columns, cell.column, ordered ? next[cell.group] : 0);
    if (at == columns.size()) columns.push_back(cell.column);
    next[cell.group] = at + 1;
  }
  std::size_t count = 2;
  for (std::size_t group = 0; group < kGroups; ++group) {
    // "dc.title@en" before "dc.title@km", whichever came first.
    if (!keeps_order(group)) std::sort(columns_[group].begin(), columns_[group].end());
    count += columns_[group].size();
  }
  if (count <= limits::kCsvColumnsMax) return {};
  return Error(Code::limit, "the table would have more than " +
                                std::to_string(limits::kCsvColumnsMax) +
                                " columns; take the descriptions from the items one by one")
      .as("table-limit");
}

std::string MetadataTable::header() const {
  std::vector<std::string> names{std::string(kFilename), std::string(kItem)};
  for (const auto& columns : columns_)
    names.insert(names.end(), columns.begin(), columns.end());
  return csv::write_row(names);
}

Result<void> MetadataTable::rows(const TableItem& item, const Sink& sink) const {
  std::array<std::size_t, kGroups> first{};
  std::size_t count = 1;  // of the cells behind `filename`
  for (std::size_t group = 0; group < kGroups; ++group) {
    first[group] = count;
    count += columns_[group].size();
  }
  std::vector<std::string> row(count);
  row[0] = item.slug;
  const std::string further = "," + csv::write_row(row);
  std::array<std::size_t, kGroups> next{};
  const Cells cells(item.description, item.original);
  for (const Cell& cell : cells.all()) {
    const std::vector<std::string>& columns = columns_[cell.group];
    const std::size_t at =
        place_of(columns, cell.column, keeps_order(cell.group) ? next[cell.group] : 0);
    if (at == columns.size()) {
      return Error(Code::conflict,
                   "item '" + item.slug + "' was changed while the table was made; ask again")
          .as("resource-busy");
    }
    row[first[cell.group] + at] = cell.value;
    next[cell.group] = at + 1;
  }
  const std::string everything = "," + csv::write_row(row);
  Rows rows(sink);
  bool any = false;
  TRY(item.files([&](const TableItem::File& file) {
    append_filename(file.filename, &rows.text());
    rows.text() += any ? further : everything;
    any = true;
    return rows.row_is_whole();
  }));
  if (!any) rows.text() += everything;
  return rows.send();
}

std::string rights_header() {
  std::vector<std::string> names{"file"};
  for (const auto& field : kStatementFields)
    names.emplace_back(field.column);
  for (const auto& field : kGrantFields)
    names.emplace_back(field.column);
  for (const auto& field : kDocumentFields)
    names.emplace_back(field.column);
  return csv::write_row(names);
}

Result<void> rights_rows(const TableItem& item, const Sink& sink) {
  const std::vector<RightsStatement>& statements = item.description.rights.statements;
  if (statements.empty()) return {};
  Rows rows(sink);
  const auto add = [&](const RightsStatement& statement, const Grant& grant) {
    std::vector<std::string> row;
    row.reserve(std::size(kStatementFields) + std::size(kGrantFields) + std::size(kDocumentFields));
    for (const auto& field : kStatementFields)
      row.push_back(statement.*field.member);
    for (const auto& field : kGrantFields)
      row.push_back(grant.*field.member);
    for (const auto& field : kDocumentFields)
      row.push_back(statement.*field.member);
    rows.text() += "," + csv::write_row(row);
    return rows.row_is_whole();
  };
  const auto add_all = [&](std::string_view file,
                           const std::string_view* data_path) -> Result<void> {
    for (const RightsStatement& statement : statements) {
      const auto& only = statement.files;
      const bool of_file = data_path == nullptr || only.empty() ||
                           std::find(only.begin(), only.end(), *data_path) != only.end();
      if (!of_file) continue;
      const std::vector<Grant> none(1);
      for (const Grant& grant : statement.grants.empty() ? none : statement.grants) {
        append_filename(file, &rows.text());
        TRY(add(statement, grant));
      }
    }
    return {};
  };
  bool has_files = false;
  TRY(item.files([&](const TableItem::File& file) -> Result<void> {
    if (file.data_path.empty()) return {};
    has_files = true;
    return add_all(file.filename, &file.data_path);
  }));
  if (!has_files) TRY(add_all(item.slug, nullptr));
  return rows.send();
}

}  // namespace versement::mets
