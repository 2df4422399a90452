use crate::input::Kind;

/// One document of an engine, so that all of them are measured by the same loops. Positions and
/// lengths are UTF-16 code units.
pub trait Replica {
    /// Which files of an input it takes: ../../input.mjs.
    const FORMAT: &'static str;

    fn new(client: u64) -> Self;

    /// One update, as a peer gets it.
    fn receive(&mut self, update: &[u8]);
    /// Where the engine has a quicker way to take many at once; untimed.
    fn receive_all(&mut self, updates: &[Vec<u8>]) {
        updates.iter().for_each(|update| self.receive(update));
    }
    fn receive_v2(&mut self, _update: &[u8]) {
        panic!("no update format v2");
    }
    /// Where loading a whole state is not receiving it.
    fn load(&mut self, state: &[u8]) {
        self.receive(state);
    }

    /// What the document says, as FORMAT.content of an input does.
    fn content(&self, kind: Kind) -> String;

    /// One edit of the text as one transaction: its update.
    fn edit(&mut self, position: u32, deleted: u32, inserted: &str) -> Vec<u8>;

    fn encode(&self) -> Vec<u8>;
    /// What a replica at `version` lacks.
    fn encode_since(&self, version: &[u8]) -> Vec<u8>;
}
