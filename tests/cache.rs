//! The cache rules, each of them a fault seen in a leading tool; and the graph, status and running of fake stages.

mod crash;
mod damage;
mod fake;
mod gc;
mod graph;
mod inputs;
mod keys;
mod oracle;
mod reuse;
mod running;
mod shared;
mod status;
