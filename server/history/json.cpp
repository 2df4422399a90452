#include "history/json.hpp"

#include <nlohmann/json.hpp>

#include "crdt/any.hpp"

namespace palimpsest::server {
namespace {

using Json = nlohmann::ordered_json;
using crdt::WovenText;
using storage::format_time;
using storage::History;

Json author_json(const History& history, crdt::ClientId client) {
  return {{"client", client}, {"name", history.name_of(client)}};
}

Json shares_json(const History& history, const std::vector<History::Share>& shares) {
  Json authors = Json::array();
  for (const History::Share& share : shares) {
    Json author = author_json(history, share.client);
    author["changes"] = share.changes;
    author["inserted"] = share.inserted;
    author["deleted"] = share.deleted;
    authors.push_back(std::move(author));
  }
  return authors;
}

void add_mark(Json& run, const History& history, const WovenText::Mark& mark) {
  run.update(author_json(history, mark.client));
  run["first"] = mark.first;
  run["last"] = mark.last;
  run["begin"] = format_time(history.time_of(mark.first));
  run["end"] = format_time(history.time_of(mark.last));
}

const char* name_of(WovenText::Change::Op op) {
  switch (op) {
    case WovenText::Change::Op::kKeep:
      return "keep";
    case WovenText::Change::Op::kInsert:
      return "insert";
    case WovenText::Change::Op::kDelete:
      return "delete";
  }
  return "";
}

}  // namespace

Json timeline_json(const History& history, const std::vector<History::Burst>& bursts) {
  Json all = Json::array();
  for (const History::Burst& burst : bursts) {
    all.push_back({{"first", burst.first},
                   {"last", burst.last},
                   {"begin", format_time(burst.begin)},
                   {"end", format_time(burst.end)},
                   {"place", burst.place},
                   {"authors", shares_json(history, burst.shares)}});
  }
  return all;
}

Json thinned_json(const History& history) {
  const auto& thinned = history.thinned();
  if (!thinned) return nullptr;
  return {{"until", thinned->until}, {"at", format_time(thinned->at)}, {"days", thinned->days}};
}

Json activity_json(const History& history, const std::vector<History::Bucket>& buckets) {
  Json all = Json::array();
  for (const History::Bucket& bucket : buckets) {
    all.push_back(
        {{"begin", format_time(bucket.begin)}, {"authors", shares_json(history, bucket.shares)}});
  }
  return all;
}

Json diff_json(const History& history, const std::vector<WovenText::Change>& changes) {
  Json all = Json::array();
  for (const WovenText::Change& change : changes) {
    Json run = {{"op", name_of(change.op)}, {"text", change.text}, {"length", change.length}};
    if (change.op != WovenText::Change::Op::kKeep) add_mark(run, history, change.mark);
    all.push_back(std::move(run));
  }
  return all;
}

Json blame_json(const History& history, const std::vector<WovenText::Blame>& runs) {
  Json all = Json::array();
  for (const WovenText::Blame& one : runs) {
    Json run = {{"text", one.text}, {"length", one.length}};
    add_mark(run, history, one.inserted);
    all.push_back(std::move(run));
  }
  return all;
}

Json occurrences_json(const History& history, const std::vector<WovenText::Occurrence>& found) {
  Json all = Json::array();
  for (const WovenText::Occurrence& occurrence : found) {
    Json writers = Json::array();
    for (const crdt::ClientId client : occurrence.writers) {
      writers.push_back(author_json(history, client));
    }
    Json spans = Json::array();
    for (const WovenText::Occurrence::Span& span : occurrence.spans) {
      Json one = {{"from", span.from},
                  {"fromTime", format_time(history.time_of(span.from))},
                  {"completedBy", author_json(history, span.completed_by)},
                  {"until", nullptr},
                  {"untilTime", nullptr},
                  {"endedBy", nullptr}};
      if (span.until != WovenText::kNever) {
        one["until"] = span.until;
        one["untilTime"] = format_time(history.time_of(span.until));
        one["endedBy"] = author_json(history, span.ended_by);
      }
      spans.push_back(std::move(one));
    }
    all.push_back({{"writers", std::move(writers)}, {"spans", std::move(spans)}});
  }
  return all;
}

Json weave_json(const History& history, const WovenText& text,
                const std::vector<WovenText::Run>& runs) {
  Json all = Json::array();
  for (const WovenText::Run& run : runs) {
    Json one = {{"text", text.characters(run.begin, run.end)},
                {"insertedBy", run.inserted_by},
                {"inserted", run.inserted},
                {"insertedAt", format_time(history.time_of(run.inserted))}};
    if (run.inserted_step != 0) one["insertedStep"] = run.inserted_step;
    if (run.deleted != WovenText::kNever) {
      one["deletedBy"] = run.deleted_by;
      one["deleted"] = run.deleted;
      one["deletedAt"] = format_time(history.time_of(run.deleted));
      if (run.deleted_step != 0) one["deletedStep"] = run.deleted_step;
    }
    all.push_back(std::move(one));
  }
  return all;
}

Json versions_json(const History& history) {
  Json versions = Json::array();
  for (const storage::Version& version : history.versions()) {
    Json at = nullptr;
    if (version.seq > 0) at = format_time(history.time_of(version.seq));
    versions.push_back({{"name", version.name},
                        {"seq", version.seq},
                        {"at", std::move(at)},
                        {"namedAt", format_time(version.named_at)},
                        {"by", version.named_by}});
  }
  return versions;
}

Json purges_json(const std::vector<storage::Purge>& purges) {
  Json all = Json::array();
  for (const storage::Purge& purge : purges) {
    Json one = {{"at", format_time(purge.at)}, {"by", purge.by}, {"reason", purge.reason}};
    if (purge.is_whole) {
      one["document"] = true;
      one["entries"] = purge.units;
    } else {
      one["units"] = purge.units;
    }
    all.push_back(std::move(one));
  }
  return all;
}

Json text_name_json(const History::TextName& name) {
  Json text = {{"root", name.root}};
  if (name.type) {
    text["type"] = std::to_string(name.type->client) + ":" + std::to_string(name.type->clock);
  }
  return text;
}

std::string root_json(const crdt::Doc& doc, const std::string& root) {
  switch (doc.guess_kind(root)) {
    case crdt::Doc::RootKind::kEmpty:
      return "null";
    case crdt::Doc::RootKind::kText:
      return crdt::Any(doc.text(root)).to_json();
    case crdt::Doc::RootKind::kArray:
      return doc.array(root).to_json();
    case crdt::Doc::RootKind::kMap:
      return doc.map(root).to_json();
    case crdt::Doc::RootKind::kXml:
      return crdt::Any(doc.xml(root)).to_json();
  }
  return "null";
}

}  // namespace palimpsest::server
