//! The files of an input; ../../input.mjs says what they are.

use std::fs;
use std::path::PathBuf;

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Text,
    Map,
    Xml,
}

impl Kind {
    pub fn parse(name: &str) -> Self {
        match name {
            "text" => Kind::Text,
            "map" => Kind::Map,
            "xml" => Kind::Xml,
            unknown => panic!("no kind of document: {unknown}"),
        }
    }
}

pub struct Edit {
    pub position: u32,
    pub deleted: u32,
    pub inserted: String,
}

pub struct Input {
    folder: PathBuf,
    pub kind: Kind,
}

/// Takes a number off the front.
fn number(bytes: &mut &[u8]) -> u32 {
    let (front, rest) = bytes.split_at(4);
    *bytes = rest;
    u32::from_le_bytes(front.try_into().expect("four bytes"))
}

/// Takes bytes with their length before them off the front.
fn framed<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let length = number(bytes) as usize;
    let (front, rest) = bytes.split_at(length);
    *bytes = rest;
    front
}

impl Input {
    pub fn new(folder: &str, kind: Kind) -> Self {
        Input { folder: PathBuf::from(folder), kind }
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let path = self.folder.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn content(&self, format: &str) -> String {
        String::from_utf8(self.bytes(&format!("{format}.content"))).expect("UTF-8")
    }

    pub fn updates(&self, format: &str) -> Vec<Vec<u8>> {
        let stream = self.bytes(&format!("{format}.updates"));
        let mut left = stream.as_slice();
        let mut updates = Vec::new();
        while !left.is_empty() {
            updates.push(framed(&mut left).to_vec());
        }
        updates
    }

    pub fn edits(&self) -> Vec<Edit> {
        let stream = self.bytes("edits");
        let mut left = stream.as_slice();
        let mut edits = Vec::new();
        while !left.is_empty() {
            let position = number(&mut left);
            let deleted = number(&mut left);
            let inserted = String::from_utf8(framed(&mut left).to_vec()).expect("UTF-8");
            edits.push(Edit { position, deleted, inserted });
        }
        edits
    }
}
