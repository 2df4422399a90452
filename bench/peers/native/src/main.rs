//! Times engines written in Rust on one input; what ../measure.mjs is for those in Node.
//!
//! usage: native-peers ENGINE INPUT --kind KIND --cases CASE,… [--seconds S]
//!
//! Prints one line of JSON for each case when it is done: {"case", "times": [milliseconds, …]} or
//! {"case": "memory", "bytes"}. What was made is checked; it ends by a panic when that is wrong.

mod bench;
mod diamond;
mod input;
mod loro_engine;
mod measure;
mod replica;
mod yrs_engine;

use std::io::Write;

use bench::Bench;
use input::{Input, Kind};
use replica::Replica;

struct Arguments {
    engine: String,
    folder: String,
    kind: Kind,
    cases: Vec<String>,
    seconds: f64,
}

fn parse() -> Arguments {
    let mut plain = Vec::new();
    let (mut kind, mut cases, mut seconds) = (Kind::Text, Vec::new(), 1.0);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word.as_str() {
            "--kind" => kind = Kind::parse(&value()),
            "--cases" => cases = value().split(',').map(String::from).collect(),
            "--seconds" => seconds = value().parse().expect("--seconds needs a number"),
            _ => plain.push(word),
        }
    }
    let [engine, folder] = plain.try_into().expect("ENGINE and INPUT are needed");
    Arguments { engine, folder, kind, cases, seconds }
}

fn run<R: Replica>(arguments: &Arguments) {
    let input = Input::new(&arguments.folder, arguments.kind);
    let bench = Bench::<R>::new(input, arguments.seconds);
    for name in &arguments.cases {
        println!("{{\"case\": \"{name}\", {}}}", bench.run(name));
        std::io::stdout().flush().expect("standard output");
    }
}

fn main() {
    let arguments = parse();
    match arguments.engine.as_str() {
        "yrs" => run::<yrs_engine::YrsReplica>(&arguments),
        "loro" => run::<loro_engine::LoroReplica>(&arguments),
        "diamond-types" => run::<diamond::DiamondReplica>(&arguments),
        unknown => panic!("no engine {unknown}"),
    }
}
