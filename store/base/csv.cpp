#include "store/base/csv.hpp"

#include <algorithm>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::csv {
namespace {

// A formula, or what could be one when apostrophes before it are taken away: these count as well,
// so that an apostrophe put in front can be told from one that was there.
bool would_run(std::string_view cell) {
  const std::size_t first = cell.find_first_not_of('\'');
  return first != std::string_view::npos &&
         std::string_view("=+-@\t\r").find(cell[first]) != std::string_view::npos;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Row>> parse() {
    row_.line = 1;
    while (at_ < text_.size())
      TRY(cell());
    if (!row_.cells.empty() || pending_) TRY(end_row());
    return std::move(rows_);
  }

 private:
  Error wrong(std::string_view what) const {
    return {Code::invalid, "line " + std::to_string(line_) + ", column " +
                               std::to_string(row_.cells.size() + 1) + ": " + std::string(what)};
  }

  // One cell and the separator behind it.
  Result<void> cell() {
    std::string value;
    if (text_[at_] == '"') {
      TRY(quoted(&value));
    } else {
      TRY(plain(&value));
    }
    if (value.size() > limits::kCsvCellBytesMax)
      return Error(Code::limit,
                   wrong("a cell of " + std::to_string(value.size()) + " bytes").what());
    if (row_.cells.size() == limits::kCsvColumnsMax) {
      return Error(Code::limit, wrong("more than 512 columns").what());
    }
    row_.cells.push_back(std::move(value));
    pending_ = false;
    if (at_ == text_.size()) return {};
    if (text_[at_] == ',') {
      ++at_;
      pending_ = true;  // A comma at the end of the file leaves an empty last cell.
      return {};
    }
    return line_end();
  }

  Result<void> quoted(std::string* value) {
    const std::size_t opened = line_;
    ++at_;
    while (true) {
      if (at_ >= text_.size()) {
        line_ = opened;
        return wrong("a quote is opened and never closed");
      }
      const char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c != '"') {
        *value += c;
      } else if (at_ < text_.size() && text_[at_] == '"') {
        *value += '"';
        ++at_;
      } else {
        break;
      }
    }
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
      return wrong("text after a closing quote; double the quotes that belong to the text");
    }
    return {};
  }

  Result<void> plain(std::string* value) {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    *value = text_.substr(at_, end - at_);
    if (value->find('"') != std::string::npos) {
      return wrong("a quote inside a cell without quotes; put the cell in quotes and double it");
    }
    at_ = end;
    return {};
  }

  Result<void> line_end() {
    if (text_[at_] == '\r') {
      ++at_;
      if (at_ == text_.size() || text_[at_] != '\n') return wrong("a lone carriage return");
    }
    ++at_;
    ++line_;
    return end_row();
  }

  Result<void> end_row() {
    if (pending_) row_.cells.emplace_back();
    pending_ = false;
    const bool blank = std::all_of(row_.cells.begin(), row_.cells.end(),
                                   [](const std::string& c) { return trim(c).empty(); });
    if (!blank) {
      if (rows_.size() == limits::kCsvRowsMax)
        return Error(Code::limit, "more than a million rows");
      rows_.push_back(std::move(row_));
    }
    row_ = Row();
    row_.line = line_;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  bool pending_ = false;
  Row row_;
  std::vector<Row> rows_;
};

}  // namespace

Result<std::vector<Row>> parse(std::string_view text) {
  if (text.size() > limits::kCsvBytesMax) {
    return Error(Code::limit, "a table of " + human_bytes(text.size()) + "; at most " +
                                  human_bytes(limits::kCsvBytesMax) + " are read");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const auto bad = first_invalid_utf8(text)) {
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*bad), '\n');
    return Error(Code::invalid, "line " + std::to_string(line) +
                                    ": bytes that are not UTF-8; save the table as UTF-8");
  }
  if (text.find('\0') != std::string_view::npos) {
    return Error(Code::invalid, "a NUL byte: this is not a CSV table");
  }
  return Parser(text).parse();
}

std::string restored(std::string cell) {
  if (cell.starts_with('\'') && would_run(cell)) cell.erase(0, 1);
  return cell;
}

std::string write_row(std::span<const std::string> cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    std::string cell = cells[i];
    if (would_run(cell)) cell.insert(0, 1, '\'');
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      out += cell;
      continue;
    }
    out += '"';
    for (const char c : cell) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  return out + "\r\n";
}

}  // namespace versement::csv
