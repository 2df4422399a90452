#include "net/local_socket.hpp"

#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "app.hpp"
#include "net/local_client.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;

server::Config config_of(const fs::path& data) {
  server::Config config;
  config.listen.port = 0;
  config.data = data;
  config.log_level = server::LogLevel::kError;
  return config;
}

class Running {
 public:
  explicit Running(const fs::path& data) : app_(config_of(data)) { app_.start(); }

 private:
  server::App app_;
};

server::http::Request get(std::string target) {
  server::http::Request request;
  request.method = "GET";
  request.target = std::move(target);
  return request;
}

TEST_CASE("who owns the data reaches the server by the socket in its directory", "[local]") {
  const TempDirectory directory;
  CHECK_FALSE(server::net::ask_local_server(directory.path(), get("/healthz")));
  {
    const Running server(directory.path());
    const auto answer = server::net::ask_local_server(directory.path(), get("/api/documents"));
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(nlohmann::json::parse(answer->body)["documents"].empty());
    struct stat status {};
    REQUIRE(::stat(server::net::local_socket(directory.path()).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  CHECK_FALSE(fs::exists(server::net::local_socket(directory.path())));
}

TEST_CASE("a directory may have a longer name than a socket", "[local]") {
  const TempDirectory directory;
  const fs::path data = directory.path() / std::string(200, 'x');
  fs::create_directory(data);
  const Running server(data);
  CHECK(server::net::ask_local_server(data, get("/healthz"))->status == 200);
}

TEST_CASE("the socket of a server that was killed is in nobody's way", "[local]") {
  const TempDirectory directory;
  const fs::path path = server::net::local_socket(directory.path());
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(left);

  CHECK_FALSE(server::net::ask_local_server(directory.path(), get("/healthz")));
  const Running server(directory.path());
  CHECK(server::net::ask_local_server(directory.path(), get("/healthz"))->status == 200);
}

TEST_CASE("a WebSocket is not served on the socket in the data directory", "[local]") {
  const TempDirectory directory;
  const Running server(directory.path());
  server::http::Request request = get("/notes");
  request.fields = {{"Upgrade", "websocket"},
                    {"Connection", "Upgrade"},
                    {"Sec-WebSocket-Version", "13"},
                    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  CHECK(server::net::ask_local_server(directory.path(), request)->status == 501);
}

TEST_CASE("without doors a server answers who started it, and nobody else", "[local]") {
  const TempDirectory directory;
  server::App app(config_of(directory.path()), {}, server::App::Doors::kNone);
  app.start();
  CHECK(app.ask(get("/readyz")).status == 200);
  CHECK_FALSE(fs::exists(server::net::local_socket(directory.path())));
  CHECK_THROWS_AS(server::App(config_of(directory.path())), server::ConfigError);
  app.stop();
  CHECK(app.wait() == 0);
}

}  // namespace
}  // namespace palimpsest::testing
