// fuzz [TARGET…] [--seconds N] [--seed S]: gives every target mutated seeds for N seconds each
// (default 1); the same seed gives the same inputs. An input that ends the program, or that takes
// longer than a second, stays behind as fuzz-TARGET.input; `fuzz TARGET --input FILE` runs it
// again.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include <fcntl.h>
#include <unistd.h>

#include "store/base/disk.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::fuzz {
namespace {

constexpr std::size_t kInputMax = 64 * 1024;

// What a crash leaves behind is written before the input is run, into memory that outlives it.
std::string current_target;
std::string current_input;

void keep_input() {
  const std::string name = "fuzz-" + current_target + ".input";
  const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return;
  const auto written = ::write(fd, current_input.data(), current_input.size());
  (void)written;  // It is the best that can be done on the way down.
  ::close(fd);
  std::fprintf(stderr, "fuzz: %s: the input is in %s\n", current_target.c_str(), name.c_str());
}

void on_signal(int number) {
  keep_input();
  (void)std::signal(number, SIG_DFL);
  (void)std::raise(number);
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : engine_(seed) {}

  std::string next(const std::vector<std::string>& seeds) {
    std::string input = seeds[below(seeds.size())];
    for (std::size_t i = 1 + below(4); i > 0; --i)
      change(seeds, &input);
    if (input.size() > kInputMax) input.resize(kInputMax);
    return input;
  }

 private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0,
                                                      std::max<std::size_t>(bound, 1) - 1)(engine_);
  }

  void change(const std::vector<std::string>& seeds, std::string* input) {
    static const std::vector<std::string> words{"..",
                                                "/",
                                                "\\",
                                                "%2e",
                                                "%00",
                                                std::string(1, '\0'),
                                                "\n",
                                                "\r\n",
                                                "\xEF\xBB\xBF",
                                                "\xC0\xAF",
                                                "\xED\xA0\x80",
                                                "18446744073709551616",
                                                "-1",
                                                "1e308",
                                                "null",
                                                "\"",
                                                "{",
                                                "}",
                                                "[[[[[[[[",
                                                "<!DOCTYPE a>",
                                                "&a;",
                                                "]]>",
                                                "v0",
                                                "v01",
                                                "\xF4\x90\x80\x80",
                                                "9223372036854775807"};
    const std::size_t at = below(input->size() + 1);
    switch (below(8)) {
      case 0:
        if (!input->empty()) (*input)[at % input->size()] ^= static_cast<char>(1u << below(8));
        break;
      case 1:
        if (!input->empty()) (*input)[at % input->size()] = static_cast<char>(below(256));
        break;
      case 2:
        input->erase(at, 1 + below(16));
        break;
      case 3:
        input->insert(at, words[below(words.size())]);
        break;
      case 4:
        input->insert(at, input->substr(below(input->size() + 1), 1 + below(200)));
        break;
      case 5:
        input->resize(at);
        break;
      case 6: {
        const std::string& other = seeds[below(seeds.size())];
        *input = input->substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
      default:
        input->insert(at, 1 + below(100), static_cast<char>(below(256)));
    }
  }

  std::mt19937_64 engine_;
};

// False when an input took too long, or nothing was refused.
bool fuzz(const Target& target, double seconds, std::uint64_t seed) {
  current_target = target.name;
  for (const std::string& each : target.seeds) {
    current_input = each;
    if (!target.run(each)) {
      keep_input();
      std::fprintf(stderr, "fuzz: %s: a seed is refused\n", target.name.c_str());
      return false;
    }
  }
  Mutator mutator(seed);
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t runs = 0;
  std::uint64_t accepted = 0;
  double longest = 0;
  for (double now = 0; now < seconds; ++runs) {
    current_input = mutator.next(target.seeds);
    const auto before = std::chrono::steady_clock::now();
    if (target.run(current_input)) ++accepted;
    const auto after = std::chrono::steady_clock::now();
    const double took = std::chrono::duration<double>(after - before).count();
    longest = std::max(longest, took);
    if (took > 1) {
      keep_input();
      std::fprintf(stderr, "fuzz: %s: one input took %.1f s\n", target.name.c_str(), took);
      return false;
    }
    now = std::chrono::duration<double>(after - began).count();
  }
  std::printf("%-14s %9llu inputs, %9llu accepted, longest %.1f ms\n", target.name.c_str(),
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(accepted),
              longest * 1000);
  std::fflush(stdout);
  return accepted < runs;
}

int run(int argc, char** argv) {
  std::vector<std::string> names;
  double seconds = 1;
  std::uint64_t seed = 1;
  std::string input;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--seconds" && i + 1 < argc) {
      seconds = std::strtod(argv[++i], nullptr);
    } else if (word == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--input" && i + 1 < argc) {
      input = argv[++i];
    } else {
      names.push_back(word);
    }
  }
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    (void)std::signal(number, on_signal);
  bool good = true;
  std::size_t found = 0;
  for (const Target& target : targets()) {
    if (!names.empty() && std::find(names.begin(), names.end(), target.name) == names.end())
      continue;
    ++found;
    if (!input.empty()) {
      std::printf("%s\n", target.run(testing::read(input)) ? "accepted" : "refused");
    } else {
      good = fuzz(target, seconds, seed) && good;
    }
  }
  if (found < std::max<std::size_t>(names.size(), 1)) {
    std::fprintf(stderr, "fuzz: no such target\n");
    return 3;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace versement::fuzz

int main(int argc, char** argv) {
  return versement::fuzz::run(argc, argv);
}
