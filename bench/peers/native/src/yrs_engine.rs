use std::sync::{Arc, Mutex};

use yrs::types::ToJson;
use yrs::updates::decoder::Decode;
use yrs::{
    ClientID, Doc, GetString, MapRef, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef,
    Transact, Update, XmlFragmentRef,
};

use crate::input::Kind;
use crate::replica::Replica;

const ROOT: &str = "content";

pub struct YrsReplica {
    doc: Doc,
    /// Kept by those who write.
    writing: Option<Writing>,
}

struct Writing {
    text: TextRef,
    made: Arc<Mutex<Vec<u8>>>,
}

impl YrsReplica {
    fn apply(&self, update: Update) {
        self.doc.transact_mut().apply_update(update).expect("an update");
    }

    fn begin_writing(doc: &Doc) -> Writing {
        let made = Arc::new(Mutex::new(Vec::new()));
        let place = made.clone();
        doc.observe_update_v1("bench", move |_, event| {
            *place.lock().unwrap() = event.update.clone();
        })
        .expect("nobody else holds the document");
        Writing { text: doc.get_or_insert_text(ROOT), made }
    }
}

impl Replica for YrsReplica {
    const FORMAT: &'static str = "yjs";

    fn new(client: u64) -> Self {
        let mut options = Options::with_client_id(ClientID::new(client));
        options.offset_kind = OffsetKind::Utf16;
        YrsReplica { doc: Doc::with_options(options), writing: None }
    }

    fn receive(&mut self, update: &[u8]) {
        self.apply(Update::decode_v1(update).expect("an update"));
    }

    fn receive_v2(&mut self, update: &[u8]) {
        self.apply(Update::decode_v2(update).expect("an update"));
    }

    fn content(&self, kind: Kind) -> String {
        match kind {
            Kind::Text => {
                let text: TextRef = self.doc.get_or_insert_text(ROOT);
                text.get_string(&self.doc.transact())
            }
            Kind::Map => {
                let map: MapRef = self.doc.get_or_insert_map(ROOT);
                serde_json::to_string(&map.to_json(&self.doc.transact())).expect("JSON")
            }
            Kind::Xml => {
                let fragment: XmlFragmentRef = self.doc.get_or_insert_xml_fragment(ROOT);
                fragment.get_string(&self.doc.transact())
            }
        }
    }

    fn edit(&mut self, position: u32, deleted: u32, inserted: &str) -> Vec<u8> {
        let writing = self.writing.get_or_insert_with(|| Self::begin_writing(&self.doc));
        {
            let mut transaction = self.doc.transact_mut();
            if deleted > 0 {
                writing.text.remove_range(&mut transaction, position, deleted);
            }
            if !inserted.is_empty() {
                writing.text.insert(&mut transaction, position, inserted);
            }
        }
        let update = std::mem::take(&mut *writing.made.lock().unwrap());
        update
    }

    fn encode(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn encode_since(&self, version: &[u8]) -> Vec<u8> {
        let known = StateVector::decode_v1(version).expect("a state vector");
        self.doc.transact().encode_state_as_update_v1(&known)
    }
}
