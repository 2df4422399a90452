use diamond_types::list::encoding::{ENCODE_FULL, ENCODE_PATCH};
use diamond_types::list::{Branch, OpLog};

use crate::input::Kind;
use crate::replica::Replica;

pub struct DiamondReplica {
    log: OpLog,
    branch: Branch,
    client: u64,
}

impl DiamondReplica {
    fn read(&mut self) {
        self.branch.merge(&self.log, self.log.local_version_ref());
    }
}

impl Replica for DiamondReplica {
    const FORMAT: &'static str = "diamond-types";

    fn new(client: u64) -> Self {
        DiamondReplica { log: OpLog::new(), branch: Branch::new(), client }
    }

    fn receive(&mut self, update: &[u8]) {
        self.log.decode_and_add(update).expect("an update");
        self.read();
    }

    fn load(&mut self, state: &[u8]) {
        self.log = OpLog::load_from(state).expect("a state");
        self.read();
    }

    fn content(&self, _kind: Kind) -> String {
        self.branch.content().to_string()
    }

    /// Of text without surrogates: it counts characters.
    fn edit(&mut self, position: u32, deleted: u32, inserted: &str) -> Vec<u8> {
        let agent = self.log.get_or_create_agent_id(&format!("client {}", self.client));
        let before = self.log.local_version();
        let at = position as usize;
        if deleted > 0 {
            self.branch.delete(&mut self.log, agent, at..at + deleted as usize);
        }
        if !inserted.is_empty() {
            self.branch.insert(&mut self.log, agent, at, inserted);
        }
        self.log.encode_from(ENCODE_PATCH, &before)
    }

    fn encode(&self) -> Vec<u8> {
        self.log.encode(ENCODE_FULL)
    }

    /// `version`: u32, little-endian, as ../../engines/diamond-types.mjs writes it.
    fn encode_since(&self, version: &[u8]) -> Vec<u8> {
        let known: Vec<usize> = version
            .chunks_exact(4)
            .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize)
            .collect();
        self.log.encode_from(ENCODE_PATCH, &known)
    }
}
