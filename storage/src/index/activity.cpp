#include "index/activity.hpp"

#include <algorithm>
#include <map>

#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::storage::index {
namespace {

constexpr std::size_t kShares = 8;  // of the busiest; what others did is one more
constexpr std::int64_t kPeriod = std::chrono::milliseconds(kActivityPeriod).count();

using Share = Activity::Share;

void make_room(std::vector<Share>& shares) {
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.changes > b.changes; });
  if (shares.size() <= kShares) return;
  Share others;
  for (std::size_t i = kShares; i < shares.size(); ++i) others.changes += shares[i].changes;
  shares.resize(kShares);
  shares.push_back(others);
}

// Who stands for whom, over all of the history.
class People {
 public:
  explicit People(const History& history) : history_(history) {}
  crdt::ClientId of(crdt::ClientId client) {
    const std::string& name = history_.name_of(client);
    return name.empty() ? client : first_.try_emplace(name, client).first->second;
  }

 private:
  const History& history_;
  std::map<std::string, crdt::ClientId> first_;
};

std::vector<Share> shares_of(const History::Bucket& bucket, People& people) {
  std::vector<Share> shares;
  for (const History::Share& one : bucket.shares) {
    const crdt::ClientId client = people.of(one.client);
    const auto same = std::find_if(shares.begin(), shares.end(),
                                   [&](const Share& share) { return share.client == client; });
    if (same == shares.end()) {
      shares.push_back({client, "", one.changes});
    } else {
      same->changes += one.changes;
    }
  }
  make_room(shares);
  return shares;
}

}  // namespace

// activity := varUint(count) period*
// period   := varUint(number) varUint(shares) (varUint(client) varUint(changes))*
//
// Period n begins n times kActivityPeriod after 1970.
crdt::Bytes encode_activity(const History& history) {
  std::vector<History::Bucket> buckets = history.activity(kActivityPeriod);
  // What is from before 1970 is a client whose clock is wrong.
  std::erase_if(buckets, [](const History::Bucket& bucket) {
    return bucket.begin.time_since_epoch().count() < 0;
  });
  const std::size_t count = std::min(buckets.size(), kActivityPeriods);
  People people(history);
  crdt::Writer writer;
  writer.write_var_uint(count);
  for (std::size_t i = buckets.size() - count; i < buckets.size(); ++i) {
    const std::vector<Share> shares = shares_of(buckets[i], people);
    writer.write_var_uint(
        static_cast<std::uint64_t>(buckets[i].begin.time_since_epoch().count() / kPeriod));
    writer.write_var_uint(shares.size());
    for (const Share& share : shares) {
      writer.write_var_uint(share.client);
      writer.write_var_uint(share.changes);
    }
  }
  return std::move(writer).take();
}

std::vector<Activity> decode_activity(crdt::ByteView bytes) {
  std::vector<Activity> activity;
  if (bytes.empty()) return activity;
  try {
    crdt::Reader reader(bytes);
    for (std::uint64_t count = reader.read_var_uint(); count > 0; --count) {
      Activity& period = activity.emplace_back();
      period.begin = Time(
          std::chrono::milliseconds(static_cast<std::int64_t>(reader.read_var_uint()) * kPeriod));
      for (std::uint64_t shares = reader.read_var_uint(); shares > 0; --shares) {
        const crdt::ClientId client = reader.read_var_uint();
        period.shares.push_back({client, "", reader.read_var_uint()});
      }
    }
  } catch (const crdt::DecodeError&) {
    activity.clear();
  }
  return activity;
}

}  // namespace palimpsest::storage::index
