//! The cases. Each answers the figures of its line.

use std::marker::PhantomData;

use crate::input::Input;
use crate::measure::{allocated_bytes, measure};
use crate::replica::Replica;

const AUTHOR: u64 = 1;
/// Of those who only receive.
const READER: u64 = 1 << 30;

pub struct Bench<R> {
    input: Input,
    seconds: f64,
    content: String,
    state: Vec<u8>,
    engine: PhantomData<R>,
}

impl<R: Replica> Bench<R> {
    pub fn new(input: Input, seconds: f64) -> Self {
        let content = input.content(R::FORMAT);
        let state = input.bytes(&format!("{}.state", R::FORMAT));
        Bench { input, seconds, content, state, engine: PhantomData }
    }

    pub fn run(&self, name: &str) -> String {
        match name {
            "apply" => self.apply(),
            "load" => self.reading(|| self.load(&self.state)),
            "load_v2" => self.load_v2(),
            "local" => self.local(),
            "encode" => self.encode(),
            "diff" => self.diff(),
            "memory" => self.memory(),
            unknown => panic!("no case {unknown}"),
        }
    }

    fn load(&self, state: &[u8]) -> R {
        let mut replica = R::new(READER);
        replica.load(state);
        replica
    }

    fn check_content(&self, replica: &R) {
        assert!(replica.content(self.input.kind) == self.content, "wrong result: the content");
    }

    fn times<T>(&self, work: impl Fn() -> T, verify: impl Fn(T)) -> String {
        let times = measure(work, verify, self.seconds);
        let written: Vec<_> = times.iter().map(|time| format!("{time:.6}")).collect();
        format!("\"times\": [{}]", written.join(", "))
    }

    /// A document made and read in the time that counts, then checked and let go.
    fn reading(&self, make: impl Fn() -> R) -> String {
        self.times(
            || {
                let replica = make();
                let content = replica.content(self.input.kind);
                (replica, content)
            },
            |(_replica, content)| assert!(content == self.content, "wrong result: the content"),
        )
    }

    fn apply(&self) -> String {
        let updates = self.input.updates(R::FORMAT);
        self.reading(|| {
            let mut replica = R::new(READER);
            updates.iter().for_each(|update| replica.receive(update));
            replica
        })
    }

    fn load_v2(&self) -> String {
        let state = self.input.bytes(&format!("{}.state2", R::FORMAT));
        self.reading(|| {
            let mut replica = R::new(READER);
            replica.receive_v2(&state);
            replica
        })
    }

    fn local(&self) -> String {
        let edits = self.input.edits();
        self.reading(|| {
            let mut replica = R::new(AUTHOR);
            let bytes: usize = edits
                .iter()
                .map(|edit| replica.edit(edit.position, edit.deleted, &edit.inserted).len())
                .sum();
            assert!(bytes > edits.len(), "wrong result: no updates");
            replica
        })
    }

    fn encode(&self) -> String {
        let loaded = self.load(&self.state);
        let encoded = loaded.encode();
        self.check_content(&self.load(&encoded));
        self.times(
            || loaded.encode(),
            |state| assert!(state.len() == encoded.len(), "wrong result: the state"),
        )
    }

    fn diff(&self) -> String {
        let version = self.input.bytes(&format!("{}.half", R::FORMAT));
        let updates = self.input.updates(R::FORMAT);
        let loaded = self.load(&self.state);
        let difference = loaded.encode_since(&version);
        let mut half = R::new(READER);
        half.receive_all(&updates[..updates.len() / 2]);
        half.receive(&difference);
        self.check_content(&half);
        self.times(
            || loaded.encode_since(&version),
            |bytes| assert!(bytes.len() == difference.len(), "wrong result: the difference"),
        )
    }

    fn memory(&self) -> String {
        // What has been read cannot be what an engine has put off building.
        let load_and_read = || {
            let replica = self.load(&self.state);
            self.check_content(&replica);
            replica
        };
        // After one load, so that what an engine keeps once and for all does not count.
        let first = load_and_read();
        let before = allocated_bytes();
        let second = load_and_read();
        let bytes = allocated_bytes() - before;
        drop((first, second));
        format!("\"bytes\": {bytes}")
    }
}
