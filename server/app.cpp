#include "app.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <future>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <openssl/rand.h>
#include <sched.h>
#include <spdlog/logger.h>
#include <sys/resource.h>

#include "exit_status.hpp"
#include "http/assets.hpp"
#include "http/documents.hpp"
#include "http/histories.hpp"
#include "http/history.hpp"
#include "http/history_tools.hpp"
#include "http/history_writes.hpp"
#include "http/purges.hpp"
#include "http/router.hpp"
#include "http/search.hpp"
#include "http/static_files.hpp"
#include "http/thinnings.hpp"
#include "http/transfers.hpp"
#include "log.hpp"
#include "net/connections.hpp"
#include "net/http_connection.hpp"
#include "net/listener.hpp"
#include "net/local_socket.hpp"
#include "net/rethrow.hpp"
#include "room/clock.hpp"
#include "room/directory.hpp"
#include "room/journal.hpp"
#include "room/scanner.hpp"
#include "room/thinner.hpp"
#include "storage/reserve.hpp"
#include "storage/sqlite_store.hpp"
#include "transfer/temporary_file.hpp"

namespace palimpsest::server {
namespace {

namespace asio = boost::asio;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// From the first word to stop until the process is gone.
constexpr std::chrono::seconds kDrainTime{9};
// Of it, for bringing documents to disk, and for peers to answer the close.
constexpr std::chrono::seconds kRoomTime{5};
constexpr std::chrono::seconds kGoodbyeTime{2};
// Packing a log, indexing a document, thinning a history, searching, looking into a history and
// reading the whole store take one each, for long; the rest loads documents.
constexpr unsigned kReadingThreads = 8;

void fill_with_random(std::span<unsigned char> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("the system gives no random numbers");
}

// Raises the limit of open files as far as that goes, and answers it.
std::size_t raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 1024;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  getrlimit(RLIMIT_NOFILE, &files);
  return std::min<std::size_t>(files.rlim_cur, 1'000'000);
}

// Each connection is a descriptor; the store and the log never go without one.
std::size_t connections_allowed(const Config& config) {
  const std::size_t files = raise_file_limit();
  if (config.max_connections > 0) return config.max_connections;
  return files - std::min<std::size_t>(256, files / 4);
}

net::Limits limits_of(const Config& config, net::Limits limits) {
  limits.message_bytes = config.max_message_bytes;
  limits.request.body_bytes = config.max_body_bytes;
  limits.request.upload_bytes = config.max_import_bytes;
  limits.connections = connections_allowed(config);
  return limits;
}

Room::Options room_options(const Config& config) {
  Room::Options options;
  options.idle_before_unload = config.unload_after;
  return options;
}

std::unique_ptr<storage::Store> open_store(const Config& config) {
  try {
    const auto disks =
        config.unsafe_network_filesystem ? storage::Disks::kAny : storage::Disks::kLocal;
    auto store = storage::open_sqlite_store(config.data, storage::Access::kReadWrite, disks);
    TemporaryFile::remove_remains(config.data);  // the directory is ours alone now
    return store;
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
}

std::unique_ptr<net::Listener> listen_on_port(asio::io_context& io, const Config& config,
                                              const net::Service& service) {
  try {
    return std::make_unique<net::Listener>(io, config.listen.host, config.listen.port, service);
  } catch (const boost::system::system_error& error) {
    throw ConfigError("listen: " + config.listen.host + " port " +
                      std::to_string(config.listen.port) +
                      " cannot be listened on: " + error.code().message());
  }
}

std::unique_ptr<net::Listener> listen_on_socket(asio::io_context& io, const Config& config,
                                                const net::Service& service) {
  try {
    return std::make_unique<net::Listener>(io, config.data, service);
  } catch (const std::system_error& error) {
    throw ConfigError(net::local_socket(config.data).string() +
                      " cannot be listened on: " + error.code().message());
  }
}

std::vector<std::unique_ptr<net::Listener>> listen(asio::io_context& io, const Config& config,
                                                   const net::Service& service, App::Doors doors) {
  std::vector<std::unique_ptr<net::Listener>> listeners;
  if (doors == App::Doors::kNone) return listeners;
  listeners.push_back(listen_on_port(io, config, service));
  listeners.push_back(listen_on_socket(io, config, service));
  return listeners;
}

// Those that this process may run on, which in a container are fewer than there are.
unsigned usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return std::thread::hardware_concurrency();
  return static_cast<unsigned>(CPU_COUNT(&cores));
}

unsigned threads_of(const Config& config) {
  return config.threads > 0 ? config.threads : std::max(1u, usable_cores());
}

enum class Stage : int { kServing, kStopping, kFailed };

// Slow is not reason enough to send people elsewhere.
const char* not_saving(Journal::Health health) {
  switch (health) {
    case Journal::Health::kFull:
      return "the disk is full: edits wait, and nothing is saved";
    case Journal::Health::kStuck:
      return "the disk does not answer: edits wait, and nothing is saved";
    case Journal::Health::kSlow:
    case Journal::Health::kWell:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

// In the order in which they need each other: what is below ends first.
struct App::Parts {
  Parts(const Config& config_, net::Limits limits, Doors doors);

  // Without any it is there for one command, and keeps no house.
  bool has_doors() const { return !listeners.empty(); }
  const char* not_ready() const;
  void on_storage_failure(const storage::Error& error);
  void on_disk_full(const storage::Error& error);
  void on_room_again();
  void log_retention() const;
  void watch_disk();
  void keep_reserve();
  void begin_drain();
  static asio::awaitable<void> tick(Parts& parts);
  static asio::awaitable<void> handle_signals(Parts& parts);
  static asio::awaitable<bool> wait_for(std::function<bool()> is_done, Parts& parts,
                                        std::chrono::milliseconds time);
  static asio::awaitable<void> drain(Parts& parts);
  void run_io();
  bool wait_for_threads();

  const Config config;
  std::shared_ptr<spdlog::logger> log;
  SystemClock clock;
  std::atomic<Stage> stage{Stage::kServing};

  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  net::Strand control;  // home of the timers, the signals and the drain
  asio::steady_timer ticker;
  asio::signal_set signals;
  Journal::Health last_health = Journal::Health::kWell;
  asio::thread_pool reading;
  std::unique_ptr<storage::Store> store;
  Journal journal;
  Directory directory;
  Thinner thinner;
  Scanner scanner;
  http::Documents documents;
  net::Connections connections;
  http::Histories histories;
  http::HistoryPages history;
  http::Search search;
  http::HistoryTools tools;
  http::HistoryWrites history_writes;
  http::Purges purges;
  http::Thinnings thinnings;
  http::Transfers transfers;
  http::StaticFiles files;
  http::Router router;
  net::Uploads uploads;
  net::Service service;
  std::vector<std::unique_ptr<net::Listener>> listeners;  // the port's first

  std::mutex mutex;  // guards what follows: wait() must not depend on the threads it waits for
  std::condition_variable ended;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::size_t running_threads = 0;
  std::vector<std::thread> threads;
};

App::Parts::Parts(const Config& config_, net::Limits limits, Doors doors)
    : config(config_),
      log(make_logger(config.log_level, config.log_format)),
      io(static_cast<int>(threads_of(config))),
      work(io.get_executor()),
      control(asio::make_strand(io)),
      ticker(control),
      signals(control),
      reading(kReadingThreads),
      store(open_store(config)),
      journal(*store, clock, Journal::Options{},
              {.failed = [this](const storage::Error& error) { on_storage_failure(error); },
               .stalled = [this](const storage::Error& error) { on_disk_full(error); },
               .resumed = [this] { on_room_again(); }}),
      directory(io, reading.get_executor(), *store, journal, clock, log, room_options(config)),
      thinner(reading.get_executor(), *store, journal, clock, log, {.days = config.history_days}),
      scanner(reading.get_executor(), *store, journal, clock, log, {}),
      documents({.directory = directory,
                 .store = *store,
                 .journal = journal,
                 .clock = clock,
                 .reading = reading.get_executor(),
                 .random = fill_with_random}),
      connections(io),
      histories(*store, reading.get_executor()),
      history(histories),
      search(directory, *store, reading.get_executor()),
      tools{histories, directory,        journal,
            clock,     fill_with_random, [this] { return connections.next_id(); }},
      history_writes(tools),
      purges(tools),
      thinnings(tools, log),
      transfers(
          {directory, journal, *store, reading.get_executor(), config.data, fill_with_random}),
      files(embedded_assets(), fill_with_random),
      router({.documents = documents,
              .history = history,
              .search = search,
              .history_writes = history_writes,
              .purges = purges,
              .thinnings = thinnings,
              .transfers = transfers,
              .files = files,
              .origins = {config.allow_origin, config.listen.is_loopback},
              .not_ready = [this] { return not_ready(); },
              .is_slow = [this] { return journal.health() == Journal::Health::kSlow; },
              .log = log}),
      uploads(config.data),
      service{router, directory, connections, uploads, limits_of(config, limits), log},
      listeners(listen(io, config, service, doors)) {}

const char* App::Parts::not_ready() const {
  switch (stage.load()) {
    case Stage::kServing:
      return not_saving(journal.health());
    case Stage::kStopping:
      return "the server is stopping";
    case Stage::kFailed:
      return "the store has failed: nothing can be saved";
  }
  return nullptr;
}

void App::Parts::on_storage_failure(const storage::Error& error) {
  log->critical("the store has failed, nothing more can be saved, the server stops: {}",
                error.what());
  stage = Stage::kFailed;
  begin_drain();
}

void App::Parts::on_disk_full(const storage::Error& error) {
  log->error(
      "the disk is full: edits wait, nothing is saved or acknowledged until there is room: {}",
      error.what());
}

void App::Parts::on_room_again() {
  log->info("there is room on the disk again: what waited is saved");
}

void App::Parts::log_retention() const {
  if (config.history_days == 0) {
    log->info("histories are kept for ever, except of documents with a rule of their own");
  } else {
    log->info("histories are thinned to bursts where they are older than {} days",
              config.history_days);
  }
}

// On the control strand. A full disk is told of by the journal, in the moment.
void App::Parts::watch_disk() {
  const Journal::Health health = journal.health();
  if (health == Journal::Health::kFull) return;
  const Journal::Health before = std::exchange(last_health, health);
  if (health == before) return;
  switch (health) {
    case Journal::Health::kSlow:
      log->warn("slow storage: what is written has not been on disk for 2 s");
      break;
    case Journal::Health::kStuck:
      log->error(
          "the disk has not answered for 30 s: edits wait, nothing is saved or acknowledged");
      break;
    default:
      log->info("the disk answers again");
  }
}

// Any thread, any number of times.
void App::Parts::begin_drain() {
  {
    const std::lock_guard lock(mutex);
    if (deadline) return;
    deadline = std::chrono::steady_clock::now() + kDrainTime;
  }
  ended.notify_all();
  Stage serving = Stage::kServing;
  stage.compare_exchange_strong(serving, Stage::kStopping);
  asio::co_spawn(control, drain(*this), net::rethrow);
}

// --- On the control strand ---

asio::awaitable<void> App::Parts::tick(Parts& parts) {
  for (;;) {
    parts.ticker.expires_after(std::chrono::seconds(1));
    const auto [error] = co_await parts.ticker.async_wait(use_tuple);
    if (error) co_return;
    parts.directory.tick();
    parts.watch_disk();
    if (!parts.has_doors()) continue;
    parts.thinner.tick();
    parts.scanner.tick();
  }
}

asio::awaitable<void> App::Parts::handle_signals(Parts& parts) {
  const auto [error, signal] = co_await parts.signals.async_wait(use_tuple);
  if (error) co_return;
  parts.log->info("stopping on signal {}; a second one ends the server at once", signal);
  parts.begin_drain();
  const auto [second_error, second] = co_await parts.signals.async_wait(use_tuple);
  if (!second_error) std::_Exit(128 + second);
}

// Answers when `is_done` does, or after `time`.
asio::awaitable<bool> App::Parts::wait_for(std::function<bool()> is_done, Parts& parts,
                                           std::chrono::milliseconds time) {
  asio::steady_timer timer(parts.control);
  const auto until = std::chrono::steady_clock::now() + time;
  while (!is_done() && std::chrono::steady_clock::now() < until) {
    timer.expires_after(std::chrono::milliseconds(10));
    co_await timer.async_wait(use_tuple);
  }
  co_return is_done();
}

// Everything ends by itself: when nothing is left to do, the threads have run out of work.
asio::awaitable<void> App::Parts::drain(Parts& parts) {
  for (const auto& listener : parts.listeners) listener->stop();
  parts.thinner.stop();
  parts.scanner.stop();
  const auto drained = std::make_shared<std::atomic<bool>>(false);
  parts.directory.drain([drained] { *drained = true; });
  // Named, since g++ 12 destroys what a temporary closure captured twice within a co_await.
  const std::function<bool()> rooms_are_done = [drained] { return drained->load(); };
  const std::function<bool()> sessions_are_over = [&parts] {
    return parts.connections.session_count() == 0;
  };
  if (parts.stage != Stage::kFailed) {
    const bool is_done = co_await wait_for(rooms_are_done, parts, kRoomTime);
    if (!is_done) parts.log->error("documents could not be brought to disk in time");
  }
  co_await wait_for(sessions_are_over, parts, kGoodbyeTime);
  parts.connections.close_all();
  parts.ticker.cancel();
  parts.signals.cancel();
  parts.work.reset();
}

// --- The threads ---

void App::Parts::run_io() {
  try {
    io.run();
  } catch (const std::exception& error) {
    log->critical("a bug ends the server: {}", error.what());
    log->flush();
    std::abort();
  }
  const std::lock_guard lock(mutex);
  --running_threads;
  ended.notify_all();
}

// False when they were still busy at the deadline.
bool App::Parts::wait_for_threads() {
  std::unique_lock lock(mutex);
  const auto are_gone = [this] { return running_threads == 0; };
  ended.wait(lock, [&] { return are_gone() || deadline; });
  return are_gone() || ended.wait_until(lock, *deadline, are_gone);
}

App::App(const Config& config, net::Limits limits, Doors doors)
    : parts_(std::make_unique<Parts>(config, limits, doors)) {}

App::~App() {
  if (parts_->threads.empty()) return;
  stop();
  wait();
}

std::uint16_t App::port() const { return parts_->listeners.front()->port(); }

std::string App::url() const {
  const std::string& host = parts_->config.listen.host;
  const bool is_v6 = host.find(':') != std::string::npos;
  return "http://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

// Nothing depends on it, so that without it the server serves all the same.
void App::Parts::keep_reserve() {
  try {
    switch (storage::keep_reserve(config.data, config.reserve_bytes)) {
      case storage::Reserve::kNoRoom:
        log->warn("there is too little room on the disk to keep a reserve of {} MiB free",
                  config.reserve_bytes >> 20);
        break;
      case storage::Reserve::kNotPossible:
        log->info("the file system of {} keeps no room free: no reserve", config.data.string());
        break;
      case storage::Reserve::kThere:
        break;
    }
  } catch (const storage::Error& error) {
    log->warn("no reserve is kept free on the disk: {}", error.what());
  }
}

void App::start() {
  parts_->log_retention();
  if (parts_->has_doors()) parts_->keep_reserve();
  parts_->journal.start();
  for (const auto& listener : parts_->listeners) listener->start();
  asio::co_spawn(parts_->control, Parts::tick(*parts_), net::rethrow);
  const unsigned count = threads_of(parts_->config);
  parts_->running_threads = count;
  for (unsigned i = 0; i < count; ++i)
    parts_->threads.emplace_back([parts = parts_.get()] { parts->run_io(); });
}

http::Response App::ask(http::Request request) {
  request.is_local = true;
  return asio::co_spawn(parts_->io, parts_->router.handle(std::move(request)), asio::use_future)
      .get();
}

void App::stop() { parts_->begin_drain(); }

int App::wait() {
  const bool is_clean = parts_->wait_for_threads();
  const int status = parts_->stage == Stage::kFailed ? kExitStorageFailed : kExitDone;
  if (!is_clean) {
    // What was acknowledged is on disk; what still runs would only hold up the restart.
    parts_->log->error("some connections did not end in time");
    parts_->log.reset();
    std::_Exit(status);
  }
  for (std::thread& thread : parts_->threads) thread.join();
  parts_->threads.clear();
  parts_->reading.join();
  parts_->journal.stop();
  return status;
}

void App::stop_on_signals() {
  parts_->signals.add(SIGTERM);
  parts_->signals.add(SIGINT);
  asio::co_spawn(parts_->control, Parts::handle_signals(*parts_), net::rethrow);
}

}  // namespace palimpsest::server
