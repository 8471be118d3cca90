//! The life of screeners against a model: random operations over gRPC and REST, on a real server
//! and on a plain copy of the rules. After each step, callers must see the same on both.
//!
//! A seed determines each case. A failed case prints it for `SCREENERD_TEST_SEED`. The model shares
//! no code with the server.

mod answering;
mod answers;
mod compare;
mod drive;
mod expected;
mod history;
mod model;
mod operation;
mod questionnaire;
mod read;
pub(crate) mod review;
mod rules;
mod time;
mod view;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use screenerd::app::{Environment, Location};

use crate::support::backend::{Backend, run, say};
use crate::support::calls::Transport;
use crate::support::random::Random;
use crate::support::{Clock, START_MICROS, Server, config};
use compare::{Touched, compare_told, look, look_at_everything};
use drive::World;
use model::{Model, Project};
use operation::Operation;

/// The seed of the first case. Each further case increments it.
const SEED: u64 = 20_240_601;
/// Cases on `SQLite`. `SCREENERD_TEST_CASES` sets a higher number for long runs.
const CASES: u64 = 4;
const POSTGRES_CASES: u64 = 1;
/// Operations of a case.
const STEPS: usize = 500;
/// Steps between comparisons of everything, not only of the touched subjects.
const STEPS_BETWEEN_LOOKS: usize = 250;
/// Operations that a failed case prints.
const PRINTED: usize = 12;

fn number(variable: &str) -> Option<u64> {
    let chosen = std::env::var(variable).ok()?;
    Some(chosen.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// Returns the seeds of the cases.
fn seeds(cases: u64) -> impl Iterator<Item = u64> {
    let first = number("SCREENERD_TEST_SEED").unwrap_or(SEED);
    let cases = number("SCREENERD_TEST_CASES").unwrap_or(cases);
    (0..cases).map(move |case| first.wrapping_add(case))
}

/// The last operations of a case, printed if it fails.
struct Course {
    seed: u64,
    step: usize,
    last: VecDeque<String>,
}

impl Course {
    fn add(&mut self, transport: Transport, operation: &Operation) {
        self.step += 1;
        if self.last.len() == PRINTED {
            self.last.pop_front();
        }
        self.last.push_back(format!("{}: {transport:?} {operation:?}", self.step));
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, step, last } = self;
            say(&format!("SCREENERD_TEST_SEED={seed} fails at step {step}. Its last operations:"));
            for operation in last {
                say(operation);
            }
        }
    }
}

async fn server(location: Location, seed: u64) -> Server {
    let clock = Clock::new();
    // The seed also determines the server's random numbers, so that its ids are reproducible.
    let entropy = Mutex::new(Random(!seed));
    let random = move || entropy.lock().expect("nobody panics with it").bytes();
    let environment = Environment { random: Arc::new(random), ..clock.environment() };
    let mut server = Server::start_in(&config(Some(location), false), environment, clock).await;
    server.kept = Some(server.channel().await);
    server
}

async fn live(location: Location, seed: u64) {
    let mut random = Random(seed);
    let server = server(location, seed).await;
    let mut world = World::new(server).await;
    let mut model = Model::default();
    for (id, name) in [("proj_0", "First"), ("proj_1", "Second")] {
        world.create_project(id, name).await;
        model.projects.push(Project { id: id.into(), name: name.into() });
    }
    world.begin_history().await;
    let mut course = Course { seed, step: 0, last: VecDeque::new() };
    let mut last = None;
    for step in 1..=STEPS {
        if random.chance(80) {
            let micros = i64::try_from(random.below(90_000_000)).expect("a minute and a half");
            world.server.clock.advance_micros(micros);
        }
        model.now = START_MICROS + world.server.clock.elapsed_micros();
        let operation = operation::any(&mut random, &model, last.as_ref());
        let transport = *random.pick(&Transport::BOTH);
        course.add(transport, &operation);
        let told = world.carry_out(&model, transport, &operation).await;
        let since = model.history.len();
        let shown = model.apply(&operation, transport);
        world.learn(&mut model).await;
        compare_told(&model, &world, transport, &told, &shown);
        let touched = Touched::of(&model, &operation, since);
        look(&model, &mut world, &touched, *random.pick(&Transport::BOTH)).await;
        if step % STEPS_BETWEEN_LOOKS == 0 {
            look_at_everything(&model, &mut world).await;
        }
        if let Operation::Submit(submit) = operation {
            last = Some(submit);
        }
    }
    world.server.stop().await;
}

fn live_on(backend: &Backend, seed: u64) {
    run(backend, async |db| {
        db.close().await;
        live(db.location.clone(), seed).await;
    });
}

#[test]
fn what_callers_see_is_what_the_model_has() {
    for seed in seeds(CASES) {
        live_on(&Backend::Sqlite, seed);
    }
}

#[test]
fn what_callers_see_on_postgres_is_what_the_model_has_or_is_left_out() {
    let Some(backend) = Backend::postgres("the life of screeners") else { return };
    for seed in seeds(POSTGRES_CASES) {
        live_on(&backend, seed);
    }
}
