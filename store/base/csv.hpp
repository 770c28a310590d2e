// CSV as RFC 4180 has it, both directions.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.hpp"

namespace versement::csv {

struct Row {
  std::size_t line = 0;  // the line of the file on which the row begins, from 1
  std::vector<std::string> cells;
};

// Something that is wrong with a table as bytes.
struct Fault {
  std::string code;        // "table-encoding", "table-quote" …
  std::size_t line = 0;    // 0: of the whole table
  std::size_t column = 0;  // number of the cell, from 1; 0 where there is none
  std::string what;
  std::string remedy;
};

// "line 3, column 2: what".
std::string to_text(const Fault& fault);

// Reads a table row by row: UTF-8 (a BOM is dropped), comma between cells, quotes doubled inside
// quotes, CRLF or LF. Rows of blanks only are left out. Bounded by limits.hpp.
//
// After a fault it goes on where that makes sense, so that all are found at once; rows with faults
// are handed out too, as they were understood. Bytes that are no text of this kind give no rows.
// `each` returns false to stop. Returns at most kCsvFaultsMax faults.
std::vector<Fault> read(std::string_view text, const std::function<bool(Row)>& each);

// Reads a whole table that must be without fault. Errors: invalid with line and column; limit.
Result<std::vector<Row>> parse(std::string_view text);

// Writes one row with CRLF. A cell that a spreadsheet would run as a formula (= + - @, tab, CR,
// also behind apostrophes) gets an apostrophe in front.
std::string write_row(std::span<const std::string> cells);

// Appends one cell of such a row, without the comma behind it.
void append_cell(std::string_view cell, std::string* out);

// The cell without the apostrophe that write_row() put in front of it.
std::string restored(std::string cell);

}  // namespace versement::csv
