// What ThreadSanitizer cannot judge: Debian's RocksDB is not built with it, so the atomics by which
// its readers and writers agree are not seen, and each read beside a write looks like a race.
// Stacks with a frame in that library are left out; our own code has none inside of it.
#ifdef __SANITIZE_THREAD__
extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:librocksdb\n";
}
#endif
