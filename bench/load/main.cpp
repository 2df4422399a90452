// load: types into documents of a y-websocket server on this machine, and measures what becomes of
// it.
//
// usage: load --port P --pid SERVER --documents N --clients M --writers W --name NAME
//             [--warm-up S] [--seconds S] [--acks] MODE
//   --acks         the writers ask to be told what is on disk, which only Palimpsest does
//   --rate R       R updates per second in all, whatever becomes of them; may be repeated
//   --window K     each writer has K updates under way, and types on when one has arrived
//   --within MS    looks for the highest rate at which 99 % arrive within MS milliseconds
//
// NAME begins the names of the documents, which must not be there yet. Prints a JSON array with one
// member for each rate or window, and for --within one with the best rate. Exit status 1: something
// was lost or wrong.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "../program.hpp"
#include "fleet.hpp"

namespace palimpsest::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;

std::chrono::nanoseconds nanoseconds(Seconds time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time);
}

struct Arguments {
  std::uint16_t port = 0;
  pid_t server = 0;
  FleetShape shape;
  std::string name = "load";
  Seconds warm_up{1};
  Seconds time{5};
  std::vector<Pace> paces;
  std::optional<Milliseconds> within;
};

void add_options(CLI::App& program, Arguments& arguments) {
  const auto add_seconds = [&](const std::string& name, Seconds& value) {
    program.add_option_function<double>(name,
                                        [&value](double seconds) { value = Seconds(seconds); });
  };
  const auto add_pace = [&](const std::string& name, auto make_pace) {
    program
        .add_option_function<std::vector<double>>(
            name,
            [&arguments, make_pace](const std::vector<double>& values) {
              for (const double value : values) arguments.paces.push_back(make_pace(value));
            })
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  program.add_option("--port", arguments.port)->required();
  program.add_option("--pid", arguments.server)->required();
  program.add_option("--documents", arguments.shape.documents);
  program.add_option("--clients", arguments.shape.clients)->check(CLI::Range(2, 1'000'000));
  program.add_option("--writers", arguments.shape.writers);
  program.add_option("--name", arguments.name);
  program.add_flag("--acks", arguments.shape.wants_acknowledgements);
  add_seconds("--warm-up", arguments.warm_up);
  add_seconds("--seconds", arguments.time);
  add_pace("--rate", [](double rate) { return Pace{.rate = rate}; });
  add_pace("--window", [](double window) {
    return Pace{.rate = std::nullopt, .window = static_cast<std::size_t>(window)};
  });
  program.add_option_function<double>("--within",
                                      [&](double time) { arguments.within = Milliseconds(time); });
  program.final_callback([&arguments] {
    if (arguments.shape.writers > arguments.shape.clients) {
      throw CLI::ValidationError("--writers", "no more than there are clients");
    }
  });
}

void print(const Measured& measured) {
  const auto milliseconds = [](std::chrono::nanoseconds time) {
    return Milliseconds(time).count();
  };
  std::printf(
      "{\"deliveriesPerSecond\": %.1f, \"updatesPerSecond\": %.1f, \"p50\": %.4f, \"p99\": %.4f, "
      "\"max\": %.4f, \"ackP50\": %.4f, \"ackP99\": %.4f, \"serverCores\": %.4f, "
      "\"ownCores\": %.4f, \"serverBytes\": %zu}",
      measured.deliveries_per_second(), static_cast<double>(measured.updates) / measured.seconds,
      milliseconds(measured.latency.quantile(0.5)), milliseconds(measured.latency.quantile(0.99)),
      milliseconds(measured.latency.max()), milliseconds(measured.acknowledgement.quantile(0.5)),
      milliseconds(measured.acknowledgement.quantile(0.99)), measured.server_cores,
      measured.own_cores, measured.server_bytes);
}

// The highest rate that holds, to within 3 %: up in steps while it does, then halving the interval.
class RateSearch {
 public:
  RateSearch(Fleet& fleet, const Arguments& arguments) : fleet_(fleet), arguments_(arguments) {}

  Measured run() {
    double holds = 0;
    double fails = 2'000;
    while (try_rate(fails)) {
      holds = fails;
      fails *= 1.5;
    }
    while (fails / holds > 1.03 && fails > 100) {
      const double middle = (holds + fails) / 2;
      (try_rate(middle) ? holds : fails) = middle;
    }
    return best_;
  }

 private:
  // A rate fails when it fails twice: what else the machine does may spoil one run.
  bool try_rate(double rate) { return try_once(rate) || try_once(rate); }

  bool try_once(double rate) {
    const Measured measured =
        fleet_.run({.rate = rate}, nanoseconds(arguments_.warm_up), nanoseconds(arguments_.time));
    const bool holds = Milliseconds(measured.latency.quantile(0.99)) <= *arguments_.within;
    if (holds) best_ = measured;
    return holds;
  }

  Fleet& fleet_;
  const Arguments& arguments_;
  Measured best_;
};

void run(const Arguments& arguments) {
  Fleet fleet(arguments.port, arguments.server, arguments.shape, arguments.name);
  std::printf("[");
  const char* separator = "";
  for (const Pace& pace : arguments.paces) {
    std::printf("%s", std::exchange(separator, ", "));
    print(fleet.run(pace, nanoseconds(arguments.warm_up), nanoseconds(arguments.time)));
  }
  if (arguments.within) {
    std::printf("%s", separator);
    print(RateSearch(fleet, arguments).run());
  }
  fleet.check_fresh_joins();
  std::printf("]\n");
}

}  // namespace
}  // namespace palimpsest::bench

int main(int argc, char** argv) {
  CLI::App program("Types into documents of a y-websocket server", "load");
  palimpsest::bench::Arguments arguments;
  palimpsest::bench::add_options(program, arguments);
  return palimpsest::bench::run_program(program, argc, argv,
                                        [&] { palimpsest::bench::run(arguments); });
}
