//! The rules of the house, read from the source.

use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_says_what_it_owns_and_pure_files_stay_pure() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    assert!(files.len() > 60);
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} begins without a header", path.display());
        let name = path.file_name().unwrap().to_str().unwrap();
        let vault = path.starts_with("src/vault") || path.ends_with("db/types.rs");
        assert!(vault || !text.contains("Json::sealed"), "{} passes by the vault", path.display());
        if ["model.rs", "actions.rs", "store.rs"].contains(&name) {
            assert!(!text.contains("use actix_web") && !text.contains("use utoipa"), "{} knows HTTP", path.display());
        }
        if ["model.rs", "actions.rs", "wire.rs", "http.rs"].contains(&name) && !path.starts_with("src/http") {
            assert!(!text.contains("use diesel"), "{} knows SQL", path.display());
        }
    }
}

/// A write that is tried again, and one that changes nothing, shows a record like a read: where reads are entered, every
/// answer to a write says what it would have shown.
#[test]
fn where_reads_are_entered_the_answers_to_writes_are_looked_at_too() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut seen = 0;
    for path in files.iter().filter(|path| path.to_str().unwrap().ends_with("http.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        if !text.contains("Action::Read") {
            continue;
        }
        let count = |what: &str| text.matches(what).count();
        let writes = count("respond::created(") + count("respond::done(") + count("respond::ok(&req, written");
        assert_eq!(count(".looked("), writes, "{}", path.display());
        seen += writes;
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_top_level_holds_only_what_it_may() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE",
        "docker-compose.yml",
        "src",
        "migrations",
        "openapi",
        "tests",
        "benches",
        "target",
        "data",
    ];
    for entry in std::fs::read_dir(".").unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(name.starts_with('.') || allowed.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn the_composed_service_gets_the_rights_that_the_page_grants() {
    let page = std::fs::read_to_string("migrations/README.md").unwrap();
    let composed = std::fs::read_to_string("docker-compose.yml").unwrap();
    let grants = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    for line in grants.lines() {
        assert!(composed.contains(line), "{line}");
    }
    let rights = |text: &str| {
        text.lines().filter(|l| l.trim_start().starts_with("GRANT") || l.trim_start().starts_with("REVOKE")).count()
    };
    assert_eq!(rights(&composed), rights(grants));
}
