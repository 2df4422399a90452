use std::sync::{Arc, Mutex};

use loro::{ExportMode, LoroDoc, LoroText, Subscription, VersionVector};

use crate::input::Kind;
use crate::replica::Replica;

pub struct LoroReplica {
    doc: LoroDoc,
    text: LoroText,
    /// Kept by those who write.
    writing: Option<(Arc<Mutex<Vec<u8>>>, Subscription)>,
}

impl Replica for LoroReplica {
    const FORMAT: &'static str = "loro";

    fn new(client: u64) -> Self {
        let doc = LoroDoc::new();
        doc.set_peer_id(client).expect("a new document");
        let text = doc.get_text("content");
        LoroReplica { doc, text, writing: None }
    }

    fn receive(&mut self, update: &[u8]) {
        self.doc.import(update).expect("an update");
    }

    fn receive_all(&mut self, updates: &[Vec<u8>]) {
        self.doc.import_batch(updates).expect("updates");
    }

    fn content(&self, _kind: Kind) -> String {
        self.text.to_string()
    }

    fn edit(&mut self, position: u32, deleted: u32, inserted: &str) -> Vec<u8> {
        let doc = &self.doc;
        let (made, _) = self.writing.get_or_insert_with(|| {
            let made = Arc::new(Mutex::new(Vec::new()));
            let place = made.clone();
            let subscription = doc.subscribe_local_update(Box::new(move |update| {
                *place.lock().unwrap() = update.clone();
                true
            }));
            (made, subscription)
        });
        if deleted > 0 {
            self.text.delete_utf16(position as usize, deleted as usize).expect("a range");
        }
        if !inserted.is_empty() {
            self.text.insert_utf16(position as usize, inserted).expect("a position");
        }
        doc.commit();
        let update = std::mem::take(&mut *made.lock().unwrap());
        update
    }

    /// A snapshot: the quickest that Loro has for loading.
    fn encode(&self) -> Vec<u8> {
        self.doc.export(ExportMode::Snapshot).expect("a snapshot")
    }

    fn encode_since(&self, version: &[u8]) -> Vec<u8> {
        let known = VersionVector::decode(version).expect("a version");
        self.doc.export(ExportMode::updates(&known)).expect("updates")
    }
}
