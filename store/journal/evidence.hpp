// Evidence: immutable records that are too long for a journal entry (the outcomes of an audit run,
// the findings of an ingest, the items of a seal). JSON lines, compressed, in a file named by the
// SHA-256 of its bytes; the journal names that digest.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"

namespace versement::journal {

// evidence/ab/abcd….jsonl.zst, relative to the evidence folder.
Path evidence_path(std::string_view digest);

class EvidenceWriter {
 public:
  // Begins a record in the evidence folder.
  static Result<std::unique_ptr<EvidenceWriter>> begin(Disk& disk, const Path& folder);
  ~EvidenceWriter();
  EvidenceWriter(const EvidenceWriter&) = delete;
  EvidenceWriter& operator=(const EvidenceWriter&) = delete;

  Result<void> line(const json::Object& value);
  // Makes the record durable under its name and returns its digest in hexadecimal. Without it the
  // record leaves no trace.
  Result<std::string> finish();

 private:
  struct State;
  explicit EvidenceWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Calls `each` for every line. Errors: invalid for a malformed digest; not_found; corrupt when the
// file is damaged.
Result<void> read_evidence(Disk& disk,
                           const Path& folder,
                           std::string_view digest,
                           const std::function<Result<void>(const json::Object&)>& each);

// Reads the file again and compares it with its name.
Result<void> check_evidence(Disk& disk, const Path& folder, std::string_view digest);

}  // namespace versement::journal
