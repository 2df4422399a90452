#pragma once

#include <filesystem>

#include "sqlite/connection.hpp"
#include "sqlite/statement.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

// Reader over one read-only connection. Every call is one short transaction (verify(): many), so
// that no reader keeps the write-ahead log from being cut down.
class SqliteReader final : public Reader {
 public:
  explicit SqliteReader(const std::filesystem::path& file);

  std::optional<StoredDocument> load(std::string_view document) override;
  std::vector<DocumentSummary> list(std::size_t limit, std::size_t offset) override;
  std::vector<LogEntry> log(std::string_view document, Seq first, std::size_t limit) override;
  std::vector<Finding> verify() override;

 private:
  // A row of `documents`, as far as reading the log needs it.
  struct Header {
    DocumentId id = 0;
    std::string name;
    std::uint64_t generation = 0;
    Seq last_seq = 0;
  };

  std::optional<Header> find(std::string_view name);
  void read_checkpoint(const Header& document, StoredDocument& into);
  std::vector<LogEntry> read_log(const Header& document, Seq first, std::size_t limit);
  std::vector<Author> recent_authors(DocumentId document);
  // What is wrong with a row of checkpoint_ or log_; nothing if it matches its checksum.
  std::optional<std::string> fault_of_checkpoint(const Header& document, const Execution& row);
  std::optional<std::string> fault_of_entry(const Header& document, const Execution& row);
  [[noreturn]] void fail_corrupt(const Header& document, const std::string& cause) const;

  // In verify.cpp.
  std::vector<std::string> document_names();
  void verify_database(std::vector<Finding>& findings);
  void verify_document(const std::string& name, std::vector<Finding>& findings);
  void verify_end(const Header& document, std::vector<Finding>& findings);
  Seq verify_log(const Header& document, Seq first, std::vector<Finding>& findings);

  Connection connection_;
  Statement find_;
  Statement checkpoint_;
  Statement log_;
  Statement list_;
  Statement authors_;
};

}  // namespace palimpsest::storage::sqlite
