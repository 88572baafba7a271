//! Answers policy questions from standard input, one JSON record a line:
//! `cargo run -p launchpath-iam --example decide < records.jsonl`
#![expect(clippy::print_stdout, reason = "the answers")]

fn main() {
    for line in std::io::stdin().lines() {
        let Ok(line) = line else { break };
        println!("{}", launchpath_iam::batch::answer_line(&line));
    }
}
