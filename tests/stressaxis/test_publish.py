"""Publishing brings the results folder up to date and leaves alone what people keep in it."""

from __future__ import annotations

import json
from pathlib import Path

from stressaxis.atomic import write_text
from stressaxis.publish import publish


def test_only_what_differs_is_written_and_only_our_own_is_removed(tmp_path: Path) -> None:
    store, results, listing = tmp_path / "store", tmp_path / "results", tmp_path / "listing.json"
    for name in ("a", "b"):
        write_text(store / name, name)
    first = publish({"tables/a.csv": store / "a", "tables/b.csv": store / "b"}, results, listing=listing)
    assert first == ["tables/a.csv", "tables/b.csv"]
    write_text(results / "tables" / "mine.csv", "notes of the lab")
    write_text(store / "a", "new")
    assert publish({"tables/a.csv": store / "a"}, results, listing=listing) == ["tables/a.csv", "tables/b.csv"]
    assert sorted(path.name for path in (results / "tables").iterdir()) == ["a.csv", "mine.csv"]
    assert publish({"tables/a.csv": store / "a"}, results, listing=listing) == []


def test_a_listing_cannot_reach_outside_the_results(tmp_path: Path) -> None:
    outside = tmp_path / "precious.csv"
    write_text(outside, "x")
    write_text(tmp_path / "listing.json", f'{{"../precious.csv": [], "{outside.as_posix()}": []}}')
    publish({}, tmp_path / "results", listing=tmp_path / "listing.json")
    assert outside.exists()


def test_what_somebody_edits_is_put_right_and_what_time_hides_is_seen_when_all_is_read_again(tmp_path: Path) -> None:
    source, results, listing = tmp_path / "store" / "a", tmp_path / "results", tmp_path / "listing.json"
    write_text(source, "made")
    files = {"tables/a.csv": source}
    publish(files, results, listing=listing)
    write_text(results / "tables" / "a.csv", "mine")
    assert publish(files, results, listing=listing) == ["tables/a.csv"]
    target = results / "tables" / "a.csv"
    target.write_text("bits")
    # A disk that changes a file changes none of its times.
    status = target.stat()
    row = json.loads(listing.read_text())
    row["tables/a.csv"][-4:] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    listing.write_text(json.dumps(row))
    assert publish(files, results, listing=listing) == []
    assert publish(files, results, listing=listing, reread=True) == ["tables/a.csv"]
    assert target.read_text() == "made"


def test_a_listing_of_nonsense_is_none(tmp_path: Path) -> None:
    write_text(tmp_path / "listing.json", '["a"]')
    assert publish({}, tmp_path / "results", listing=tmp_path / "listing.json") == []
