// What the command says: the answer on standard output, all else on standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/json.hpp"
#include "store/base/result.hpp"

namespace versement::cli {

enum class ProgressMode { automatic, always, never, json };

struct OutputOptions {
  bool json = false;
  bool plain = false;  // tables with tabs and without a header
  bool quiet = false;
  ProgressMode progress = ProgressMode::automatic;
};

// Thread safe.
class Console {
 public:
  explicit Console(OutputOptions options);

  bool json() const { return options_.json; }

  // A table for people, aligned by display width.
  void table(const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows) const;
  // "name   value" lines.
  void facts(const std::vector<std::pair<std::string, std::string>>& facts) const;
  // With --json: the one document of the command.
  void document(const json::Value& value) const;
  // A line of the answer.
  void line(std::string_view text) const;
  // A remark for people; not with --json or --quiet.
  void note(std::string_view text) const;
  // What failed, why, what to do. With --json the problem goes to standard output as the document.
  void failure(const Error& error, int status, const json::Object& problem) const;

  // Shows how far something is; {"phase", "done_bytes", "total_bytes", …} as the API has it.
  void progress(std::string_view what, const json::Object& progress);
  void end_progress();

 private:
  const OutputOptions options_;
  const bool terminal_;  // standard error is one
  std::mutex mutex_;
  std::chrono::steady_clock::time_point drawn_{};
  bool line_open_ = false;
};

// 'N files, SIZE, RATE' of a progress object.
std::string progress_text(std::string_view what, const json::Object& progress);
// RFC 3339 in UTC to local time; the text itself when it is no time.
std::string local_time(std::string_view text);
// The text in the language of the environment, else French, else any.
std::string localized(const json::Object& text);

}  // namespace versement::cli
