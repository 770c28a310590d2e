// Tree: named byte streams, which is all that the rules of BagIt know of a bag. A folder, a tar, a
// tar.gz, a zip and a bag that exists only as a plan each are one, and are judged alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "store/base/result.hpp"

namespace versement::bagit {

enum class EntryKind {
  file,
  folder,
  link,     // symbolic
  special,  // FIFO, socket, device
};

struct Entry {
  // Raw bytes, from the top of the tree, '/' between names; no "./" in front and no '/' at the end.
  // Else as it is found: an archive may well say "../x" or "/etc/passwd".
  std::string path;
  EntryKind kind = EntryKind::file;
  std::uint64_t size_bytes = 0;
  std::string target;           // of a link, as it is written
  std::int64_t changed_ns = 0;  // by the kernel, whenever its bytes change; 0 in an archive
};

// Bytes from their beginning to their end. Not thread safe.
class Stream {
 public:
  Stream() = default;
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Fills as much of `into` as it likes, at least one byte; 0 only at the end, and only when all is
  // as it was promised (size, CRC).
  // Errors: corrupt, limit or unsupported, with the rule's code as reason() ("serialization.crc");
  // denied, io.
  virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
};

// What a tree is shown to.
class Visitor {
 public:
  Visitor() = default;
  virtual ~Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  // Returns whether its bytes are to follow by data() and end(): asked of files by sequential trees
  // only; the others ignore it.
  virtual Result<bool> entry(Entry entry) = 0;
  virtual Result<void> data(std::span<const std::byte> bytes) = 0;
  virtual Result<void> end() = 0;
  // What is wrong with the container itself ("serialization.…", "file.unreadable"); the code is one
  // of the table's.
  virtual void finding(std::string code, std::string path, std::string detail) = 0;
};

enum class Form { folder, tar, tar_gz, zip, plan };

class Tree {
 public:
  Tree() = default;
  virtual ~Tree() = default;
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  virtual Form form() const = 0;
  // The name of the folder or file, without the folders above it.
  virtual std::string name() const = 0;

  // Shows everything that is there once, in the tree's own order: it need not be sorted, and an
  // archive may have two entries of one name. What is wrong with the tree is a finding and not an
  // error, as far as it can go on.
  // Errors: what keeps it from looking at all; cancelled; those of the visitor.
  virtual Result<void> visit(Visitor& visitor, const std::stop_token& stop) = 0;

  // True when content can be had during visit() only (a compressed stream, a pipe).
  virtual bool sequential() const { return false; }
  // False when visit() can be called once only (a pipe).
  virtual bool repeatable() const { return true; }
  // True when content carries proofs of its own (CRC) that only reading it checks.
  virtual bool checks_content() const { return false; }

  // Opens the entry that visit() showed as number `number`, from 0, at `path`. Requires: it is a
  // file (or, of a folder, a link inside of it); not sequential. Thread safe.
  // Errors: as those of Stream::read.
  virtual Result<std::unique_ptr<Stream>> open(std::size_t number, const std::string& path) = 0;
};

}  // namespace versement::bagit
