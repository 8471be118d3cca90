
/// Returns whether the fault of this number is planted. `PLANTED` has the number, and the folder
/// `PLANTED_REACHED` receives a file for each fault that is reached.
pub fn planted(number: usize) -> bool {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    static PLANTED: LazyLock<Option<usize>> =
        LazyLock::new(|| std::env::var("PLANTED").ok()?.parse().ok());
    static FOLDER: LazyLock<Option<std::path::PathBuf>> =
        LazyLock::new(|| std::env::var_os("PLANTED_REACHED").map(Into::into));
    static REACHED: [AtomicBool; 4096] = [const { AtomicBool::new(false) }; 4096];
    if let Some(folder) = &*FOLDER
        && !REACHED[number].swap(true, Ordering::Relaxed)
    {
        std::fs::write(folder.join(number.to_string()), "").expect("the folder exists");
    }
    *PLANTED == Some(number)
}
