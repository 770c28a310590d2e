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

constexpr std::string_view kSaveAsUtf8 =
    "save the table as UTF-8 (LibreOffice: Save as, Text CSV, Character set Unicode (UTF-8); "
    "Excel: "
    "CSV UTF-8)";

class Reader {
 public:
  Reader(std::string_view text, const std::function<bool(Row)>& each) : text_(text), each_(each) {}

  std::vector<Fault> run() {
    if (text_.size() > limits::kCsvBytesMax) {
      fault("table-size", 0, 0,
            "a table of " + human_bytes(text_.size()) + "; at most " +
                human_bytes(limits::kCsvBytesMax) + " are read",
            "split the deposit");
    } else {
      check_encoding();
    }
    if (faults_.empty()) read_rows();
    return std::move(faults_);
  }

 private:
  void fault(std::string code,
             std::size_t line,
             std::size_t column,
             std::string what,
             std::string_view remedy) {
    if (faults_.size() == limits::kCsvFaultsMax) {
      stopped_ = true;
      return;
    }
    faults_.push_back({std::move(code), line, column, std::move(what), std::string(remedy)});
  }
  void fault_here(std::string code, std::string what, std::string_view remedy) {
    fault(std::move(code), line_, row_.cells.size() + 1, std::move(what), remedy);
  }

  // ------------------------------------------------------------------ bytes

  void check_encoding() {
    if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF")) {
      fault("table-encoding", 1, 0, "the table is UTF-16", kSaveAsUtf8);
      return;
    }
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    // UTF-16 without a mark: every other byte of an ASCII header is NUL.
    const std::string_view begin = text_.substr(0, 64);
    const auto nuls = static_cast<std::size_t>(std::count(begin.begin(), begin.end(), '\0'));
    if (begin.size() >= 4 && nuls * 3 >= begin.size()) {
      fault("table-encoding", 1, 0, "the table looks like UTF-16", kSaveAsUtf8);
      return;
    }
    std::size_t line = 1;
    std::size_t at = 0;
    while (at < text_.size() && !stopped_) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      check_line(text_.substr(at, end - at), line++);
      at = end + 1;
    }
  }

  void check_line(std::string_view bytes, std::size_t line) {
    if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
      fault("table-nul", line, 0, "byte " + std::to_string(nul + 1) + " of the line is NUL",
            "this is no CSV table, or it is damaged: export it anew");
      return;
    }
    const auto bad = first_invalid_utf8(bytes);
    if (!bad) return;
    fault("table-encoding", line, 0,
          "byte " + std::to_string(*bad + 1) + " of the line is not UTF-8" + guess(bytes, *bad),
          kSaveAsUtf8);
  }

  // What an accented letter is in the encoding that French spreadsheets wrote for thirty years.
  static std::string guess(std::string_view bytes, std::size_t at) {
    const auto c = static_cast<unsigned char>(bytes[at]);
    if (c < 0xC0 && c != 0x92 && c != 0x96 && c != 0x9C && c != 0xAB && c != 0xB0 && c != 0xBB) {
      return {};
    }
    return "; it looks like Windows-1252 or Latin-1";
  }

  // ------------------------------------------------------------------ rows

  void read_rows() {
    row_.line = 1;
    while (at_ < text_.size() && !stopped_)
      cell();
    if (!stopped_ && (!row_.cells.empty() || pending_)) end_row();
  }

  // One cell and the separator behind it.
  void cell() {
    std::string value;
    if (text_[at_] == '"') {
      quoted(&value);
    } else {
      plain(&value);
    }
    if (stopped_) return;
    if (value.size() > limits::kCsvCellBytesMax) {
      fault_here("table-limit",
                 "a cell of " + human_bytes(value.size()) + "; at most " +
                     human_bytes(limits::kCsvCellBytesMax) + " are read",
                 "shorten it; if it holds several rows, a quote before it is not closed");
      value.clear();
    }
    if (row_.cells.size() < limits::kCsvColumnsMax) {
      row_.cells.push_back(std::move(value));
    } else {
      too_wide();
    }
    pending_ = false;
    if (at_ == text_.size()) return;
    if (text_[at_] == ',') {
      ++at_;
      pending_ = true;  // A comma at the end of the file leaves an empty last cell.
      return;
    }
    line_end();
  }

  void too_wide() {
    if (too_wide_) return;
    fault("table-limit", row_.line, limits::kCsvColumnsMax + 1,
          "more than " + std::to_string(limits::kCsvColumnsMax) + " cells in a row",
          "take the columns away that are not needed");
    too_wide_ = true;
  }

  void quoted(std::string* value) {
    const std::size_t opened = line_;
    ++at_;
    while (true) {
      const std::size_t end = text_.find('"', at_);
      const std::string_view part = text_.substr(at_, end - at_);
      // What is too long is not kept, and told by cell().
      if (value->size() <= limits::kCsvCellBytesMax) {
        value->append(part.substr(0, limits::kCsvCellBytesMax + 1));
      }
      if (end == std::string_view::npos) {
        line_ = opened;
        fault_here("table-quote", "a quote is opened and never closed",
                   "close it; a quote that belongs to the text is written twice");
        stopped_ = true;
        return;
      }
      line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
      at_ = end + 1;
      if (at_ == text_.size() || text_[at_] != '"') break;
      *value += '"';
      ++at_;
    }
    if (at_ == text_.size() || is_separator(text_[at_])) return;
    fault_here("table-quote", "text after a closing quote",
               "write quotes that belong to the text twice");
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    *value += text_.substr(at_, std::min(end - at_, limits::kCsvCellBytesMax + 1));
    at_ = end;
  }

  void plain(std::string* value) {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    const std::string_view text = text_.substr(at_, end - at_);
    *value = text.substr(0, limits::kCsvCellBytesMax + 1);
    if (text.find('"') != std::string_view::npos) {
      fault_here("table-quote", "a quote inside a cell that does not begin with one",
                 "put the whole cell in quotes, and write those of the text twice");
    }
    at_ = end;
  }

  static bool is_separator(char c) { return c == ',' || c == '\n' || c == '\r'; }

  void line_end() {
    if (text_[at_] == '\r') {
      ++at_;
      if (at_ == text_.size() || text_[at_] != '\n') {
        if (!told_return_) {
          fault("table-line-end", line_, row_.cells.size(), "a lone carriage return ends the line",
                "save the table with the line ends of Windows or Unix");
        }
        told_return_ = true;  // Once: every line of such a table ends so.
        ++line_;
        end_row();
        return;
      }
    }
    ++at_;
    ++line_;
    end_row();
  }

  void end_row() {
    if (pending_ && row_.cells.size() == limits::kCsvColumnsMax) too_wide();
    if (pending_ && row_.cells.size() < limits::kCsvColumnsMax) row_.cells.emplace_back();
    pending_ = false;
    too_wide_ = false;
    const bool blank = std::all_of(row_.cells.begin(), row_.cells.end(),
                                   [](const std::string& c) { return trim(c).empty(); });
    if (!blank) {
      if (++rows_ > limits::kCsvRowsMax) {
        fault("table-limit", row_.line, 0, "more than a million rows", "split the deposit");
        stopped_ = true;
        return;
      }
      if (!each_(std::move(row_))) stopped_ = true;
    }
    row_ = Row();
    row_.line = line_;
  }

  std::string_view text_;
  const std::function<bool(Row)>& each_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t rows_ = 0;
  bool pending_ = false;
  bool too_wide_ = false;
  bool told_return_ = false;
  bool stopped_ = false;
  Row row_;
  std::vector<Fault> faults_;
};

}  // namespace

