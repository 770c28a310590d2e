// CSV as RFC 4180 has it, both directions.
#pragma once

#include <cstddef>
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

// Reads a whole table: UTF-8 (a BOM is dropped), comma between cells, quotes doubled inside quotes,
// CRLF or LF. Rows of blanks only are left out. Bounded by limits.hpp.
// Errors: invalid with line and column; limit.
Result<std::vector<Row>> parse(std::string_view text);

// Writes one row with CRLF. A cell that a spreadsheet would run as a formula (= + - @, tab, CR,
// also behind apostrophes) gets an apostrophe in front.
std::string write_row(std::span<const std::string> cells);

// The cell without the apostrophe that write_row() put in front of it.
std::string restored(std::string cell);

}  // namespace versement::csv
