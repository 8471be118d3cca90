//! The participant's pages: a browser without scripts opens links, fills in forms and sends them.

mod doubt;
mod hostile;
mod large;
mod link;
mod look;
mod typed;
mod walk;
mod wording;