std::string to_text(const Fault& fault) {
  std::string text;
  if (fault.line > 0) text += "line " + std::to_string(fault.line);
  if (fault.column > 0) text += ", column " + std::to_string(fault.column);
  return text + (text.empty() ? "" : ": ") + fault.what;
}

std::vector<Fault> read(std::string_view text, const std::function<bool(Row)>& each) {
  return Reader(text, each).run();
}

Result<std::vector<Row>> parse(std::string_view text) {
  std::vector<Row> rows;
  const std::vector<Fault> faults = read(text, [&](Row row) {
    rows.push_back(std::move(row));
    return true;
  });
  if (faults.empty()) return rows;
  const Fault& first = faults.front();
  const bool limit = first.code == "table-limit" || first.code == "table-size";
  return Error(limit ? Code::limit : Code::invalid, to_text(first) + "; " + first.remedy)
      .as(first.code);
}

std::string restored(std::string cell) {
  if (cell.starts_with('\'') && would_run(cell)) cell.erase(0, 1);
  return cell;
}

std::string write_row(std::span<const std::string> cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    append_cell(cells[i], &out);
  }
  return out + "\r\n";
}

void append_cell(std::string_view cell, std::string* out) {
  const std::string_view apostrophe = would_run(cell) ? "'" : "";
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
    out->append(apostrophe).append(cell);
    return;
  }
  out->append("\"").append(apostrophe);
  for (const char c : cell) {
    if (c == '"') *out += '"';
    *out += c;
  }
  *out += '"';
}

}  // namespace versement::csv
